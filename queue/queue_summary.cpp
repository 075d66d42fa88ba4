// SPDX-License-Identifier: Apache-2.0
// Implements queue_summary.h.
#include "queue/queue_summary.h"

#include <algorithm>
#include <utility>

#include "base/encoding.h"
#include "base/redis/number.h"
#include "queue/keys.h"
#include "queue/permits.h"
#include "queue/scripts.h"

namespace sealpost {
namespace {

/// Names that a shard is asked for, the busiest first: with more of them, what waits for the others is not counted.
constexpr const char* most_names = "9999";
/// Domains that one run of the script counts: about two milliseconds of Redis' time.
constexpr std::size_t domains_at_once = 100;

template <class KeyOf>
Result<std::vector<redis::Reply>> ask_shards(redis::Client& redis, KeyOf command_of) {
  std::vector<redis::Command> commands;
  for (unsigned shard = 0; shard < shard_count; ++shard) commands.push_back(command_of(shard));
  return redis.pipeline(commands);
}

/// A tally over all shards.
struct Tally {
  std::map<std::string, std::size_t> of_all;
  std::vector<std::vector<std::string>> names_in{shard_count};

  /// The most first; of equal ones the first in the alphabet.
  [[nodiscard]] std::vector<std::pair<std::string, std::size_t>> largest(std::size_t rows) const {
    std::vector<std::pair<std::string, std::size_t>> all(of_all.begin(), of_all.end());
    std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
    if (all.size() > rows) all.resize(rows);
    return all;
  }
};

template <class KeyOf>
Result<Tally> read_tally(redis::Client& redis, KeyOf key_of) {
  auto replies = ask_shards(redis, [&](unsigned shard) {
    return redis::Command{"ZREVRANGE", key_of(shard), "0", most_names, "WITHSCORES"};
  });
  if (!replies) return replies.error();
  Tally tally;
  for (unsigned shard = 0; shard < shard_count; ++shard) {
    const auto& reply = (*replies)[shard];
    for (std::size_t i = 0; i + 1 < reply.size(); i += 2) {
      const std::string name(reply[i].text());
      tally.of_all[name] += static_cast<std::size_t>(redis::to_number(reply[i + 1].text()));
      tally.names_in[shard].push_back(name);
    }
  }
  return tally;
}

void keep_earlier(std::optional<Time>& earliest, std::int64_t milliseconds) {
  if (milliseconds == 0) return;
  const Time time = from_milliseconds(milliseconds);
  if (!earliest || time < *earliest) earliest = time;
}

/// From how many are younger than each bound to how many lie between two of them.
void add_ages(AgeCounts& ages, std::size_t all, const std::vector<std::size_t>& younger) {
  std::size_t before = 0;
  for (std::size_t i = 0; i < younger.size(); ++i) {
    ages.at(i) += younger[i] - std::min(younger[i], before);
    before = younger[i];
  }
  ages.back() += all - std::min(all, before);
}

/// What all nodes hold together.
std::size_t permits_in(const redis::ReplyView& values) {
  std::size_t held = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    held += static_cast<std::size_t>(std::max<std::int64_t>(redis::to_number(values[i].text()), 0));
  }
  return held;
}

/// Sums what the shards say of each of the domains.
class Destinations final {
 public:
  Destinations(redis::Client& redis, Time now) : redis_(redis), now_(now) {}

  Result<std::vector<DestinationSummary>> read(const Tally& tally, std::size_t rows) {
    for (const auto& [domain, count] : tally.largest(rows)) {
      places_[domain] = summaries_.size();
      summaries_.emplace_back().domain = domain;
    }
    for (unsigned shard = 0; shard < shard_count; ++shard) ask(shard, tally.names_in[shard]);
    auto replies = redis_.run_all(queue_scripts::destinations(), calls_);
    if (!replies) return replies.error();
    for (std::size_t i = 0; i < replies->size(); ++i) add((*replies)[i], asked_[i]);
    if (auto read = read_concurrency(); !read) return read.error();
    if (auto read = read_rates(); !read) return read.error();
    return std::move(summaries_);
  }

 private:
  static constexpr std::size_t fields = 7 + age_bounds.size();

  void ask(unsigned shard, const std::vector<std::string>& names) {
    std::vector<std::string> wanted;
    for (const auto& name : names) {
      if (places_.contains(name)) wanted.push_back(name);
    }
    for (std::size_t from = 0; from < wanted.size(); from += domains_at_once) {
      const auto first = wanted.begin() + static_cast<std::ptrdiff_t>(from);
      const auto last = first + static_cast<std::ptrdiff_t>(std::min(domains_at_once, wanted.size() - from));
      std::vector<std::string> arguments = {std::to_string(age_bounds.size())};
      for (const auto bound : age_bounds) arguments.push_back(std::to_string(to_milliseconds(now_ - bound)));
      arguments.insert(arguments.end(), first, last);
      calls_.push_back({{queue_keys::base(shard)}, std::move(arguments)});
      asked_.emplace_back(first, last);
    }
  }

  void add(const redis::Reply& reply, const std::vector<std::string>& domains) {
    for (std::size_t i = 0; i < domains.size() && (i + 1) * fields <= reply.size(); ++i) {
      DestinationSummary& row = summaries_[places_.at(domains[i])];
      const std::size_t at = i * fields;
      const auto number = [&](std::size_t field) { return static_cast<std::size_t>(reply[at + field].integer()); };
      row.queued += number(0);
      row.sending += number(1);
      row.deferred += number(2);
      row.held += number(3);
      keep_earlier(row.oldest, reply[at + 4].integer());
      keep_earlier(row.next_attempt, reply[at + 5].integer());
      keep_latest_error(row, reply[at + 6].text());
      std::vector<std::size_t> younger;
      for (std::size_t bound = 0; bound < age_bounds.size(); ++bound) younger.push_back(number(7 + bound));
      add_ages(row.ages, number(0) + number(1) + number(2) + number(3), younger);
    }
  }

  /// "time text"
  void keep_latest_error(DestinationSummary& row, std::string_view error) {
    const auto blank = error.find(' ');
    if (blank == std::string_view::npos) return;
    auto& latest = error_times_[row.domain];
    const std::int64_t time = redis::to_number(error);
    if (time < latest) return;
    latest = time;
    row.last_error = without_controls(error.substr(blank + 1), ' ');
  }

  Status read_concurrency() {
    std::vector<redis::Command> commands;
    for (const auto& row : summaries_) commands.push_back({"HVALS", queue_keys::permits(row.domain)});
    if (commands.empty()) return {};
    auto replies = redis_.pipeline(commands);
    if (!replies) return replies.error();
    for (std::size_t i = 0; i < summaries_.size(); ++i) {
      summaries_[i].concurrency = std::max(permits_in((*replies)[i]), summaries_[i].sending);
    }
    return {};
  }

  Status read_rates() {
    std::vector<std::string> names;
    for (const auto& row : summaries_) names.push_back(row.domain);
    auto rates = read_rates_of(redis_, RateOf::Domains, names, now_);
    if (!rates) return rates.error();
    for (std::size_t i = 0; i < summaries_.size(); ++i) summaries_[i].delivered_per_minute = (*rates)[i];
    return {};
  }

  redis::Client& redis_;
  Time now_;
  std::vector<DestinationSummary> summaries_;
  std::map<std::string, std::size_t> places_;
  std::map<std::string, std::int64_t> error_times_;
  std::vector<redis::Client::Call> calls_;
  std::vector<std::vector<std::string>> asked_;
};

Result<std::vector<AccountSummary>> read_accounts(redis::Client& redis, Time now, std::size_t rows) {
  auto tally = read_tally(redis, queue_keys::accounts);
  if (!tally) return tally.error();
  std::vector<AccountSummary> accounts;
  std::vector<std::string> names;
  for (const auto& [name, waiting] : tally->largest(rows)) {
    accounts.push_back({name, waiting, 0});
    names.push_back(name);
  }
  auto rates = read_rates_of(redis, RateOf::Accounts, names, now);
  if (!rates) return rates.error();
  for (std::size_t i = 0; i < accounts.size(); ++i) accounts[i].accepted_per_minute = (*rates)[i];
  return accounts;
}

Result<std::vector<ErrorSummary>> read_errors(redis::Client& redis, std::size_t rows) {
  auto classes = ask_shards(redis, [](unsigned shard) {
    return redis::Command{"SMEMBERS", queue_keys::errors(shard)};
  });
  if (!classes) return classes.error();
  std::vector<redis::Command> commands;
  std::vector<std::string> names;
  for (unsigned shard = 0; shard < shard_count; ++shard) {
    for (std::size_t i = 0; i < (*classes)[shard].size(); ++i) {
      names.emplace_back((*classes)[shard][i].text());
      commands.push_back({"ZCARD", queue_keys::error(shard, names.back())});
    }
  }
  Tally tally;
  if (!commands.empty()) {
    auto counts = redis.pipeline(commands);
    if (!counts) return counts.error();
    for (std::size_t i = 0; i < names.size(); ++i) {
      tally.of_all[names[i]] += static_cast<std::size_t>((*counts)[i].integer());
    }
  }
  std::vector<ErrorSummary> errors;
  for (auto& [name, count] : tally.largest(rows)) errors.push_back({without_controls(name, ' '), count});
  return errors;
}

}  // namespace

Result<QueueCounts> read_queue_counts(redis::Client& redis, Time now) {
  std::vector<redis::Command> commands;
  for (const auto state : all_delivery_states) {
    for (unsigned shard = 0; shard < shard_count; ++shard) {
      const std::string key = queue_keys::state(shard, state);
      commands.push_back({"ZCARD", key});
      if (!is_waiting(state)) continue;
      commands.push_back({"ZRANGE", key, "0", "0", "WITHSCORES"});
      for (const auto bound : age_bounds) {
        commands.push_back({"ZCOUNT", key, "(" + std::to_string(to_milliseconds(now - bound)), "+inf"});
      }
    }
  }
  auto replies = redis.pipeline(commands);
  if (!replies) return replies.error();
  QueueCounts counts;
  auto reply = replies->begin();
  for (const auto state : all_delivery_states) {
    for (unsigned shard = 0; shard < shard_count; ++shard) {
      const auto all = static_cast<std::size_t>((reply++)->integer());
      counts.states[state] += all;
      if (!is_waiting(state)) continue;
      if (reply->size() == 2) {
        const auto created = redis::to_number((*reply)[1].text());
        keep_earlier(counts.oldest, created);
        if (state != DeliveryState::Held) keep_earlier(counts.oldest_moving, created);
      }
      ++reply;
      std::vector<std::size_t> younger;
      for (std::size_t i = 0; i < age_bounds.size(); ++i) {
        younger.push_back(static_cast<std::size_t>((reply++)->integer()));
      }
      add_ages(counts.ages, all, younger);
    }
  }
  return counts;
}

Status share_concurrency(redis::Client& redis, const std::string& route, QueueSummary& summary) {
  auto held = redis.command({"HVALS", queue_keys::permits(route)});
  if (!held) return held.error();
  const std::size_t at_once = permits_in(*held);
  for (auto& row : summary.destinations) {
    if (row.domain != webhook_domain) row.concurrency = std::max(row.concurrency, at_once);
  }
  return {};
}

Result<DestinationSummary> read_destination(redis::Client& redis, Time now, const std::string& domain) {
  Tally tally;
  tally.of_all[domain] = 0;
  for (auto& names : tally.names_in) names.push_back(domain);
  auto rows = Destinations(redis, now).read(tally, 1);
  if (!rows) return rows.error();
  return std::move(rows->front());
}

Result<QueueSummary> read_queue_summary(redis::Client& redis, Time now, std::size_t rows) {
  auto counts = read_queue_counts(redis, now);
  if (!counts) return counts.error();
  auto rates = read_rates(redis, now);
  if (!rates) return rates.error();
  QueueSummary summary{std::move(*counts), *rates, {}, {}, 0, {}, {}};
  auto domains = read_tally(redis, queue_keys::domains);
  if (!domains) return domains.error();
  auto destinations = Destinations(redis, now).read(*domains, rows);
  if (!destinations) return destinations.error();
  summary.destinations = std::move(*destinations);
  summary.more_destinations = domains->of_all.size() - summary.destinations.size();
  auto accounts = read_accounts(redis, now, rows);
  if (!accounts) return accounts.error();
  summary.accounts = std::move(*accounts);
  auto errors = read_errors(redis, rows);
  if (!errors) return errors.error();
  summary.errors = std::move(*errors);
  return summary;
}

}  // namespace sealpost
