// SPDX-License-Identifier: Apache-2.0
// Implements bounce.h.
#include "notify/bounce.h"

#include <algorithm>

#include "base/encoding.h"

namespace sealpost {
namespace {

constexpr std::size_t max_returned_header = 32 * 1024;

/// A remote's words must not become a field or a part of their own.
std::string one_line(std::string_view text) {
  std::string out(text.substr(0, 512));
  std::replace_if(
      out.begin(), out.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  return out;
}

std::string address_type(const std::string& address) { return is_ascii(address) ? "rfc822; " : "utf-8; "; }

std::string human_part(const ReportFacts& facts, const std::string& hostname) {
  const std::string& to = facts.delivery.recipient;
  std::string text = "This is the mail relay " + hostname + ".\n\n";
  if (facts.retry_until) {
    text += "Your message to\n\n    " + to +
            "\n\nhas not been delivered yet. You need not do anything: it is tried again until\n" +
            to_rfc5322(*facts.retry_until) + ".\n\nThe last attempt ended with:\n\n    " + one_line(facts.response) +
            "\n";
    return text;
  }
  text += "Your message to\n\n    " + to + "\n\ncould not be delivered";
  text += facts.expired ? ", and the time for attempts is over.\n\nThe last attempt ended with:\n\n    "
                        : ". The recipient's mail server said:\n\n    ";
  text += one_line(facts.response) + "\n\nWhat you can do: check the address for typing errors";
  text += facts.expired ? ", and send the message again later.\n" : ", or ask the recipient by other means.\n";
  text += "\nThe header of your message follows; its content is not returned.\n";
  return text;
}

std::string status_part(const ReportFacts& facts, const std::string& hostname, Time now) {
  const DeliveryRecord& delivery = facts.delivery;
  std::string text = "Reporting-MTA: dns; " + hostname + "\n";
  if (!delivery.envid.empty()) text += "Original-Envelope-Id: " + one_line(delivery.envid) + "\n";
  text += "Arrival-Date: " + to_rfc5322(delivery.created) + "\n\n";
  if (!delivery.dsn.orcpt.empty()) text += "Original-Recipient: " + one_line(delivery.dsn.orcpt) + "\n";
  text += "Final-Recipient: " + address_type(delivery.recipient) + one_line(delivery.recipient) + "\n";
  text += std::string("Action: ") + (facts.retry_until ? "delayed" : "failed") + "\n";
  text += "Status: " + facts.enhanced + "\n";
  if (!facts.remote_host.empty()) text += "Remote-MTA: dns; " + one_line(facts.remote_host) + "\n";
  text += "Diagnostic-Code: smtp; " + one_line(facts.response) + "\n";
  text += "Last-Attempt-Date: " + to_rfc5322(now) + "\n";
  if (facts.retry_until) text += "Will-Retry-Until: " + to_rfc5322(*facts.retry_until) + "\n";
  return text;
}

/// Whole lines of the header block, as many as fit.
std::string_view bounded(std::string_view header) {
  if (header.size() <= max_returned_header) return header;
  const auto end = header.rfind("\r\n", max_returned_header);
  return header.substr(0, end == std::string_view::npos ? 0 : end + 2);
}

}  // namespace

bool wants_bounce(const DeliveryRecord& delivery) {
  return !delivery.mail_from.empty() && !delivery.notice && !delivery.dsn.never && delivery.dsn.failure;
}

bool wants_warning(const DeliveryRecord& delivery) {
  return !delivery.mail_from.empty() && !delivery.notice && !delivery.dsn.never && delivery.dsn.delay;
}

Notice compose_report(const NoticeSender& from, const ReportFacts& facts, const Clock& clock, Random& random) {
  const bool delayed = facts.retry_until.has_value();
  const std::string human = human_part(facts, from.hostname);
  const std::string status = status_part(facts, from.hostname, clock.now());
  const bool utf8 = !is_ascii(facts.delivery.recipient) || !is_ascii(facts.header_block);
  const MailHeader header{facts.delivery.mail_from,
                          delayed ? "Delivery is delayed" : "Your message could not be delivered", "auto-replied",
                          facts.delivery.message_id_field};
  // RFC 6533 for what is beyond ASCII.
  auto message = compose(from, header, "report; report-type=delivery-status",
                         {{"text/plain; charset=utf-8", human, {}},
                          {utf8 ? "message/global-delivery-status" : "message/delivery-status", status, {}},
                          {utf8 ? "message/global-headers" : "text/rfc822-headers", bounded(facts.header_block), {}}},
                         clock, random);
  return {delayed ? Notice::Kind::DelayWarning : Notice::Kind::Bounce, std::move(message)};
}

}  // namespace sealpost
