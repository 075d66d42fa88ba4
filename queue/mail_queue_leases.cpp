// SPDX-License-Identifier: Apache-2.0
// Implements mail_queue.h: what is claimed, how a process keeps its leases, and how those of a dead one are taken back.
#include <algorithm>
#include <numeric>

#include "base/redis/number.h"
#include "queue/keys.h"
#include "queue/mail_queue.h"
#include "queue/scripts.h"

namespace sealpost {
namespace {

/// A delivery whose workers died this often is set aside for a human.
constexpr std::string_view max_deaths = "3";
/// Without a hint, all shards are looked at this often: other nodes' mail, and what fell due by time.
constexpr std::chrono::milliseconds sweep_interval{500};
constexpr std::uint32_t every_shard = (1U << shard_count) - 1;
/// Due destinations are looked at in pages, the next claim going on where one that found something stopped: those
/// without room hide nobody, and cost each claim little.
constexpr std::size_t page_size = 64;
constexpr int max_pages = 64;

std::string lease_name(std::string_view id, std::string_view fence) {
  return std::string(id) + " " + std::string(fence);
}

/// The names on a page that are due: the first ones, as they are in the order of their times.
std::vector<std::string> due_on(const redis::ReplyView& page, Time now) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i + 1 < page.size(); i += 2) {
    if (redis::to_number(page[i + 1].text()) > to_milliseconds(now)) break;
    names.emplace_back(page[i].text());
  }
  return names;
}

std::string lease_name(const Claim& claim) { return lease_name(claim.delivery.id.text(), std::to_string(claim.fence)); }

}  // namespace

/// A destination for which something may be claimed.
struct MailQueue::DueDestination {
  std::string name;
  std::size_t room;
  bool doubtful;
};

std::map<std::string, std::size_t> MailQueue::in_flight() {
  const std::lock_guard lock(mutex_);
  return in_flight_;
}

Result<std::vector<Claim>> MailQueue::claim(std::size_t max, const ClaimLimits& limits) {
  std::vector<Claim> claims;
  const auto shards = max == 0 ? std::vector<unsigned>() : shards_to_look_at();
  if (shards.empty()) return claims;
  std::vector<redis::Command> first_pages;
  for (const unsigned shard : shards) {
    passed_ &= ~(1U << shard);
    first_pages.push_back(page_of(shard, looked_[shard]));
  }
  auto pages = redis_.pipeline(first_pages);
  Status done = pages ? Status() : Status(pages.error());
  for (std::size_t i = 0; i < shards.size(); ++i) {
    if (done && claims.size() < max) done = claim_in(shards[i], std::move((*pages)[i]), max, limits, claims);
    if (!done || claims.size() >= max) hints_ |= 1U << shards[i];
  }
  if (!done && claims.empty()) return done.error();
  return claims;
}

/// Those with a hint, or all when the last time is too long ago; none is always the first to be served.
std::vector<unsigned> MailQueue::shards_to_look_at() {
  std::uint32_t wanted = hints_.exchange(0);
  const auto now = std::chrono::steady_clock::now();
  if (now - last_sweep_ >= sweep_interval) {
    wanted = every_shard;
    last_sweep_ = now;
  }
  std::vector<unsigned> shards;
  for (unsigned shard = 0; shard < shard_count; ++shard) {
    if ((wanted >> shard & 1U) != 0) shards.push_back(shard);
  }
  if (shards.empty()) return shards;
  std::rotate(shards.begin(), shards.begin() + static_cast<unsigned char>(random_.octets(1)[0]) % shards.size(),
              shards.end());
  return shards;
}

redis::Command MailQueue::page_of(unsigned shard, std::size_t from) const {
  return {"ZRANGE", queue_keys::destinations(shard, schedule_), std::to_string(from),
          std::to_string(from + page_size - 1), "WITHSCORES"};
}

Status MailQueue::claim_in(unsigned shard, redis::Reply page, std::size_t max, const ClaimLimits& limits,
                           std::vector<Claim>& claims) {
  std::size_t& from = looked_[shard];
  for (int pages = 1; claims.size() < max;) {
    auto names = due_on(page, clock_.now());
    const bool last_page = names.size() < page_size;
    auto due = with_room(shard, std::move(names), limits);
    if (!due.empty()) {
      // Where more than can be served now wait, it is not always the same ones that are.
      const auto draw = random_.octets(2);
      const auto first = (static_cast<unsigned char>(draw[0]) << 8U | static_cast<unsigned char>(draw[1])) % due.size();
      std::rotate(due.begin(), due.begin() + static_cast<std::ptrdiff_t>(first), due.end());
      auto all_read = take(shard, due, max, limits, claims);
      if (!all_read) return all_read.error();
      if (!*all_read) continue;  // what cannot be read took another one's place
    }
    if (!last_page || from > 0) hints_ |= 1U << shard;  // there is more to look at
    from = last_page ? 0 : from + page_size;
    if (last_page || !due.empty() || ++pages > max_pages) break;
    auto next = redis_.command(page_of(shard, from));
    if (!next) return next.error();
    page = std::move(*next);
  }
  return {};
}

std::vector<MailQueue::DueDestination> MailQueue::with_room(unsigned shard, std::vector<std::string> names,
                                                            const ClaimLimits& limits) {
  const std::lock_guard lock(mutex_);
  const bool doubtful_have_room = room_of_doubtful(limits) > 0;
  std::vector<DueDestination> due;
  for (auto& name : names) {
    const auto limit = limits.of(name);
    const auto flying = in_flight_.find(name);
    const std::size_t taken = flying == in_flight_.end() ? 0 : flying->second;
    if (taken >= limit.most || (limit.doubtful && !doubtful_have_room)) {
      passed_ |= 1U << shard;
      continue;
    }
    due.push_back({std::move(name), limit.most - taken, limit.doubtful});
  }
  return due;
}

/// How many more of the doubtful ones may be in flight. The mutex is held.
std::size_t MailQueue::room_of_doubtful(const ClaimLimits& limits) const {
  std::size_t left = limits.doubtful;
  for (const auto& [destination, count] : in_flight_) {
    if (limits.of(destination).doubtful) left -= std::min(left, count);
  }
  return left;
}

/// False when something could not be read, and was set aside.
Result<bool> MailQueue::take(unsigned shard, const std::vector<DueDestination>& due, std::size_t max,
                             const ClaimLimits& limits, std::vector<Claim>& claims) {
  std::size_t doubtful_room = 0;
  {
    const std::lock_guard lock(mutex_);
    doubtful_room = room_of_doubtful(limits);
  }
  std::vector<std::string> arguments = {std::to_string(to_milliseconds(clock_.now())), incarnation_,
                                        std::to_string(max - claims.size()), std::to_string(doubtful_room)};
  for (const auto& destination : due) {
    arguments.push_back(destination.name);
    arguments.push_back(std::to_string(destination.room));
    arguments.emplace_back(destination.doubtful ? "1" : "0");
  }
  auto reply = redis_.run(queue_scripts::claim(), {queue_keys::base(shard)}, arguments);
  if (!reply) return reply.error();
  // What has used its room up may have more that waits.
  if ((*reply)[0].integer() == 1) passed_ |= 1U << shard;
  bool all_read = true;
  for (std::size_t row = 1; row + 3 < reply->size(); row += 4) {
    auto claim = read_claim(*reply, row);
    if (!claim) {
      set_aside(shard, (*reply)[row].text(), (*reply)[row + 1].integer(), claim.error());
      all_read = false;
      continue;
    }
    const std::lock_guard lock(mutex_);
    ++in_flight_[claim->delivery.destination];
    in_hand_.insert(lease_name(*claim));
    claims.push_back(std::move(*claim));
  }
  return all_read;
}

Result<Claim> MailQueue::read_claim(const redis::Reply& reply, std::size_t row) {
  const std::int64_t fence = reply[row + 1].integer();
  if (fence <= 0) return Error::internal("queue record: cannot be unpacked");
  auto id = DeliveryId::parse(reply[row].text());
  if (!id) return id.error();
  auto message = decode_message(reply[row + 2].text());
  if (!message) return message.error();
  auto stored = decode_delivery(*id, reply[row + 3].text(), *message);
  if (!stored) return stored.error();
  if (!message->wrapped_envid.empty()) {
    auto envid = wrapper_.unwrap(Purpose::EnvelopeId, id->message().text(), message->wrapped_envid);
    if (!envid) return envid.error();
    stored->record.envid = std::string(view(*envid));
  }
  return Claim{std::move(stored->record), static_cast<std::uint64_t>(fence), std::move(*message), stored->place};
}

/// One record that somebody altered, or that another version wrote, must not keep the others waiting.
void MailQueue::set_aside(unsigned shard, std::string_view id, std::int64_t fence, const Error& why) {
  log_.failure("queue.record_unreadable", why, {{"delivery", std::string(id)}});
  if (fence <= 0) return;
  auto held =
      redis_.run(queue_scripts::settle(), {queue_keys::base(shard)},
                 {incarnation_, std::string(id), std::to_string(fence), "held",
                  std::to_string(to_milliseconds(clock_.now())), "0", "its records in the store cannot be read"});
  // The lease is one that nobody knows, and is given back.
  if (!held) log_.failure("queue.not_set_aside", held.error(), {{"delivery", std::string(id)}});
}

void MailQueue::forget(const Claim& claim) {
  const std::lock_guard lock(mutex_);
  if (in_hand_.erase(lease_name(claim)) == 0) return;
  const auto found = in_flight_.find(claim.delivery.destination);
  if (found == in_flight_.end()) return;
  hints_ |= passed_.exchange(0);  // a place became free
  if (--found->second == 0) in_flight_.erase(found);
}

Status MailQueue::heartbeat() {
  std::vector<redis::Client::Call> calls;
  for (unsigned shard = 0; shard < shard_count; ++shard) calls.push_back({{queue_keys::base(shard)}, {incarnation_}});
  auto replies = redis_.run_all(queue_scripts::heartbeat(), calls);
  if (!replies) return replies.error();
  return give_back_unknown();
}

/// Unknown at two heartbeats in a row: a claim whose reply is still on its way is known by then.
Status MailQueue::give_back_unknown() {
  std::vector<redis::Command> commands;
  for (unsigned shard = 0; shard < shard_count; ++shard) {
    commands.push_back({"HGETALL", queue_keys::base(shard) + "leases:" + incarnation_});
  }
  auto leases = redis_.pipeline(commands);
  if (!leases) return leases.error();
  std::set<std::string> unknown;
  std::vector<redis::Client::Call> calls;
  {
    const std::lock_guard lock(mutex_);
    for (unsigned shard = 0; shard < shard_count; ++shard) {
      const auto& reply = (*leases)[shard];
      for (std::size_t i = 0; i + 1 < reply.size(); i += 2) {
        std::string name = lease_name(reply[i].text(), reply[i + 1].text());
        if (in_hand_.contains(name)) continue;
        if (!unknown_.contains(name)) {
          unknown.insert(std::move(name));
          continue;
        }
        calls.push_back({{queue_keys::base(shard)},
                         {incarnation_, std::string(reply[i].text()), std::string(reply[i + 1].text()), "release",
                          std::to_string(to_milliseconds(clock_.now())), "0", ""}});
      }
    }
    unknown_ = std::move(unknown);
  }
  if (calls.empty()) return {};
  log_.warning("queue.leases_given_back", {{"deliveries", calls.size()}});
  hints_ = every_shard;
  auto released = redis_.run_all(queue_scripts::settle(), calls);
  if (!released) return released.error();
  return {};
}

Result<std::size_t> MailQueue::reap() {
  auto info = redis_.command({"INFO", "server"});
  if (!info) return info.error();
  constexpr std::string_view field = "uptime_in_seconds:";
  const auto found = info->text().find(field);
  if (found == std::string_view::npos) return Error::internal("redis: INFO names no uptime");
  const std::int64_t uptime = redis::to_number(info->text().substr(found + field.size()));
  std::vector<redis::Client::Call> calls;
  for (unsigned shard = 0; shard < shard_count; ++shard) {
    calls.push_back({{queue_keys::base(shard)},
                     {std::to_string(silence_.count()), std::to_string(uptime),
                      std::to_string(to_milliseconds(clock_.now())), std::string(max_deaths)}});
  }
  auto replies = redis_.run_all(queue_scripts::reap(), calls);
  if (!replies) return replies.error();
  const auto taken = std::accumulate(
      replies->begin(), replies->end(), std::size_t{0},
      [](std::size_t sum, const redis::Reply& reply) { return sum + static_cast<std::size_t>(reply.integer()); });
  if (taken > 0) {
    hints_ = every_shard;
    log_.warning("queue.reaped", {{"deliveries", taken}});
  }
  return taken;
}

}  // namespace sealpost
