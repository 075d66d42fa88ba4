// SPDX-License-Identifier: Apache-2.0
// Implements queue_view.h.
#include "queue/queue_view.h"

#include <algorithm>
#include <charconv>
#include <functional>

#include "base/encoding.h"
#include "queue/delivery_scan.h"
#include "queue/keys.h"
#include "queue/scripts.h"

namespace sealpost {
namespace {

/// Records that one call looks at most; a listing then ends early with a cursor, a summary counts what it saw.
constexpr std::size_t scan_bound = 50'000;
constexpr const char* per_set = "3000";

bool is_waiting(DeliveryState state) {
  return state == DeliveryState::Queued || state == DeliveryState::Sending || state == DeliveryState::Deferred ||
         state == DeliveryState::Held;
}

bool matches(const DeliveryFilter& filter, const DeliveryRecord& record, Time now) {
  const auto same = [](const std::optional<std::string>& wanted, const std::string& value) {
    return !wanted || ascii_iequals(*wanted, value);
  };
  if (filter.state && record.state != *filter.state) return false;
  if (filter.older_than && now - record.created < *filter.older_than) return false;
  if (filter.error && ascii_lower(record.last_response).find(ascii_lower(*filter.error)) == std::string::npos) {
    return false;
  }
  return same(filter.domain, record.domain) && same(filter.sender, record.mail_from) &&
         same(filter.account, record.account);
}

std::string age_class(Time created, Time now) {
  const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(now - created).count();
  for (const int limit : {5, 20, 80, 320, 1280}) {
    if (minutes < limit) return std::to_string(limit) + "m";
  }
  return "older";
}

void add_to(DestinationSummary& row, const DeliveryRecord& record, Time now) {
  switch (record.state) {
    case DeliveryState::Queued:
      ++row.queued;
      break;
    case DeliveryState::Sending:
      ++row.sending;
      break;
    case DeliveryState::Deferred:
      ++row.deferred;
      break;
    default:
      ++row.held;
      break;
  }
  ++row.ages[age_class(record.created, now)];
  if (!row.oldest || record.created < *row.oldest) row.oldest = record.created;
  if (!record.last_response.empty()) row.last_error = record.last_response;
  if (record.next_attempt && (!row.next_attempt || *record.next_attempt < *row.next_attempt)) {
    row.next_attempt = record.next_attempt;
  }
}

std::string_view action_name(QueueAction action) {
  switch (action) {
    case QueueAction::Retry:
      return "retry";
    case QueueAction::Hold:
      return "hold";
    case QueueAction::Release:
      return "release";
    case QueueAction::Drop:
      return "drop";
  }
  return {};
}

}  // namespace

QueueView::QueueView(redis::Client& redis, const Clock& clock) : redis_(redis), clock_(clock) {}

/// What waits in a shard: scheduled, held, or under a lease. History is not looked at.
Result<std::vector<DeliveryRecord>> QueueView::waiting_in(unsigned shard) {
  auto sets = redis_.pipeline({{"ZRANGE", queue_keys::base(shard) + "nodes", "0", "-1"},
                               {"ZRANGE", queue_keys::destinations(shard, Schedule::Mail), "0", "-1"},
                               {"ZRANGE", queue_keys::destinations(shard, Schedule::Webhooks), "0", "-1"}});
  if (!sets) return sets.error();
  std::vector<redis::Command> commands = {{"ZRANGE", queue_keys::held(shard), "0", per_set}};
  for (std::size_t i = 0; i < (*sets)[0].size(); ++i) {
    commands.push_back({"HKEYS", queue_keys::base(shard) + "leases:" + std::string((*sets)[0][i].text())});
  }
  for (const auto& destinations : {std::cref((*sets)[1]), std::cref((*sets)[2])}) {
    for (std::size_t i = 0; i < destinations.get().size(); ++i) {
      commands.push_back({"ZRANGE", queue_keys::due(shard, destinations.get()[i].text()), "0", per_set});
    }
  }
  auto members = redis_.pipeline(commands);
  if (!members) return members.error();
  std::vector<DeliveryId> ids;
  for (const auto& reply : *members) {
    for (std::size_t i = 0; i < reply.size(); ++i) {
      auto id = DeliveryId::parse(reply[i].text());
      if (id) ids.push_back(std::move(*id));
    }
  }
  return read_delivery_records(redis_, ids);
}

Result<std::map<DeliveryState, std::size_t>> QueueView::states() {
  std::vector<redis::Command> commands;
  for (unsigned shard = 0; shard < shard_count; ++shard) commands.push_back({"HGETALL", queue_keys::counts(shard)});
  auto replies = redis_.pipeline(commands);
  if (!replies) return replies.error();
  std::map<DeliveryState, std::size_t> states;
  for (unsigned state = 0; state < 7; ++state) states[static_cast<DeliveryState>(state)] = 0;
  for (const auto& reply : *replies) {
    for (std::size_t i = 0; i + 1 < reply.size(); i += 2) {
      unsigned state = 0;
      const auto name = reply[i].text();
      const auto [end, code] = std::from_chars(name.data(), name.data() + name.size(), state);
      if (code != std::errc() || state > 6) continue;  // totals stand beside the states
      const auto value = reply[i + 1].text();
      std::int64_t count = 0;
      std::from_chars(value.data(), value.data() + value.size(), count);
      states[static_cast<DeliveryState>(state)] += static_cast<std::size_t>(std::max<std::int64_t>(count, 0));
    }
  }
  return states;
}

Result<SubmittedPage> QueueView::submitted(const std::string& account, const SubmittedFilter& filter, std::size_t limit,
                                           const std::string& cursor) {
  return list_submitted(redis_, account, filter, limit, cursor);
}

Result<QueueSummary> QueueView::summary() {
  auto states = this->states();
  if (!states) return states.error();
  const Time now = clock_.now();
  auto rates = read_rates(redis_, now);
  if (!rates) return rates.error();
  QueueSummary summary{std::move(*states), {}, *rates, {}, {}};
  std::map<std::string, DestinationSummary> rows;
  std::size_t seen = 0;
  for (unsigned shard = 0; shard < shard_count && seen < scan_bound; ++shard) {
    auto records = waiting_in(shard);
    if (!records) return records.error();
    seen += records->size();
    for (const auto& record : *records) {
      if (!is_waiting(record.state)) continue;
      auto& row = rows[record.domain];
      row.domain = record.domain;
      add_to(row, record, now);
      if (!summary.oldest || record.created < *summary.oldest) summary.oldest = record.created;
    }
  }
  for (auto& [domain, row] : rows) summary.destinations.push_back(std::move(row));
  return summary;
}

Result<DeliveryPage> QueueView::list(const DeliveryFilter& filter, std::size_t limit, const std::string& cursor) {
  auto scan = DeliveryScan::begin(redis_, filter, cursor);
  if (!scan) return scan.error();
  DeliveryPage page;
  std::string behind_last;
  const Time now = clock_.now();
  for (std::size_t seen = 0;;) {
    auto records = scan->next();
    if (!records) return records.error();
    if (records->empty()) return page;
    for (auto& record : *records) {
      if (matches(filter, record, now)) {
        if (page.deliveries.size() == limit) {
          page.cursor = behind_last;
          return page;
        }
        page.deliveries.push_back(record);
        // Asked for now: the next match may come with another batch, and the scan knows the scores of its latest one
        // only.
        if (page.deliveries.size() == limit) behind_last = scan->cursor_behind(record);
      }
      if (++seen == scan_bound) {
        page.cursor = scan->cursor_behind(record);
        return page;
      }
    }
  }
}

Result<DeliveryRecord> QueueView::show(const DeliveryId& id) { return read_delivery_record(redis_, id); }

Result<std::vector<DeliveryRecord>> QueueView::deliveries_of(const MessageId& id) {
  return read_deliveries_of(redis_, id);
}

Result<ActionResult> QueueView::act(QueueAction action, const std::vector<DeliveryId>& ids, bool dry_run) {
  ActionResult result;
  std::vector<redis::Client::Call> calls;
  calls.reserve(ids.size());
  for (const auto& id : ids) {
    calls.push_back({{queue_keys::base(id.message().shard())},
                     {id.text(), std::string(action_name(action)), std::to_string(to_milliseconds(clock_.now())),
                      dry_run ? "1" : "0"}});
  }
  if (calls.empty()) return result;
  auto replies = redis_.run_all(queue_scripts::act(), calls);
  if (!replies) return replies.error();
  for (const auto& reply : *replies) {
    result.matched += static_cast<std::size_t>(reply[0].integer());
    result.changed += static_cast<std::size_t>(reply[1].integer());
  }
  return result;
}

Result<ActionResult> QueueView::act(QueueAction action, const DeliveryFilter& filter, bool dry_run) {
  auto scan = DeliveryScan::begin(redis_, filter, {});
  if (!scan) return scan.error();
  ActionResult total;
  const Time now = clock_.now();
  while (true) {
    auto records = scan->next();
    if (!records) return records.error();
    if (records->empty()) return total;
    std::vector<DeliveryId> ids;
    for (const auto& record : *records) {
      if (is_waiting(record.state) && matches(filter, record, now)) ids.push_back(record.id);
    }
    auto done = act(action, ids, dry_run);
    if (!done) return done;
    total.matched += done->matched;
    total.changed += done->changed;
  }
}

}  // namespace sealpost
