// SPDX-License-Identifier: Apache-2.0
// Implements delivery_search.h.
#include "queue/delivery_search.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

#include "base/email_address.h"
#include "base/encoding.h"
#include "queue/delivery_records.h"
#include "queue/keys.h"

namespace sealpost {
namespace {

constexpr std::size_t batch = 200;

std::vector<DeliveryState> states_of(const DeliveryFilter& filter) {
  if (filter.state) return {*filter.state};
  std::vector<DeliveryState> states;
  for (const auto state : all_delivery_states) {
    if (!filter.waiting || is_waiting(state)) states.push_back(state);
  }
  return states;
}

WalkRange range_of(const DeliveryFilter& filter, Time now, const std::optional<IndexPosition>& behind) {
  WalkRange range{filter.order, behind, {}, {}};
  if (filter.older_than) range.until = to_milliseconds(now - *filter.older_than);
  if (filter.newer_than) range.from = to_milliseconds(now - *filter.newer_than);
  return range;
}

template <class SetsOf>
std::vector<std::vector<std::string>> of_all_shards(const SetsOf& sets_of) {
  std::vector<std::vector<std::string>> sets;
  for (unsigned shard = 0; shard < shard_count; ++shard) sets.push_back(sets_of(shard));
  return sets;
}

/// Of each shard the classes of failures whose replies may contain the text.
Result<std::vector<std::vector<std::string>>> error_classes(redis::Client& redis, const std::string& part) {
  std::vector<redis::Command> commands;
  for (unsigned shard = 0; shard < shard_count; ++shard) commands.push_back({"SMEMBERS", queue_keys::errors(shard)});
  auto replies = redis.pipeline(commands);
  if (!replies) return replies.error();
  std::vector<std::vector<std::string>> classes(shard_count);
  for (unsigned shard = 0; shard < shard_count; ++shard) {
    const auto& reply = (*replies)[shard];
    for (std::size_t i = 0; i < reply.size(); ++i) {
      if (class_may_contain(reply[i].text(), part)) classes[shard].emplace_back(reply[i].text());
    }
  }
  return classes;
}

}  // namespace

Result<std::vector<DeliverySearch::Family>> DeliverySearch::families_of(redis::Client& redis,
                                                                        const DeliveryFilter& filter) {
  using queue_keys::account, queue_keys::recipient, queue_keys::sender;
  std::vector<Family> families;
  const auto one = [&families](auto name_of, std::string name) {
    families.push_back(
        [name_of, name = std::move(name)](unsigned shard) { return std::vector<std::string>{name_of(shard, name)}; });
  };
  if (filter.recipient) {
    auto address = EmailAddress::parse(*filter.recipient);
    one(recipient, address ? address->directory_key() : *filter.recipient);
  }
  if (filter.account) one(account, *filter.account);
  if (filter.sender) one(sender, filter.sender->empty() ? "<>" : ascii_lower(*filter.sender));
  if (filter.error) {
    auto classes = error_classes(redis, *filter.error);
    if (!classes) return classes.error();
    families.push_back([classes = std::move(*classes)](unsigned shard) {
      std::vector<std::string> sets;
      for (const auto& name : classes[shard]) sets.push_back(queue_keys::error(shard, name));
      return sets;
    });
  }
  if (filter.domain || filter.state || filter.waiting || families.empty()) {
    families.push_back([states = states_of(filter), domain = filter.domain](unsigned shard) {
      std::vector<std::string> sets;
      sets.reserve(states.size());
      for (const auto state : states) {
        sets.push_back(domain ? queue_keys::domain(shard, ascii_lower(*domain), state)
                              : queue_keys::state(shard, state));
      }
      return sets;
    });
  }
  return families;
}

Status DeliverySearch::sort_by_size(redis::Client& redis, std::vector<Family>& families, const WalkRange& range) {
  if (families.size() < 2) return {};
  const std::string from = range.from ? std::to_string(*range.from) : "-inf";
  const std::string until = range.until ? std::to_string(*range.until) : "+inf";
  std::vector<std::pair<std::int64_t, Family>> sized;
  for (auto& family : families) {
    std::vector<redis::Command> commands;
    for (const auto& sets : of_all_shards(family)) {
      for (const auto& set : sets) commands.push_back({"ZCOUNT", set, from, until});
    }
    if (commands.empty()) {
      sized.emplace_back(0, std::move(family));
      continue;
    }
    auto counts = redis.pipeline(commands);
    if (!counts) return counts.error();
    const auto total =
        std::accumulate(counts->begin(), counts->end(), std::int64_t{0},
                        [](std::int64_t sum, const redis::Reply& count) { return sum + count.integer(); });
    sized.emplace_back(total, std::move(family));
  }
  std::stable_sort(sized.begin(), sized.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  families.clear();
  for (auto& [size, family] : sized) families.push_back(std::move(family));
  return {};
}

DeliverySearch::DeliverySearch(redis::Client& redis, DeliveryFilter filter, Time now, const Family& walked,
                               std::vector<Family> looked_up, const WalkRange& range)
    : redis_(&redis),
      filter_(std::move(filter)),
      now_(now),
      walk_(redis, of_all_shards(walked), range),
      looked_up_(std::move(looked_up)) {}

Result<DeliverySearch> DeliverySearch::begin(redis::Client& redis, const DeliveryFilter& filter, Time now,
                                             const std::optional<IndexPosition>& behind) {
  auto families = families_of(redis, filter);
  if (!families) return families.error();
  const WalkRange range = range_of(filter, now, behind);
  if (auto sorted = sort_by_size(redis, *families, range); !sorted) return sorted.error();
  const Family walked = std::move(families->front());
  families->erase(families->begin());
  return DeliverySearch(redis, filter, now, walked, std::move(*families), range);
}

Result<std::vector<FoundDelivery>> DeliverySearch::next() {
  auto entries = walk_.next_few(batch);
  if (!entries) return entries.error();
  ended_ = entries->size() < batch;
  seen_ += entries->size();
  if (!entries->empty()) last_ = entries->back().position;
  for (const auto& family : looked_up_) {
    if (auto kept = keep_those_in(family, *entries); !kept) return kept.error();
  }
  std::vector<DeliveryId> ids;
  for (const auto& entry : *entries) ids.push_back(entry.id);
  auto records = read_delivery_records(*redis_, ids);
  if (!records) return records.error();
  std::vector<FoundDelivery> found;
  auto entry = entries->begin();
  for (auto& record : *records) {
    while (entry->id != record.id) ++entry;
    if (matches(filter_, record, now_)) found.push_back({std::move(entry->position), std::move(record)});
  }
  return found;
}

Status DeliverySearch::keep_those_in(const Family& family, std::vector<IndexEntry>& entries) {
  std::map<unsigned, std::vector<std::size_t>> by_shard;
  for (std::size_t i = 0; i < entries.size(); ++i) by_shard[entries[i].id.message().shard()].push_back(i);
  std::vector<redis::Command> commands;
  std::vector<const std::vector<std::size_t>*> asked;
  std::vector<bool> stands(entries.size(), false);
  for (const auto& [shard, places] : by_shard) {
    const auto sets = family(shard);
    if (sets.size() == 1) {
      redis::Command command = {"ZMSCORE", sets.front()};
      for (const std::size_t place : places) command.push_back(entries[place].position.id);
      commands.push_back(std::move(command));
      asked.push_back(&places);
    } else {  // it might move from one to another between two looks: its record decides
      for (const std::size_t place : places) stands[place] = !sets.empty();
    }
  }
  if (!commands.empty()) {
    auto replies = redis_->pipeline(commands);
    if (!replies) return replies.error();
    for (std::size_t i = 0; i < asked.size(); ++i) {
      for (std::size_t j = 0; j < asked[i]->size(); ++j) {
        if (!(*replies)[i][j].is_nil()) stands[(*asked[i])[j]] = true;
      }
    }
  }
  std::vector<IndexEntry> kept;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (stands[i]) kept.push_back(std::move(entries[i]));
  }
  entries = std::move(kept);
  return {};
}

}  // namespace sealpost
