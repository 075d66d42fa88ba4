// SPDX-License-Identifier: Apache-2.0
// Implements queue_verify.h.
#include "queue/queue_verify.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string_view>

#include "base/message_id.h"
#include "base/redis/number.h"
#include "queue/keys.h"
#include "queue/scripts.h"

namespace sealpost {
namespace {

/// Of one run of the script: about a millisecond of Redis' time; for an account as many as it has deliveries in the
/// shard, some ten microseconds each.
constexpr std::size_t at_once = 50;
constexpr const char* scan_count = "500";
constexpr std::array<std::string_view, 7> index_kinds = {
    "state:", "domain:", "sender:", "recipient:", "account:", "error:", "due:"};
/// Of earlier layouts.
constexpr std::array old_sets = {"all", "held"};
constexpr std::array old_counts = {"0", "1", "2", "3", "4", "5", "6"};

/// "queue:{7}:state:0" is state:0 of shard 7.
struct QueueKey {
  unsigned shard = 0;
  std::string name;
};

std::optional<QueueKey> parse_key(std::string_view key) {
  constexpr std::string_view before = "queue:{";
  const auto after = key.find("}:");
  if (!key.starts_with(before) || after == std::string_view::npos || after > before.size() + 2) return std::nullopt;
  const auto shard = redis::to_number(key.substr(before.size()));
  if (shard < 0 || shard >= static_cast<std::int64_t>(shard_count)) return std::nullopt;
  return QueueKey{static_cast<unsigned>(shard), std::string(key.substr(after + 2))};
}

class Verifier final {
 public:
  Verifier(redis::Client& redis, const Clock& clock, bool repair) : redis_(redis), clock_(clock), repair_(repair) {}

  Result<QueueVerification> run(const std::function<void(std::size_t, std::size_t)>& progress) {
    auto all = redis_.command({"DBSIZE"});
    if (!all) return all.error();
    std::size_t seen = 0;
    std::string cursor = "0";
    do {
      auto page = redis_.command({"SCAN", cursor, "MATCH", "queue:{*}:*", "COUNT", scan_count});
      if (!page) return page.error();
      cursor = (*page)[0].text();
      if (auto checked = check_keys((*page)[1]); !checked) return checked.error();
      seen += static_cast<std::size_t>(redis::to_number(scan_count));
      progress(std::min(seen, static_cast<std::size_t>(all->integer())), static_cast<std::size_t>(all->integer()));
    } while (cursor != "0");
    if (auto checked = check_names(); !checked) return checked.error();
    return std::move(found_);
  }

 private:
  Status check_keys(const redis::ReplyView& keys) {
    std::map<unsigned, std::vector<std::string>> records;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      auto key = parse_key(keys[i].text());
      if (!key) continue;
      if (key->name.starts_with("delivery:")) {
        records[key->shard].push_back(key->name.substr(std::string_view("delivery:").size()));
      } else if (is_index(key->name)) {
        note_name(*key);
        if (auto checked = check_set(*key); !checked) return checked;
      }
    }
    for (const auto& [shard, ids] : records) {
      found_.deliveries += ids.size();
      if (auto checked = check(shard, "records", {}, ids); !checked) return checked;
    }
    return {};
  }

  static bool is_index(std::string_view name) {
    return name == "finished" || std::any_of(index_kinds.begin(), index_kinds.end(),
                                             [&](std::string_view kind) { return name.starts_with(kind); });
  }

  /// What is counted or listed by name beside the set.
  void note_name(const QueueKey& key) {
    const auto behind = [&](std::string_view kind) { return key.name.substr(kind.size()); };
    auto& names = names_[key.shard];
    if (key.name.starts_with("domain:")) {
      names["domains"].insert(key.name.substr(7, key.name.rfind(':') - 7));
    } else if (key.name.starts_with("account:")) {
      names["accounts"].insert(behind("account:"));
    } else if (key.name.starts_with("error:")) {
      names["errors"].insert(behind("error:"));
    } else if (key.name.starts_with("due:")) {
      names["destinations"].insert(behind("due:"));
    }
  }

  Status check_set(const QueueKey& key) {
    std::string cursor = "0";
    do {
      auto page = redis_.command({"ZSCAN", queue_keys::base(key.shard) + key.name, cursor, "COUNT", scan_count});
      if (!page) return page.error();
      cursor = (*page)[0].text();
      std::vector<std::string> members;
      for (std::size_t i = 0; i + 1 < (*page)[1].size(); i += 2) members.emplace_back((*page)[1][i].text());
      found_.entries += members.size();
      if (auto checked = check(key.shard, "members", {key.name}, members); !checked) return checked;
    } while (cursor != "0");
    return {};
  }

  /// Those that have a set, and those that are named without one.
  Status check_names() {
    for (unsigned shard = 0; shard < shard_count; ++shard) {
      auto named = redis_.pipeline({{"ZRANGE", queue_keys::domains(shard), "0", "-1"},
                                    {"ZRANGE", queue_keys::accounts(shard), "0", "-1"},
                                    {"SMEMBERS", queue_keys::errors(shard)},
                                    {"ZRANGE", queue_keys::destinations(shard, Schedule::Mail), "0", "-1"},
                                    {"ZRANGE", queue_keys::destinations(shard, Schedule::Webhooks), "0", "-1"}});
      if (!named) return named.error();
      auto& names = names_[shard];
      constexpr std::array kinds = {"domains", "accounts", "errors", "destinations", "destinations"};
      for (std::size_t kind = 0; kind < kinds.size(); ++kind) {
        for (std::size_t i = 0; i < (*named)[kind].size(); ++i) names[kinds.at(kind)].emplace((*named)[kind][i].text());
      }
      for (const auto& [what, some] : names) {
        if (auto checked = check(shard, what, {}, {some.begin(), some.end()}); !checked) return checked;
      }
    }
    return {};
  }

  Status check(unsigned shard, const std::string& what, const std::vector<std::string>& first,
               const std::vector<std::string>& names) {
    std::vector<redis::Client::Call> calls;
    for (std::size_t from = 0; from < names.size(); from += at_once) {
      std::vector<std::string> arguments = {what, repair_ ? "1" : "0", std::to_string(to_milliseconds(clock_.now()))};
      arguments.insert(arguments.end(), first.begin(), first.end());
      const auto begin = names.begin() + static_cast<std::ptrdiff_t>(from);
      arguments.insert(arguments.end(), begin,
                       begin + static_cast<std::ptrdiff_t>(std::min(at_once, names.size() - from)));
      calls.push_back({{queue_keys::base(shard)}, std::move(arguments)});
    }
    if (calls.empty()) return {};
    auto replies = redis_.run_all(queue_scripts::verify(), calls);
    if (!replies) return replies.error();
    for (const auto& faults : *replies) {
      found_.faults += faults.size();
      for (std::size_t i = 0; i < faults.size() && found_.told.size() < QueueVerification::told_at_most; ++i) {
        found_.told.push_back("shard " + std::to_string(shard) + ": " + std::string(faults[i].text()));
      }
    }
    return {};
  }

  redis::Client& redis_;
  const Clock& clock_;
  bool repair_;
  QueueVerification found_;
  std::map<unsigned, std::map<std::string, std::set<std::string>>> names_;
};

}  // namespace

Result<QueueVerification> verify_queue(redis::Client& redis, const Clock& clock, bool repair,
                                       const std::function<void(std::size_t, std::size_t)>& progress) {
  return Verifier(redis, clock, repair).run(progress);
}

Result<bool> has_earlier_layout(redis::Client& redis) {
  bool found = false;
  for (unsigned shard = 0; shard < shard_count && !found; ++shard) {
    auto exists = redis.command({"EXISTS", queue_keys::base(shard) + old_sets.front()});
    if (!exists) return exists.error();
    found = exists->integer() == 1;
  }
  return found;
}

Status move_to_layout(redis::Client& redis, const Clock& clock) {
  // A scan need not come by what is made meanwhile: the second one counts what the first one made.
  for (int i = 0; i < 2; ++i) {
    auto moved = verify_queue(redis, clock, true, [](std::size_t, std::size_t) {});
    if (!moved) return moved.error();
  }
  std::vector<redis::Command> commands;
  for (unsigned shard = 0; shard < shard_count; ++shard) {
    for (const auto* set : old_sets) commands.push_back({"UNLINK", queue_keys::base(shard) + set});
    redis::Command counts = {"HDEL", queue_keys::counts(shard)};
    counts.insert(counts.end(), old_counts.begin(), old_counts.end());
    commands.push_back(std::move(counts));
  }
  auto removed = redis.pipeline(commands);
  return removed ? Status() : Status(removed.error());
}

}  // namespace sealpost
