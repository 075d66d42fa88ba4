// SPDX-License-Identifier: Apache-2.0
// Implements submitted.h: an index is walked backwards, and its entries are put together to messages.
#include "queue/submitted.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/redis/number.h"
#include "queue/delivery_records.h"
#include "queue/index_walk.h"
#include "queue/keys.h"

namespace sealpost {
namespace {

constexpr std::size_t page_bound = 2'000;

/// A message with its deliveries; its position is that of its first entry without the number.
struct Group {
  IndexPosition position;
  std::vector<DeliveryId> ids;
};

/// All entries of a message stand side by side, since they share its time and the beginning of their ids.
class Groups final {
 public:
  Groups(redis::Client& redis, const std::string& account, const SubmittedFilter& filter,
         std::optional<IndexPosition> behind)
      : walk_(redis, sets(account, filter), range(filter, std::move(behind))) {}

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
  static std::vector<std::vector<std::string>> sets(const std::string& account, const SubmittedFilter& filter) {
    std::vector<std::vector<std::string>> names;
    for (unsigned shard = 0; shard < shard_count; ++shard) {
      names.push_back(
          {filter.to ? queue_keys::recipient(shard, filter.to->directory_key()) : queue_keys::account(shard, account)});
    }
    return names;
  }
  static WalkRange range(const SubmittedFilter& filter, std::optional<IndexPosition> behind) {
    WalkRange range{WalkOrder::NewestFirst, std::move(behind), {}, {}};
    if (filter.since) range.from = to_milliseconds(*filter.since);
    return range;
  }

  /// The deliveries of the next message; none at the end.
  Result<Group> next() {
    Group group;
    while (true) {
      if (!ahead_) {
        auto entry = walk_.next();
        if (!entry) return entry.error();
        if (!*entry) break;
        ++seen_;
        ahead_ = std::move(*entry);
      }
      IndexPosition position{ahead_->position.created, ahead_->id.message().text()};
      if (!group.ids.empty() && position != group.position) break;
      group.position = std::move(position);
      group.ids.push_back(ahead_->id);
      ahead_.reset();
    }
    std::sort(group.ids.begin(), group.ids.end(),
              [](const DeliveryId& a, const DeliveryId& b) { return a.number() < b.number(); });
    return group;
  }

  IndexWalk walk_;
  std::optional<IndexEntry> ahead_;  ///< read, and not of the message before
  std::size_t seen_ = 0;
};

Result<std::optional<IndexPosition>> parse_cursor(const std::string& cursor) {
  if (cursor.empty()) return std::optional<IndexPosition>();
  const auto text = from_base64url(cursor);
  const auto space = text ? text->find(' ') : std::string::npos;
  if (space == std::string::npos || !MessageId::parse(std::string_view(*text).substr(0, space))) {
    return Error::invalid("this cursor is not one of ours");
  }
  const std::string time = text->substr(space + 1);
  if (time.empty() || time.size() > 15 || time.find_first_not_of("0123456789") != std::string::npos) {
    return Error::invalid("this cursor is not one of ours");
  }
  return std::optional(IndexPosition{redis::to_number(time), text->substr(0, space)});
}

std::string cursor_behind(const IndexPosition& position) {
  return to_base64url(position.id + " " + std::to_string(position.created));
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
    while (record.id.message().text() != groups[group].position.id) ++group;
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
  Groups read(redis, account, filter, std::move(*behind));
  SubmittedPage page;
  std::size_t deliveries = 0;
  do {
    auto groups = read.next_few();
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
  } while (read.seen() < filter.look_at);
  return page;
}

}  // namespace sealpost
