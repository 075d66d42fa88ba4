// SPDX-License-Identifier: Apache-2.0
// Implements suppressions.h: a row per address, and two indexes of each slot's rows.
#include "queue/suppressions.h"

#include <algorithm>
#include <msgpack.hpp>

#include "base/encoding.h"
#include "base/unpack.h"
#include "queue/scripts.h"

namespace sealpost {
namespace {

constexpr unsigned slot_count = 16;
/// Rows that a slot keeps: about 500 octets each.
constexpr std::string_view most_rows = "2048";
constexpr std::size_t max_response = 120;
constexpr int row_version = 1;

std::string base(unsigned slot) { return "suppression:{" + std::to_string(slot) + "}:"; }
std::string base_of(std::string_view address_key) { return base(redis::slot_of(address_key) % slot_count); }

/// Nothing for what we could not have written: then mail to the address is not refused.
std::optional<BounceRun> decode(const std::string& address, std::string_view octets) {
  try {
    const auto handle = unpack_record(octets);
    const auto& object = handle.get();
    if (object.type != msgpack::type::ARRAY || object.via.array.size < 6) return std::nullopt;
    const auto* fields = object.via.array.ptr;
    if (fields[0].as<int>() != row_version) return std::nullopt;
    BounceRun run{address, fields[1].as<std::uint32_t>(), from_milliseconds(fields[2].as<std::int64_t>()), {}, {}};
    const auto until = fields[3].as<std::int64_t>();
    if (until != 0) run.until = from_milliseconds(until);
    // It goes into replies and onto terminals, whoever wrote it.
    run.response = printable_ascii(fields[4].as<std::string>().substr(0, max_response));
    return run;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

bool is_suppressed(const std::optional<BounceRun>& run, Time now) { return run && run->until && *run->until > now; }

}  // namespace

/// Addresses of one slot share a command, and all commands a round trip.
Result<std::vector<std::optional<BounceRun>>> Suppressions::read(const std::vector<std::string>& addresses) {
  std::vector<std::optional<BounceRun>> runs(addresses.size());
  std::vector<redis::Command> commands;
  std::vector<std::vector<std::size_t>> places;  // of each command's keys
  std::vector<std::size_t> command_of(slot_count, slot_count);
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const unsigned slot = redis::slot_of(addresses[i]) % slot_count;
    if (command_of[slot] == slot_count) {
      command_of[slot] = commands.size();
      commands.push_back({"MGET"});
      places.emplace_back();
    }
    commands[command_of[slot]].push_back(base(slot) + "run:" + addresses[i]);
    places[command_of[slot]].push_back(i);
  }
  if (commands.empty()) return runs;
  auto replies = redis_.pipeline(commands);
  if (!replies) return replies.error();
  for (std::size_t c = 0; c < commands.size(); ++c) {
    for (std::size_t k = 0; k < places[c].size() && k < (*replies)[c].size(); ++k) {
      const auto row = (*replies)[c][k];
      if (!row.is_nil()) runs[places[c][k]] = decode(addresses[places[c][k]], row.text());
    }
  }
  return runs;
}

Result<std::vector<std::optional<BounceRun>>> Suppressions::look(std::span<const EmailAddress> addresses) {
  if (settings_.after == 0) return std::vector<std::optional<BounceRun>>(addresses.size());
  std::vector<std::string> names;
  for (const auto& address : addresses) names.push_back(address.directory_key());
  auto runs = read(names);
  if (!runs) return runs;
  // By our clock the time may be over before it is by that of Redis.
  for (auto& run : *runs) {
    if (run && run->until && !is_suppressed(run, clock_.now())) run.reset();
  }
  return runs;
}

Status Suppressions::count(const EmailAddress& address, const DeliveryId& delivery, std::string_view response) {
  if (settings_.after == 0) return {};
  auto counted = redis_.run(queue_scripts::suppress_count(), {base_of(address.directory_key())},
                            {address.directory_key(), delivery.text(), std::to_string(to_milliseconds(clock_.now())),
                             std::to_string(settings_.after), std::to_string(settings_.lasts.count()),
                             printable_ascii(response.substr(0, max_response)), std::string(most_rows)});
  if (!counted) return counted.error();
  return {};
}

Result<bool> Suppressions::clear(const EmailAddress& address) {
  auto cleared =
      redis_.run(queue_scripts::suppress_clear(), {base_of(address.directory_key())}, {address.directory_key()});
  if (!cleared) return cleared.error();
  return cleared->integer() > 0;
}

Result<SuppressionPage> Suppressions::list(std::size_t limit, const std::string& cursor) {
  const auto after = from_base64url(cursor);
  if (!after) return Error::invalid("cursor: not one that a listing gave");
  std::vector<redis::Command> commands;
  for (unsigned slot = 0; slot < slot_count; ++slot) {
    commands.push_back({"ZRANGEBYLEX", base(slot) + "suppressed", after->empty() ? "-" : "(" + *after, "+", "LIMIT",
                        "0", std::to_string(limit + 1)});
  }
  auto replies = redis_.pipeline(commands);
  if (!replies) return replies.error();
  std::vector<std::string> names;
  for (const auto& reply : *replies) {
    for (std::size_t i = 0; i < reply.size(); ++i) names.emplace_back(reply[i].text());
  }
  std::sort(names.begin(), names.end());
  SuppressionPage page;
  if (names.size() > limit) {
    names.resize(limit);
    page.cursor = to_base64url(names.back());
  }
  auto runs = read(names);
  if (!runs) return runs.error();
  for (auto& run : *runs) {
    if (is_suppressed(run, clock_.now())) page.suppressions.push_back(std::move(*run));
  }
  return page;
}

Result<SuppressionPage> Suppressions::find(const EmailAddress& address) {
  auto runs = read({address.directory_key()});
  if (!runs) return runs.error();
  SuppressionPage page;
  if (is_suppressed(runs->front(), clock_.now())) page.suppressions.push_back(std::move(*runs->front()));
  return page;
}

Result<bool> clear_suppression(Suppressions& suppressions, AuditTrail& audit, const Clock& clock,
                               const EmailAddress& address, std::string_view actor) {
  auto cleared = suppressions.clear(address);
  if (!cleared || !*cleared) return cleared;
  auto noted = audit.append(AuditTrail::operators_shard,
                            {clock.now(), std::string(actor), "suppression.clear", address.directory_key(), {}});
  if (!noted) return noted.error();
  return true;
}

}  // namespace sealpost
