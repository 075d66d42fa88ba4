// SPDX-License-Identifier: Apache-2.0
// Implements queue_view.h.
#include "queue/queue_view.h"

#include "base/redis/number.h"
#include "queue/delivery_records.h"
#include "queue/delivery_search.h"
#include "queue/keys.h"
#include "queue/scripts.h"

namespace sealpost {
namespace {

/// Of what act.lua returns.
std::string why_unreached(const redis::ReplyView& reply) {
  if (reply[0].integer() == 0) return "there is no such delivery";
  const auto why = reply[2].text();
  if (why == "damaged") return "its record cannot be read: it can only be dropped";
  if (why == "unsealed") return "it is not sealed: only sealed mail is sent another way";
  const auto state = static_cast<std::size_t>(redis::to_number(why));
  return "it is " + std::string(state < all_delivery_states.size() ? to_text(all_delivery_states.at(state)) : why);
}

}  // namespace

QueueView::QueueView(redis::Client& redis, const Clock& clock) : redis_(redis), clock_(clock) {}

Result<SubmittedPage> QueueView::submitted(const std::string& account, const SubmittedFilter& filter, std::size_t limit,
                                           const std::string& cursor) {
  return list_submitted(redis_, account, filter, limit, cursor);
}

Result<QueueSummary> QueueView::summary(std::size_t rows) { return read_queue_summary(redis_, clock_.now(), rows); }

Result<QueueCounts> QueueView::counts() { return read_queue_counts(redis_, clock_.now()); }

Result<DeliveryPage> QueueView::list(const DeliveryFilter& filter, std::size_t limit, const std::string& cursor) {
  auto behind = parse_cursor(filter, cursor);
  if (!behind) return behind.error();
  auto search = DeliverySearch::begin(redis_, filter, clock_.now(), *behind);
  if (!search) return search.error();
  DeliveryPage page;
  while (true) {
    auto found = search->next();
    if (!found) return found.error();
    for (std::size_t i = 0; i < found->size(); ++i) {
      auto& [position, record] = (*found)[i];
      page.deliveries.push_back(std::move(record));
      if (page.deliveries.size() < limit) continue;
      if (i + 1 < found->size() || !search->ended()) page.cursor = cursor_behind(filter, position);
      return page;
    }
    if (search->ended()) return page;
    if (search->seen() < max_candidates) continue;
    page.cursor = cursor_behind(filter, *search->last());
    return page;
  }
}

Result<DeliveryRecord> QueueView::show(const DeliveryId& id) { return read_delivery_record(redis_, id); }

Result<std::vector<DeliveryRecord>> QueueView::deliveries_of(const MessageId& id) {
  return read_deliveries_of(redis_, id);
}

Result<ActionResult> QueueView::act(const QueueOrder& order, const std::vector<DeliveryId>& ids, bool dry_run) {
  ActionResult result;
  std::vector<redis::Client::Call> calls;
  calls.reserve(ids.size());
  for (const auto& id : ids) {
    calls.push_back({{queue_keys::base(id.message().shard())},
                     {id.text(), std::string(to_text(order.action)), std::to_string(to_milliseconds(clock_.now())),
                      dry_run ? "1" : "0", order.route}});
  }
  if (calls.empty()) return result;
  auto replies = redis_.run_all(queue_scripts::act(), calls);
  if (!replies) return replies.error();
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const redis::Reply& reply = (*replies)[i];
    result.matched += static_cast<std::size_t>(reply[0].integer());
    result.changed += static_cast<std::size_t>(reply[1].integer());
    if (reply[1].integer() == 0) result.unreached.push_back({ids[i], why_unreached(reply)});
  }
  return result;
}

}  // namespace sealpost
