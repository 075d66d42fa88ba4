// SPDX-License-Identifier: Apache-2.0
// Implements submitted.h: the shards' indexes, each read backwards, are merged by time. All deliveries of a message
// stand side by side in one of them, since they share its time and the beginning of their ids.
#include "queue/submitted.h"

#include <algorithm>
#include <array>
#include <deque>
#include <tuple>

#include "base/encoding.h"
#include "base/redis/number.h"
#include "queue/delivery_scan.h"
#include "queue/keys.h"

namespace sealpost {
namespace {

constexpr std::size_t batch = 64;
constexpr std::size_t page_bound = 2'000;

/// Where a message stands among all: by time, then by id.
struct Position {
  std::int64_t time = 0;
  std::string message;
  bool operator==(const Position&) const = default;
  bool operator<(const Position& other) const { return std::tie(time, message) < std::tie(other.time, other.message); }
};

struct Entry {
  Position position;
  DeliveryId id;
};

/// A message with its deliveries.
struct Group {
  Position position;
  std::vector<DeliveryId> ids;
};

/// One shard's index, read from its end.
struct Stream {
  std::string key;
  std::deque<Entry> entries;
  std::string next_score = "+inf";  ///< go on here, behind so many entries of this very score
  std::size_t offset = 0;
  bool ended = false;
};

class Merge final {
 public:
  Merge(redis::Client& redis, const std::string& account, const SubmittedFilter& filter, std::optional<Position> behind)
      : redis_(redis),
        oldest_(filter.since ? std::to_string(to_milliseconds(*filter.since)) : "-inf"),
        behind_(std::move(behind)) {
    for (unsigned shard = 0; shard < shard_count; ++shard) {
      Stream& stream = streams_.at(shard);
      stream.key =
          filter.to ? queue_keys::recipient(shard, filter.to->directory_key()) : queue_keys::account(shard, account);
      if (behind_) stream.next_score = std::to_string(behind_->time);
    }
  }

  /// The next messages, of 200 deliveries or a few more together.
  Result<std::vector<Group>> next_few() {
    constexpr std::size_t few = 200;
    std::vector<Group> groups;
    for (std::size_t deliveries = 0; deliveries < few;) {
      auto group = next();
      if (!group) return group.error();
      if (group->ids.empty()) break;
      deliveries += group->ids.size();
      groups.push_back(std::move(*group));
    }
    return groups;
  }
  /// Index entries that were read.
  [[nodiscard]] std::size_t seen() const { return seen_; }

 private:
  /// The deliveries of the next message; none at the end.
  Result<Group> next() {
    if (auto filled = fill(); !filled) return filled.error();
    Stream* latest = nullptr;
    for (auto& stream : streams_) {
      if (stream.entries.empty()) continue;
      if (latest == nullptr || latest->entries.front().position < stream.entries.front().position) latest = &stream;
    }
    Group group;
    if (latest == nullptr) return group;
    group.position = latest->entries.front().position;
    while (!latest->entries.empty() && latest->entries.front().position == group.position) {
      group.ids.push_back(std::move(latest->entries.front().id));
      latest->entries.pop_front();
      if (!latest->entries.empty()) continue;
      if (auto filled = fill(); !filled) return filled.error();
    }
    std::sort(group.ids.begin(), group.ids.end(),
              [](const DeliveryId& a, const DeliveryId& b) { return a.number() < b.number(); });
    return group;
  }

  /// Until each stream that has not ended has an entry.
  Status fill() {
    while (true) {
      std::vector<Stream*> empty;
      std::vector<redis::Command> commands;
      for (auto& stream : streams_) {
        if (stream.ended || !stream.entries.empty()) continue;
        empty.push_back(&stream);
        commands.push_back({"ZREVRANGEBYSCORE", stream.key, stream.next_score, oldest_, "WITHSCORES", "LIMIT",
                            std::to_string(stream.offset), std::to_string(batch)});
      }
      if (empty.empty()) return {};
      auto replies = redis_.pipeline(commands);
      if (!replies) return replies.error();
      for (std::size_t i = 0; i < empty.size(); ++i) take(*empty[i], (*replies)[i]);
    }
  }

  void take(Stream& stream, const redis::Reply& reply) {
    stream.ended = reply.size() < 2 * batch;
    for (std::size_t i = 0; i + 1 < reply.size(); i += 2) {
      ++seen_;
      const std::string score(reply[i + 1].text());
      stream.offset = score == stream.next_score ? stream.offset + 1 : 1;
      stream.next_score = score;
      auto id = DeliveryId::parse(reply[i].text());
      if (!id) continue;  // none of ours
      Position position{redis::to_number(score), id->message().text()};
      if (behind_ && !(position < *behind_)) continue;
      stream.entries.push_back({std::move(position), std::move(*id)});
    }
  }

  redis::Client& redis_;
  std::string oldest_;
  std::optional<Position> behind_;  ///< where an earlier page ended
  std::array<Stream, shard_count> streams_;
  std::size_t seen_ = 0;
};

Result<std::optional<Position>> parse_cursor(const std::string& cursor) {
  if (cursor.empty()) return std::optional<Position>();
  const auto text = from_base64url(cursor);
  const auto space = text ? text->find(' ') : std::string::npos;
  if (space == std::string::npos || !MessageId::parse(std::string_view(*text).substr(0, space))) {
    return Error::invalid("this cursor is not one of ours");
  }
  const std::string time = text->substr(space + 1);
  if (time.empty() || time.size() > 15 || time.find_first_not_of("0123456789") != std::string::npos) {
    return Error::invalid("this cursor is not one of ours");
  }
  return std::optional(Position{redis::to_number(time), text->substr(0, space)});
}

std::string cursor_behind(const Position& position) {
  return to_base64url(position.message + " " + std::to_string(position.time));
}

/// Of all groups in one round trip, each group's apart.
Result<std::vector<SubmittedMessageRecords>> read_records(redis::Client& redis, const std::vector<Group>& groups) {
  std::vector<DeliveryId> ids;
  for (const auto& group : groups) ids.insert(ids.end(), group.ids.begin(), group.ids.end());
  auto records = read_delivery_records(redis, ids);
  if (!records) return records.error();
  std::vector<SubmittedMessageRecords> apart(groups.size());
  std::size_t group = 0;
  for (auto& record : *records) {
    while (record.id.message().text() != groups[group].position.message) ++group;
    apart[group].push_back(std::move(record));
  }
  return apart;
}

bool matches(const std::string& account, const SubmittedFilter& filter, const DeliveryRecord& record) {
  return record.account == account && (!filter.state || record.state == *filter.state);
}

}  // namespace

Result<SubmittedPage> list_submitted(redis::Client& redis, const std::string& account, const SubmittedFilter& filter,
                                     std::size_t limit, const std::string& cursor) {
  auto behind = parse_cursor(cursor);
  if (!behind) return behind.error();
  Merge merge(redis, account, filter, std::move(*behind));
  SubmittedPage page;
  std::size_t deliveries = 0;
  do {
    auto groups = merge.next_few();
    if (!groups) return groups.error();
    if (groups->empty()) {
      page.cursor.clear();
      return page;
    }
    auto records = read_records(redis, *groups);
    if (!records) return records.error();
    for (std::size_t i = 0; i < groups->size(); ++i) {
      auto& found = (*records)[i];
      std::erase_if(found, [&](const DeliveryRecord& record) { return !matches(account, filter, record); });
      page.cursor = cursor_behind((*groups)[i].position);
      if (found.empty()) continue;
      deliveries += found.size();
      page.messages.push_back(std::move(found));
      if (page.messages.size() == limit || deliveries >= page_bound) return page;
    }
  } while (merge.seen() < filter.look_at);
  return page;
}

}  // namespace sealpost
