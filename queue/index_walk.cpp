// SPDX-License-Identifier: Apache-2.0
// Implements index_walk.h.
#include "queue/index_walk.h"

#include <algorithm>

#include "base/redis/number.h"

namespace sealpost {
namespace {

/// Entries that one round trip reads from all sets together, and from each at least.
constexpr std::size_t batch_of_all = 1024;
constexpr std::size_t least_batch = 8;
constexpr std::size_t most_batch = 128;

std::string bound(const std::optional<std::int64_t>& time, const char* open) {
  return time ? std::to_string(*time) : std::string(open);
}

}  // namespace

IndexWalk::IndexWalk(redis::Client& redis, std::vector<std::string> sets, WalkRange range)
    : redis_(redis),
      newest_first_(range.order == WalkOrder::NewestFirst),
      first_score_(newest_first_ ? bound(range.until, "+inf") : bound(range.from, "-inf")),
      last_score_(newest_first_ ? bound(range.from, "-inf") : bound(range.until, "+inf")),
      behind_(std::move(range.behind)),
      batch_(std::clamp(batch_of_all / std::max<std::size_t>(sets.size(), 1), least_batch, most_batch)) {
  for (auto& set : sets) streams_.push_back({std::move(set), behind_});
}

bool IndexWalk::before(const IndexPosition& a, const IndexPosition& b) const { return newest_first_ ? b < a : a < b; }

Result<std::optional<IndexEntry>> IndexWalk::next() {
  if (auto filled = fill(); !filled) return filled.error();
  Stream* first = nullptr;
  for (auto& stream : streams_) {
    if (stream.entries.empty()) continue;
    if (first == nullptr || before(stream.entries.front().position, first->entries.front().position)) first = &stream;
  }
  if (first == nullptr) return std::optional<IndexEntry>();
  auto entry = std::optional(std::move(first->entries.front()));
  first->entries.pop_front();
  behind_ = entry->position;
  // The same one in other sets, and what moved between them while they were read, lies not behind it.
  for (auto& stream : streams_) {
    while (!stream.entries.empty() && !before(*behind_, stream.entries.front().position)) stream.entries.pop_front();
  }
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

/// Until each set that has not ended has an entry.
Status IndexWalk::fill() {
  while (true) {
    std::vector<Stream*> empty;
    std::vector<redis::Command> commands;
    for (auto& stream : streams_) {
      if (stream.ended || !stream.entries.empty()) continue;
      empty.push_back(&stream);
      commands.push_back(command_for(stream));
    }
    if (empty.empty()) return {};
    auto replies = redis_.pipeline(commands);
    if (!replies) return replies.error();
    for (std::size_t i = 0; i < empty.size(); ++i) take(*empty[i], (*replies)[i]);
  }
}

redis::Command IndexWalk::command_for(const Stream& stream) const {
  return {newest_first_ ? "ZREVRANGEBYSCORE" : "ZRANGEBYSCORE",
          stream.key,
          stream.last ? std::to_string(stream.last->created) : first_score_,
          last_score_,
          "WITHSCORES",
          "LIMIT",
          std::to_string(stream.offset),
          std::to_string(batch_)};
}

/// Reads go on at the score of the last entry, and step over what of it is known: an offset alone would skip what comes
/// behind entries that were removed meanwhile.
void IndexWalk::take(Stream& stream, const redis::Reply& reply) {
  stream.ended = reply.size() < 2 * batch_;
  bool advanced = false;
  for (std::size_t i = 0; i + 1 < reply.size(); i += 2) {
    auto id = DeliveryId::parse(reply[i].text());
    IndexPosition position{redis::to_number(reply[i + 1].text()), std::string(reply[i].text())};
    if (stream.last && !before(*stream.last, position)) continue;
    stream.last = position;
    advanced = true;
    if (!id || (behind_ && !before(*behind_, position))) continue;  // none of ours; given before
    stream.entries.push_back({std::move(position), std::move(*id)});
  }
  stream.offset = advanced ? 0 : stream.offset + batch_;
}

}  // namespace sealpost
