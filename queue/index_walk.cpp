// SPDX-License-Identifier: Apache-2.0
// Implements index_walk.h.
#include "queue/index_walk.h"

#include <algorithm>

#include "base/redis/number.h"
#include "queue/scripts.h"

namespace sealpost {
namespace {

/// Entries that one round trip reads from all sets together; from each at least, and at most.
constexpr std::size_t batch_of_all = 1024;
constexpr std::size_t least_batch = 8;
constexpr std::size_t most_batch = 128;

std::string bound(const std::optional<std::int64_t>& time, const char* open) {
  return time ? std::to_string(*time) : std::string(open);
}

}  // namespace

IndexWalk::IndexWalk(redis::Client& redis, std::vector<std::vector<std::string>> sets, const WalkRange& range)
    : redis_(redis),
      newest_first_(range.order == WalkOrder::NewestFirst),
      first_score_(newest_first_ ? bound(range.until, "+inf") : bound(range.from, "-inf")),
      last_score_(newest_first_ ? bound(range.from, "-inf") : bound(range.until, "+inf")) {
  std::size_t all = 0;
  for (auto& of_shard : sets) {
    all += of_shard.size();
    if (!of_shard.empty()) shards_.push_back({std::move(of_shard), range.behind});
  }
  batch_ = std::clamp(batch_of_all / std::max<std::size_t>(all, 1), least_batch, most_batch);
}

bool IndexWalk::before(const IndexPosition& a, const IndexPosition& b) const { return newest_first_ ? b < a : a < b; }

Result<std::optional<IndexEntry>> IndexWalk::next() {
  if (auto filled = fill(); !filled) return filled.error();
  Shard* first = nullptr;
  for (auto& shard : shards_) {
    if (shard.entries.empty()) continue;
    if (first == nullptr || before(shard.entries.front().position, first->entries.front().position)) first = &shard;
  }
  if (first == nullptr) return std::optional<IndexEntry>();
  auto entry = std::optional(std::move(first->entries.front()));
  first->entries.pop_front();
  return entry;
}

Result<std::vector<IndexEntry>> IndexWalk::next_few(std::size_t most) {
  std::vector<IndexEntry> few;
  while (few.size() < most) {
    auto entry = next();
    if (!entry) return entry.error();
    if (!*entry) break;
    few.push_back(std::move(**entry));
  }
  return few;
}

/// Until each shard that has not ended has an entry.
Status IndexWalk::fill() {
  while (true) {
    std::vector<Shard*> empty;
    std::vector<redis::Client::Call> calls;
    for (auto& shard : shards_) {
      if (shard.ended || !shard.entries.empty()) continue;
      empty.push_back(&shard);
      calls.push_back(call_for(shard));
    }
    if (empty.empty()) return {};
    auto replies = redis_.run_all(queue_scripts::walk(), calls);
    if (!replies) return replies.error();
    for (std::size_t i = 0; i < empty.size(); ++i) take(*empty[i], (*replies)[i]);
  }
}

redis::Client::Call IndexWalk::call_for(const Shard& shard) const {
  return {
      shard.sets,
      {newest_first_ ? "1" : "0", first_score_, last_score_, std::to_string(batch_),
       shard.last ? std::to_string(shard.last->created) : std::string(), shard.last ? shard.last->id : std::string()}};
}

/// What lies behind the end of one set's page counts when that set was read so far: it is read again then.
void IndexWalk::take(Shard& shard, const redis::Reply& reply) {
  std::vector<IndexPosition> found;
  std::optional<IndexPosition> horizon;
  for (std::size_t set = 0; set < reply.size(); ++set) {
    const auto page = reply[set];
    for (std::size_t i = 0; i + 1 < page.size(); i += 2) {
      found.push_back({redis::to_number(page[i + 1].text()), std::string(page[i].text())});
    }
    const bool goes_on = page.size() >= 2 * batch_;
    if (goes_on && (!horizon || before(found.back(), *horizon))) horizon = found.back();
  }
  std::sort(found.begin(), found.end(), [this](const auto& a, const auto& b) { return before(a, b); });
  found.erase(std::unique(found.begin(), found.end()), found.end());
  for (auto& position : found) {
    if (horizon && before(*horizon, position)) break;
    auto id = DeliveryId::parse(position.id);
    if (id) shard.entries.push_back({std::move(position), std::move(*id)});
  }
  shard.ended = !horizon;
  if (horizon) shard.last = std::move(horizon);
}

}  // namespace sealpost
