// SPDX-License-Identifier: Apache-2.0
// sealpostctl queue summary|list|show|why.
#include <iterator>
#include <ostream>

#include "base/email_address.h"
#include "base/time_text.h"
#include "conf/values.h"
#include "queue/delivery_json.h"
#include "relay/ctl/command.h"
#include "relay/ctl/output.h"
#include "relay/ctl/queue_choice.h"
#include "relay/queue_overview.h"

namespace sealpost::ctl {
namespace {

namespace po = boost::program_options;

std::string text_of(const Options& options, const char* name) {
  return options.count(name) > 0 ? options[name].as<std::string>() : std::string();
}

std::string sender_text(const DeliveryRecord& record) { return record.mail_from.empty() ? "<>" : record.mail_from; }

std::int64_t seconds_between(Time from, Time to) {
  return std::chrono::duration_cast<std::chrono::seconds>(to - from).count();
}

void print_keys(std::ostream& out, const KeyStatus& keys, Time now) {
  out << "key pairs: " << keys.pool.ready << " ready, " << keys.pool.wanted << " wanted\n";
  out << "keys not picked up: " << keys.pickups.waiting;
  if (keys.pickups.oldest) out << ", the oldest for " << age_text(seconds_between(*keys.pickups.oldest, now));
  out << "\ncertificates: " << keys.certificates.ending << " end within 30 days, " << keys.certificates.ended
      << " have ended\n";
}

void print_certificates(std::ostream& out, const CertificateStatus& certificates) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& one : certificates.soonest) {
    rows.push_back({one.of, one.address.empty() ? "-" : one.address, to_rfc3339(one.ends)});
  }
  if (rows.empty()) return;
  out << '\n';
  print_table(out, {"CERTIFICATE", "OF", "ENDS"}, rows);
}

void print_rates(std::ostream& out, const QueueSummary& summary) {
  const QueueRates& rates = summary.rates;
  out << "per minute: " << decimal_text(rates.accepted) << " accepted, " << decimal_text(rates.delivered)
      << " delivered, " << decimal_text(rates.deferred) << " deferred, " << decimal_text(rates.bounced) << " bounced\n";
}

std::vector<std::string> age_cells(const AgeCounts& ages) {
  std::vector<std::string> cells;
  for (const auto count : ages) cells.push_back(std::to_string(count));
  return cells;
}

/// What waits where: by state and rate, by age as qshape(1) has it, and by failure.
void print_destinations(std::ostream& out, const QueueSummary& summary, Time now) {
  std::vector<std::vector<std::string>> states;
  std::vector<std::vector<std::string>> ages = {age_cells(summary.ages)};
  ages.front().insert(ages.front().begin(), "(all)");
  for (const auto& row : summary.destinations) {
    states.push_back({row.domain, std::to_string(row.queued), std::to_string(row.sending), std::to_string(row.deferred),
                      std::to_string(row.held), row.oldest ? age_text(seconds_between(*row.oldest, now)) : "-",
                      std::to_string(row.concurrency), decimal_text(row.delivered_per_minute),
                      row.next_attempt ? to_rfc3339(*row.next_attempt) : "-",
                      row.last_error.empty() ? "-" : row.last_error});
    ages.push_back(age_cells(row.ages));
    ages.back().insert(ages.back().begin(), row.domain);
  }
  if (states.empty()) return;
  print_table(out,
              {"DESTINATION", "QUEUED", "SENDING", "DEFERRED", "HELD", "OLDEST", "AT ONCE", "PER MINUTE",
               "NEXT ATTEMPT", "LAST ERROR"},
              states);
  if (summary.more_destinations > 0) out << "and " << summary.more_destinations << " more\n";
  out << '\n';
  std::vector<std::string> header = {"WAITING BY AGE"};
  for (std::size_t i = 0; i < age_names.size(); ++i) {
    header.push_back((i + 1 < age_names.size() ? "<" : "") + std::string(age_names.at(i)));
  }
  print_table(out, header, ages);
  std::vector<std::vector<std::string>> errors;
  for (const auto& row : summary.errors) {
    errors.push_back({std::to_string(row.count), row.error.empty() ? "(others)" : row.error});
  }
  if (errors.empty()) return;
  out << '\n';
  print_table(out, {"FAILED", "WITH"}, errors);
}

void print_accounts(std::ostream& out, const QueueSummary& summary) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& row : summary.accounts) {
    rows.push_back({row.account, std::to_string(row.waiting), decimal_text(row.accepted_per_minute)});
  }
  if (rows.empty()) return;
  out << '\n';
  print_table(out, {"ACCOUNT", "WAITING", "ACCEPTED PER MINUTE"}, rows);
}

int summary(Context& context, const Options&) {
  auto summary = tool_overview(context.services, context.settings).read();
  if (!summary) return fail(context, summary.error());
  const Time now = context.services.clock().now();
  if (context.json) {
    print_json(context.out, to_json(*summary, now));
    return EX_OK;
  }
  for (const auto& [state, count] : summary->states) context.out << to_text(state) << ": " << count << '\n';
  if (summary->oldest) {
    context.out << "oldest waiting: " << age_text(seconds_between(*summary->oldest, now)) << '\n';
  }
  print_rates(context.out, *summary);
  if (summary->keys) print_keys(context.out, *summary->keys, now);
  print_destinations(context.out, *summary, now);
  print_accounts(context.out, *summary);
  if (summary->keys) print_certificates(context.out, summary->keys->certificates);
  return EX_OK;
}

int print_page(Context& context, const DeliveryPage& page) {
  if (context.json) {
    print_json(context.out, to_json(page, false));
    return EX_OK;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& record : page.deliveries) {
    rows.push_back({record.id.text(), std::string(to_text(record.state)), std::to_string(record.attempts),
                    record.next_attempt ? to_rfc3339(*record.next_attempt) : "-", sender_text(record), record.recipient,
                    record.last_response.empty() ? "-" : record.last_response});
  }
  print_table(context.out, {"ID", "STATE", "ATTEMPTS", "NEXT ATTEMPT", "FROM", "TO", "LAST RESPONSE"}, rows);
  if (!page.cursor.empty()) context.out << "More: --cursor " << page.cursor << '\n';
  return EX_OK;
}

int list_queue(Context& context, const Options& options) {
  auto filter = read_filter(options);
  if (!filter) return fail(context, filter.error());
  auto limit = parse_count(options["limit"].as<std::string>(), 1, 10000);
  if (!limit) return fail(context, Error::invalid("--limit: " + limit.error().public_text));
  DeliveryPage whole;
  whole.cursor = text_of(options, "cursor");
  do {  // the view's pages may be short
    auto page = context.services.queue_view().list(*filter, *limit - whole.deliveries.size(), whole.cursor);
    if (!page) return fail(context, page.error());
    std::move(page->deliveries.begin(), page->deliveries.end(), std::back_inserter(whole.deliveries));
    whole.cursor = std::move(page->cursor);
  } while (whole.deliveries.size() < *limit && !whole.cursor.empty());
  return print_page(context, whole);
}

void print_delivery(std::ostream& out, const DeliveryRecord& record) {
  out << "id:            " << record.id.text() << "\nmessage:       " << record.id.message().text()
      << "\naccount:       " << (record.account.empty() ? "-" : record.account)
      << "\nfrom:          " << sender_text(record) << "\nto:            " << record.recipient
      << "\nstate:         " << to_text(record.state) << "\nattempts:      " << record.attempts
      << "\ncreated:       " << to_rfc3339(record.created)
      << "\nnext attempt:  " << (record.next_attempt ? to_rfc3339(*record.next_attempt) : "-")
      << "\nlast response: " << (record.last_response.empty() ? "-" : record.last_response)
      << "\nsize:          " << record.size << " octets\nkey:           "
      << (record.fingerprint.empty() ? "-" : record.fingerprint + " (" + record.key_state + ")") << "\nhistory:\n";
  for (const auto& event : record.history) out << "  " << to_rfc3339(event.time) << "  " << event.text << '\n';
}

/// A delivery's id shows the delivery, a message's the listing of its deliveries, each with its history.
int show_message(Context& context, const Options& options) {
  const auto& text = options["ID"].as<std::string>();
  auto records = named_deliveries(context.services.queue_view(), text);
  if (!records) return fail(context, records.error());
  if (records->empty()) return fail(context, Error::not_found("there is no delivery " + text));
  const bool whole_message = records->front().id.text() != text;
  if (context.json && whole_message) {
    print_json(context.out, to_json(DeliveryPage{*records, {}}, true));
  } else if (context.json) {
    print_json(context.out, to_json(records->front(), true));
  } else {
    for (const auto& record : *records) {
      if (record.id != records->front().id) context.out << '\n';
      print_delivery(context.out, record);
    }
  }
  return EX_OK;
}

/// Of a delivery, of each of a message's, or of a domain.
Result<std::vector<Why>> reasons(Context& context, const std::string& text) {
  std::vector<Why> reasons;
  if (!MessageId::parse(text) && !DeliveryId::parse(text)) {
    auto domain = DomainName::parse(text);
    if (!domain) return Error::invalid("neither a delivery's id, nor a message's, nor a domain: " + text);
    auto why = context.services.queue_why().domain(domain->a_label());
    if (!why) return why.error();
    reasons.push_back(std::move(*why));
    return reasons;
  }
  auto records = named_deliveries(context.services.queue_view(), text);
  if (!records) return records.error();
  if (records->empty()) return Error::not_found("there is no delivery " + text);
  for (const auto& record : *records) {
    auto why = context.services.queue_why().delivery(record.id);
    if (!why) return why.error();
    reasons.push_back(std::move(*why));
  }
  return reasons;
}

int why(Context& context, const Options& options) {
  auto told = reasons(context, options["ID|DOMAIN"].as<std::string>());
  if (!told) return fail(context, told.error());
  if (context.json) {
    Poco::JSON::Array rows;
    for (const auto& reason : *told) rows.add(to_json(reason));
    print_json(context.out, rows);
    return EX_OK;
  }
  for (const auto& reason : *told) {
    context.out << printable(reason.text) << '\n';
    for (const auto& remedy : reason.remedies) context.out << "  " << printable(remedy) << '\n';
  }
  return EX_OK;
}

}  // namespace

std::vector<Subcommand> queue_commands() {
  const auto declare_list = [](po::options_description& options) {
    declare_filters(options);
    options.add_options()("limit", po::value<std::string>()->default_value("100"), "rows at most, up to 10000");
    options.add_options()("cursor", po::value<std::string>(), "where the last page ended");
  };
  return {
      {"queue summary", "", "count deliveries by state and destination", {}, {}, summary},
      {"queue list", "[filters]", "list deliveries", {}, declare_list, list_queue},
      {"queue show", "ID", "a delivery, or all of a message, with history", {"ID"}, {}, show_message},
      {"queue why", "ID|DOMAIN", "why something waits, until when, and what would change it", {"ID|DOMAIN"}, {}, why},
  };
}

}  // namespace sealpost::ctl
