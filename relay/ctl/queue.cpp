// SPDX-License-Identifier: Apache-2.0
// sealpostctl queue summary|list|show|retry|hold|release|drop.
#include <iomanip>
#include <ostream>
#include <sstream>

#include "conf/values.h"
#include "queue/delivery_json.h"
#include "relay/ctl/command.h"
#include "relay/ctl/output.h"
#include "relay/queue_overview.h"

namespace sealpost::ctl {
namespace {

namespace po = boost::program_options;

void declare_filters(po::options_description& options) {
  auto add = options.add_options();
  add("state", po::value<std::string>(), "queued, sending, deferred, held, delivered, bounced or dropped");
  add("domain", po::value<std::string>(), "recipient's domain");
  add("sender", po::value<std::string>(), "envelope sender");
  add("recipient", po::value<std::string>(), "recipient's address");
  add("older-than", po::value<std::string>(), "age, e.g. 30m, 4h, 2d");
  add("error", po::value<std::string>(), "part of the last response");
}

std::string text_of(const Options& options, const char* name) {
  return options.count(name) > 0 ? options[name].as<std::string>() : std::string();
}

Result<DeliveryFilter> read_filter(const Options& options) {
  DeliveryFilter filter;
  if (options.count("state") > 0) {
    filter.state = parse_delivery_state(text_of(options, "state"));
    if (!filter.state) return Error::invalid("unknown state: " + text_of(options, "state"));
  }
  if (options.count("older-than") > 0) {
    auto age = parse_duration(text_of(options, "older-than"));
    if (!age) return age.error();
    filter.older_than = *age;
  }
  filter.domain = text_of(options, "domain");
  filter.sender = text_of(options, "sender");
  filter.recipient = text_of(options, "recipient");
  filter.error = text_of(options, "error");
  return filter;
}

bool is_empty(const DeliveryFilter& filter) {
  return !filter.state && !filter.older_than && filter.domain.empty() && filter.sender.empty() &&
         filter.recipient.empty() && filter.error.empty();
}

std::string sender_text(const DeliveryRecord& record) { return record.mail_from.empty() ? "<>" : record.mail_from; }

/// One decimal is enough to see mail move.
std::string rate_text(double per_minute) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(1) << per_minute;
  return text.str();
}

void print_rates_and_pool(std::ostream& out, const QueueSummary& summary) {
  const QueueRates& rates = summary.rates;
  out << "per minute: " << rate_text(rates.accepted) << " accepted, " << rate_text(rates.delivered) << " delivered, "
      << rate_text(rates.deferred) << " deferred, " << rate_text(rates.bounced) << " bounced\n";
  if (summary.pool) out << "key pairs: " << summary.pool->ready << " ready, " << summary.pool->wanted << " wanted\n";
}

int summary(Context& context, const Options&) {
  auto summary =
      queue_overview(context.services.queue_view(), context.services.vault(), context.settings.keys.pool_size);
  if (!summary) return fail(context, summary.error());
  const Time now = context.services.clock().now();
  if (context.json) {
    print_json(context.out, to_json(*summary, now));
    return EX_OK;
  }
  for (const auto& [state, count] : summary->states) context.out << to_text(state) << ": " << count << '\n';
  if (summary->oldest) {
    context.out << "oldest waiting: "
                << age_text(std::chrono::duration_cast<std::chrono::seconds>(now - *summary->oldest).count()) << '\n';
  }
  print_rates_and_pool(context.out, *summary);
  std::vector<std::vector<std::string>> rows;
  for (const auto& row : summary->destinations) {
    rows.push_back({row.domain, std::to_string(row.queued), std::to_string(row.sending), std::to_string(row.deferred),
                    std::to_string(row.held), row.next_attempt ? to_rfc3339(*row.next_attempt) : "-",
                    row.last_error.empty() ? "-" : row.last_error});
  }
  if (!rows.empty()) {
    print_table(context.out, {"DESTINATION", "QUEUED", "SENDING", "DEFERRED", "HELD", "NEXT ATTEMPT", "LAST ERROR"},
                rows);
  }
  return EX_OK;
}

int print_page(Context& context, const DeliveryPage& page) {
  if (context.json) {
    Poco::JSON::Object object(Poco::JSON_PRESERVE_KEY_ORDER);
    Poco::JSON::Array array;
    for (const auto& record : page.deliveries) array.add(to_json(record, false));
    object.set("deliveries", array);
    object.set("cursor", page.cursor.empty() ? Poco::Dynamic::Var() : Poco::Dynamic::Var(page.cursor));
    print_json(context.out, object);
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

int list(Context& context, const Options& options) {
  auto filter = read_filter(options);
  if (!filter) return fail(context, filter.error());
  auto limit = parse_count(options["limit"].as<std::string>(), 1, 10000);
  if (!limit) return fail(context, Error::invalid("--limit: " + limit.error().public_text));
  auto page = context.services.queue_view().list(*filter, *limit, text_of(options, "cursor"));
  if (!page) return fail(context, page.error());
  return print_page(context, *page);
}

int show(Context& context, const Options& options) {
  auto id = DeliveryId::parse(options["ID"].as<std::string>());
  if (!id) return fail(context, id.error());
  auto record = context.services.queue_view().show(*id);
  if (!record) return fail(context, record.error());
  if (context.json) {
    print_json(context.out, to_json(*record, true));
    return EX_OK;
  }
  std::ostream& out = context.out;
  out << "id:            " << record->id.text() << "\nmessage:       " << record->id.message().text()
      << "\naccount:       " << (record->account.empty() ? "-" : record->account)
      << "\nfrom:          " << sender_text(*record) << "\nto:            " << record->recipient
      << "\nstate:         " << to_text(record->state) << "\nattempts:      " << record->attempts
      << "\ncreated:       " << to_rfc3339(record->created)
      << "\nnext attempt:  " << (record->next_attempt ? to_rfc3339(*record->next_attempt) : "-")
      << "\nlast response: " << (record->last_response.empty() ? "-" : record->last_response)
      << "\nsize:          " << record->size << " octets\nkey:           "
      << (record->fingerprint.empty() ? "-" : record->fingerprint + " (" + record->key_state + ")") << "\nhistory:\n";
  for (const auto& event : record->history) out << "  " << to_rfc3339(event.time) << "  " << event.text << '\n';
  return EX_OK;
}

Result<ActionResult> act(Context& context, const Options& options, QueueAction action, bool dry_run) {
  auto& view = context.services.queue_view();
  auto filter = read_filter(options);
  if (!filter) return filter.error();
  const bool all = options.count("all") > 0;
  if (options.count("ID") > 0) {
    if (!is_empty(*filter) || all) return Error::invalid("name deliveries either by ID or by filter");
    std::vector<DeliveryId> ids;
    for (const auto& text : options["ID"].as<std::vector<std::string>>()) {
      auto id = DeliveryId::parse(text);
      if (!id) return id.error();
      ids.push_back(*id);
    }
    auto result = view.act(action, ids, dry_run);
    if (result && result->matched == 0) return Error::not_found("there is no such delivery");
    return result;
  }
  if (is_empty(*filter) && !all) {
    return Error::invalid("name deliveries by ID or filter, or say --all");
  }
  return view.act(action, *filter, dry_run);
}

Subcommand action(const std::string& name, std::string summary, QueueAction action) {
  return {"queue " + name,
          "[ID...] [filters]",
          std::move(summary),
          {},
          [](po::options_description& options) {
            declare_filters(options);
            options.add_options()("all", "every delivery that waits");
            options.add_options()("dry-run", "only count what would be acted on");
          },
          [action](Context& context, const Options& options) {
            const bool dry_run = options.count("dry-run") > 0;
            auto result = act(context, options, action, dry_run);
            if (!result) return fail(context, result.error());
            if (context.json) {
              Poco::JSON::Object object(Poco::JSON_PRESERVE_KEY_ORDER);
              object.set("matched", result->matched);
              object.set("changed", result->changed);
              print_json(context.out, object);
            } else {
              context.out << result->matched << " matched, " << result->changed
                          << (dry_run ? " would change\n" : " changed\n");
            }
            return EX_OK;
          },
          {},
          "ID"};
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
      {"queue list", "[filters]", "list deliveries", {}, declare_list, list},
      {"queue show", "ID", "one delivery with its history", {"ID"}, {}, show},
      action("retry", "attempt waiting deliveries now", QueueAction::Retry),
      action("hold", "set deliveries aside until they are released", QueueAction::Hold),
      action("release", "let held deliveries go on", QueueAction::Release),
      action("drop", "give deliveries up without a bounce", QueueAction::Drop),
  };
}

}  // namespace sealpost::ctl
