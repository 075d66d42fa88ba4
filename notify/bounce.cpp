// SPDX-License-Identifier: Apache-2.0
// Implements bounce.h.
#include "notify/bounce.h"

#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "crypto/submitted_message.h"

namespace sealpost {
namespace {

constexpr std::size_t max_returned_header = 32UL * 1024;
/// RFC 5322 section 2.1.1: of a whole line, and "In-Reply-To: " stands before it.
constexpr std::size_t max_field_line = 998 - std::string_view("In-Reply-To: ").size();

/// A remote's words must not become a field or a part of their own.
std::string one_line(std::string_view text) { return without_controls(text.substr(0, 512), ' '); }

/// ENVID and ORCPT come as xtext and are reported as what they stand for (RFC 3461 section 4); what does not stand for
/// ASCII is no character of any known set, and stays as it came.
std::string from_xtext(const std::string& text) {
  const auto decoded = decode_xtext(text);
  return one_line(decoded && is_ascii(*decoded) ? *decoded : text);
}

std::string address_type(const std::string& address) { return is_ascii(address) ? "rfc822; " : "utf-8; "; }

struct Advice {
  std::string_view status;  ///< RFC 3463 without its class; a prefix that ends in a dot stands for all below it
  const char* happened;
  const char* to_do;
};

/// The first that fits; the last fits everything.
constexpr std::array advices = {
    Advice{"1.2", "there is no such mail domain.", "Check the part of the address behind the @ for typing errors."},
    Advice{"1.10", "this mail domain takes no mail.", "Ask the recipient for another address."},
    Advice{"1.", "there is no such mailbox.",
           "Check the address for typing errors, or ask the recipient\nfor the right one by other means."},
    Advice{"2.1", "the mailbox takes no mail at present.", "Tell the recipient by other means."},
    Advice{"2.2", "the recipient's mailbox is full.",
           "Tell the recipient by other means, and send the message again\nwhen there is room."},
    Advice{"2.3", "the message is too large for this recipient.",
           "Send it again with smaller attachments, or in several parts.\nEncryption makes a message about a third "
           "larger."},
    Advice{"3.4", "the message is too large for the recipient's mail server.",
           "Send it again with smaller attachments, or in several parts.\nEncryption makes a message about a third "
           "larger."},
    Advice{"4.1", "the recipient's mail server could not be reached.",
           "Check the part of the address behind the @ for typing errors,\nor send the message again later."},
    Advice{"4.4", "the mail servers that this mail domain names do not exist.",
           "Check the part of the address behind the @ for typing errors,\nor tell the recipient by other means."},
    Advice{"4.6", "the way to this mail domain leads back to where the message was.",
           "Tell your own postmaster: a mail server is set up wrongly."},
    Advice{"6.9", "the recipient's mail server cannot take a subject or names with\nletters beyond ASCII.",
           "Send the message again with a subject in plain letters."},
    Advice{"6.7", "the recipient's mail server cannot take an address with letters\nbeyond ASCII.",
           "Ask the recipient for another address."},
    Advice{
        "7.", "the recipient's mail server refuses it.",
        "Ask the recipient or their postmaster to let mail from you in;\nthe reason below tells them what to change."},
    Advice{"", "the recipient's mail server does not take it.",
           "Check the address for typing errors, or ask the recipient by\nother means."}};

const Advice& advice_for(std::string_view enhanced) {
  const auto detail = enhanced.substr(std::min<std::size_t>(2, enhanced.size()));
  return *std::find_if(advices.begin(), advices.end(), [&](const Advice& advice) {
    return advice.status.empty() || advice.status == detail ||
           (advice.status.ends_with('.') && detail.starts_with(advice.status));
  });
}

std::string spell(Duration time) {
  const auto count = [](auto number, const char* one) {
    return std::to_string(number) + " " + one + (number == 1 ? "" : "s");
  };
  const auto hours = std::chrono::duration_cast<std::chrono::hours>(time).count();
  if (hours >= 48) return count(hours / 24, "day");
  if (hours >= 1) return count(hours, "hour");
  return count(std::max<std::int64_t>(1, std::chrono::duration_cast<std::chrono::minutes>(time).count()), "minute");
}

std::string last_attempt(const ReportFacts& facts) {
  const std::string words = "\n\n    " + one_line(facts.response) + "\n";
  if (facts.remote_host.empty()) return "How the last attempt ended:" + words;
  return "What the mail server " + one_line(facts.remote_host) + " answered:" + words;
}

std::string failure(const ReportFacts& facts, Time now) {
  if (facts.expired) {
    return "could not be delivered in " + spell(now - facts.delivery.created) +
           ", and is not tried any more.\n\nWhat you can do:\nCheck the address for typing errors, ask the recipient "
           "whether their\nmail works, and send the message again.";
  }
  const Advice& advice = advice_for(facts.enhanced);
  return std::string("could not be delivered:\n") + advice.happened + "\n\nWhat you can do:\n" + advice.to_do;
}

/// What became of "your message to …".
std::string fate(const ReportFacts& facts, Time now) {
  switch (facts.action) {
    case ReportAction::Failed:
      break;
    case ReportAction::Delayed:
      if (!facts.retry_until) return "waits at the relay, and nothing is tried for now. You need not do anything.";
      return "has not been delivered yet. You need not do anything: it is tried again\nuntil " +
             to_rfc5322(*facts.retry_until) + ".";
    case ReportAction::Relayed:
      return "has been handed on to the next mail server, which answers for it now. That\nserver does not confirm "
             "deliveries: no further confirmation may come, even\nwhen the message arrives.";
    case ReportAction::Delivered:
      return "has been delivered to the recipient's mailbox. Whether anybody has read it\nis not known here.";
  }
  return failure(facts, now);
}

std::string human_part(const ReportFacts& facts, const std::string& hostname, Time now) {
  std::string text = "This is the mail relay " + hostname + ".\n\nYour message to\n\n    " + facts.delivery.recipient +
                     "\n\n" + fate(facts, now) + "\n\n" + last_attempt(facts);
  if (facts.action == ReportAction::Delayed) return text;
  return text + "\nThe header of your message follows; its content is not returned.\n";
}

struct ActionWords {
  const char* action;
  const char* subject;
  Notice::Kind kind;
};

/// By ReportAction.
constexpr std::array action_words = {
    ActionWords{"failed", "Your message could not be delivered", Notice::Kind::Bounce},
    ActionWords{"delayed", "Delivery is delayed", Notice::Kind::DelayWarning},
    ActionWords{"relayed", "Your message was handed on", Notice::Kind::Confirmation},
    ActionWords{"delivered", "Your message was delivered", Notice::Kind::Confirmation}};

const ActionWords& words_for(ReportAction action) { return action_words.at(static_cast<std::size_t>(action)); }

std::string status_part(const ReportFacts& facts, const std::string& hostname, Time now) {
  const DeliveryRecord& delivery = facts.delivery;
  std::string text = "Reporting-MTA: dns; " + hostname + "\n";
  if (!delivery.envid.empty()) text += "Original-Envelope-Id: " + from_xtext(delivery.envid) + "\n";
  text += "Arrival-Date: " + to_rfc5322(delivery.created) + "\n\n";
  if (!delivery.dsn.orcpt.empty()) text += "Original-Recipient: " + from_xtext(delivery.dsn.orcpt) + "\n";
  text += "Final-Recipient: " + address_type(delivery.recipient) + one_line(delivery.recipient) + "\n";
  text += std::string("Action: ") + words_for(facts.action).action + "\n";
  text += "Status: " + facts.enhanced + "\n";
  // RFC 3464 sections 2.3.5 and 2.3.6: only what another MTA said is an SMTP diagnostic, and only it has a name here.
  if (!facts.remote_host.empty()) {
    text += "Remote-MTA: dns; " + one_line(facts.remote_host) + "\n";
    text += "Diagnostic-Code: smtp; " + one_line(facts.response) + "\n";
  }
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

/// The Message-ID of the returned header block; empty when it is not one line that may stand in a field of ours.
std::string message_id(std::string_view header_block) {
  WipedBuffer text(header_block.begin(), header_block.end());
  append(text, "\r\n");
  const auto message = split_message(view(text));
  const HeaderField* field = message ? message->find("Message-ID") : nullptr;
  if (field == nullptr) return {};
  std::string_view body = field->body;
  if (!body.empty() && body.front() == ' ') body.remove_prefix(1);
  return body.size() > max_field_line || body.find('\n') != std::string_view::npos ? std::string() : std::string(body);
}

}  // namespace

bool wants_bounce(const DeliveryRecord& delivery) {
  return !delivery.mail_from.empty() && !delivery.notice && !delivery.dsn.never && delivery.dsn.failure;
}

bool wants_warning(const DeliveryRecord& delivery) {
  return !delivery.mail_from.empty() && !delivery.notice && !delivery.dsn.never && delivery.dsn.delay;
}

bool wants_confirmation(const DeliveryRecord& delivery) {
  return !delivery.mail_from.empty() && !delivery.notice && !delivery.dsn.never && delivery.dsn.success;
}

Notice compose_report(const NoticeSender& from, const ReportFacts& facts, const Clock& clock, Random& random) {
  const ActionWords& words = words_for(facts.action);
  const Time now = clock.now();
  const std::string human = human_part(facts, from.hostname, now);
  const std::string status = status_part(facts, from.hostname, now);
  const bool utf8 = !is_ascii(status) || !is_ascii(facts.header_block);
  const MailHeader header{facts.delivery.mail_from, words.subject, "auto-replied", message_id(facts.header_block)};
  // RFC 6533 for what is beyond ASCII.
  const MimePart report{
      "multipart/report; report-type=delivery-status",
      {},
      {},
      {{"text/plain; charset=utf-8", human, {}, {}},
       {utf8 ? "message/global-delivery-status" : "message/delivery-status", status, {}, {}},
       {utf8 ? "message/global-headers" : "text/rfc822-headers", bounded(facts.header_block), {}, {}}}};
  auto message = compose(from, header, report, clock, random);
  return {words.kind, std::move(message)};
}

}  // namespace sealpost
