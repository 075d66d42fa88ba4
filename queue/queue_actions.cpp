// SPDX-License-Identifier: Apache-2.0
// Implements queue_actions.h.
#include "queue/queue_actions.h"

#include <algorithm>
#include <utility>

#include "queue/filter_text.h"

namespace sealpost {
namespace {

/// Of an entry's subject.
constexpr std::size_t named_ids = 10;

/// What the trail says that was acted on.
std::string subject_of(const DeliveryChoice& choice) {
  if (const auto* filter = std::get_if<DeliveryFilter>(&choice)) return to_text(*filter);
  const auto& ids = std::get<std::vector<DeliveryId>>(choice);
  std::string text;
  for (std::size_t i = 0; i < ids.size() && i < named_ids; ++i) text += (i == 0 ? "" : " ") + ids[i].text();
  return ids.size() > named_ids ? text + " and " + std::to_string(ids.size() - named_ids) + " more" : text;
}

DeliveryFilter waiting_only(const DeliveryFilter& filter) {
  DeliveryFilter waiting = filter;
  waiting.waiting = true;
  return waiting;
}

}  // namespace

Result<ActionResult> QueueActions::count(const QueueOrder& order, const DeliveryChoice& choice,
                                         const std::string& cursor) {
  if (const auto* ids = std::get_if<std::vector<DeliveryId>>(&choice)) return view_.act(order, *ids, true);
  return walk(order, std::get<DeliveryFilter>(choice), true, max_candidates, cursor);
}

/// The intention first: nothing is changed that the trail does not name.
Result<ActionResult> QueueActions::act(const QueueOrder& order, const DeliveryChoice& choice, std::string_view actor,
                                       std::size_t limit, const std::string& cursor) {
  // A cursor that is none of ours begins nothing: it is looked at before the trail says so.
  if (const auto* filter = std::get_if<DeliveryFilter>(&choice)) {
    if (auto behind = parse_cursor(waiting_only(*filter), cursor); !behind) return behind.error();
  }
  const std::string where = order.route.empty() ? std::string() : " to " + order.route;
  if (auto noted = note(order, choice, actor, (cursor.empty() ? "begun" : "continued") + where); !noted) {
    return noted.error();
  }
  const auto* ids = std::get_if<std::vector<DeliveryId>>(&choice);
  auto done = ids != nullptr ? view_.act(order, *ids, false)
                             : walk(order, std::get<DeliveryFilter>(choice), false, std::min(limit, step), cursor);
  if (!done) {
    auto noted = note(order, choice, actor, "failed: " + done.error().public_text);
    if (!noted) done.error().internal_detail += "; nor is that in the trail: " + noted.error().internal_detail;
    return done;
  }
  const std::string end = done->broken ? ", then broken off: " + done->broken->public_text : std::string();
  auto noted =
      note(order, choice, actor,
           std::to_string(done->matched) + " matched, " + std::to_string(done->changed) + " changed" + where + end);
  if (!noted && !done->broken) done->broken = noted.error();
  return done;
}

Result<ActionResult> QueueActions::walk(const QueueOrder& order, const DeliveryFilter& filter, bool dry_run,
                                        std::size_t limit, const std::string& cursor) {
  const DeliveryFilter waiting = waiting_only(filter);
  auto behind = parse_cursor(waiting, cursor);
  if (!behind) return behind.error();
  auto search = DeliverySearch::begin(redis_, waiting, clock_.now(), *behind);
  if (!search) return search.error();
  ActionResult total;
  total.cursor = cursor;
  do {
    total.add(next_few(*search, order, waiting, dry_run));
  } while (total.goes_on() && total.matched < limit && search->seen() < max_candidates);
  if (total.broken && total.matched == 0) return *total.broken;
  return total;
}

Result<ActionResult> QueueActions::next_few(DeliverySearch& search, const QueueOrder& order,
                                            const DeliveryFilter& filter, bool dry_run) {
  auto found = search.next();
  if (!found) return found.error();
  std::vector<DeliveryId> ids;
  for (const auto& one : *found) ids.push_back(one.record.id);
  auto done = view_.act(order, ids, dry_run);
  if (!done) return done;
  done->unreached.clear();  // what moved between search and deed: nobody named it
  if (!search.ended()) done->cursor = cursor_behind(filter, *search.last());
  return done;
}

Status QueueActions::note(const QueueOrder& order, const DeliveryChoice& choice, std::string_view actor,
                          std::string detail) {
  return audit_.append(AuditTrail::operators_shard,
                       {clock_.now(), std::string(actor), "queue." + std::string(to_text(order.action)),
                        subject_of(choice), std::move(detail)});
}

}  // namespace sealpost
