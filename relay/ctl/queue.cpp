// SPDX-License-Identifier: Apache-2.0
// sealpostctl queue summary|list|show|retry|hold|release|drop.
#include <algorithm>
#include <iomanip>
#include <iterator>
#include <map>
#include <ostream>
#include <sstream>

#include "conf/values.h"
#include "queue/delivery_json.h"
#include "queue/filter_text.h"
#include "relay/ctl/command.h"
#include "relay/ctl/output.h"
#include "relay/queue_overview.h"

namespace sealpost::ctl {
namespace {

namespace po = boost::program_options;

/// The option of a filter's part: older_than is --older-than.
std::string option_name(std::string part) {
  std::replace(part.begin(), part.end(), '_', '-');
  return part;
}

void declare_filters(po::options_description& options) {
  for (const auto& part : filter_parts()) {
    options.add_options()(option_name(part.name).c_str(), po::value<std::string>(), part.help);
  }
}

std::string text_of(const Options& options, const char* name) {
  return options.count(name) > 0 ? options[name].as<std::string>() : std::string();
}

Result<DeliveryFilter> read_filter(const Options& options) {
  std::map<std::string, std::string> parts;
  for (const auto& part : filter_parts()) {
    const std::string name = option_name(part.name);
    if (options.count(name) > 0) parts[part.name] = options[name].as<std::string>();
  }
  auto filter = parse_filter(parts);
  if (!filter) filter.error().public_text = "--" + option_name(filter.error().public_text);
  return filter;
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

int list(Context& context, const Options& options) {
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

/// The deliveries that an id names: one, or all of a message. Invalid for what is no id; none when there is no record.
Result<std::vector<DeliveryRecord>> named(QueueView& view, const std::string& text) {
  if (auto message = MessageId::parse(text)) return view.deliveries_of(*message);
  auto id = DeliveryId::parse(text);
  if (!id) return Error::invalid("neither a delivery's id nor a message's: " + text);
  auto record = view.show(*id);
  if (!record && record.error().kind == ErrorKind::NotFound) return std::vector<DeliveryRecord>();
  if (!record) return record.error();
  return std::vector<DeliveryRecord>{std::move(*record)};
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
int show(Context& context, const Options& options) {
  const auto& text = options["ID"].as<std::string>();
  auto records = named(context.services.queue_view(), text);
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

Result<ActionResult> act_on_all(QueueView& view, QueueAction action, const DeliveryFilter& filter, bool dry_run) {
  ActionResult total;
  do {
    auto step = view.act(action, filter, dry_run, 1000, total.cursor);
    if (!step) return step;
    total.matched += step->matched;
    total.changed += step->changed;
    total.cursor = std::move(step->cursor);
  } while (!total.cursor.empty());
  return total;
}

Result<ActionResult> act(Context& context, const Options& options, QueueAction action, bool dry_run) {
  auto& view = context.services.queue_view();
  auto filter = read_filter(options);
  if (!filter) return filter.error();
  const bool all = options.count("all") > 0;
  if (options.count("ID") > 0) {
    if (!filter->is_empty() || all) return Error::invalid("name deliveries either by ID or by filter");
    std::vector<DeliveryId> ids;
    for (const auto& text : options["ID"].as<std::vector<std::string>>()) {
      auto records = named(view, text);
      if (!records) return records.error();
      for (const auto& record : *records) ids.push_back(record.id);
    }
    auto result = view.act(action, ids, dry_run);
    if (result && result->matched == 0) return Error::not_found("there is no such delivery");
    return result;
  }
  if (filter->is_empty() && !all) {
    return Error::invalid("name deliveries by ID or filter, or say --all");
  }
  return act_on_all(view, action, *filter, dry_run);
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
            Poco::JSON::Object object(Poco::JSON_PRESERVE_KEY_ORDER);
            object.set("matched", result->matched);
            object.set("changed", result->changed);
            return done(context,
                        std::to_string(result->matched) + " matched, " + std::to_string(result->changed) +
                            (dry_run ? " would change" : " changed"),
                        object);
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
      {"queue show", "ID", "a delivery, or all of a message, with history", {"ID"}, {}, show},
      action("retry", "attempt waiting deliveries now", QueueAction::Retry),
      action("hold", "set deliveries aside until they are released", QueueAction::Hold),
      action("release", "let held deliveries go on", QueueAction::Release),
      action("drop", "give deliveries up without a bounce", QueueAction::Drop),
  };
}

}  // namespace sealpost::ctl
