// SPDX-License-Identifier: Apache-2.0
// Implements durability.h.
#include "queue/durability.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "base/redis/number.h"

namespace sealpost {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds look_interval{500};
/// Scripts with flags, SET with PXAT and GET, PEXPIRETIME.
constexpr std::uint64_t least_version = 7;
constexpr std::uint64_t least_reserve = 64ULL << 20U;
constexpr std::uint64_t largest_reserve = 1ULL << 30U;

std::string info_field(std::string_view info, std::string_view name) {
  const std::string needle = "\n" + std::string(name) + ":";
  const auto at = info.find(needle);
  if (at == std::string_view::npos) return {};
  const auto value = info.substr(at + needle.size());
  return std::string(value.substr(0, value.find_first_of("\r\n")));
}

std::uint64_t number(std::string_view text) { return static_cast<std::uint64_t>(redis::to_number(text)); }

struct Wanted {
  std::string setting;
  std::string value;
};

const std::vector<Wanted>& wanted_settings() {
  static const std::vector<Wanted> wanted = {{"appendonly", "yes"},
                                             {"appendfsync", "always"},
                                             {"no-appendfsync-on-rewrite", "no"},
                                             {"maxmemory-policy", "noeviction"}};
  return wanted;
}

Result<std::map<std::string, std::string>> read_settings(redis::Client& redis) {
  std::vector<redis::Command> commands;
  for (const auto& wanted : wanted_settings()) commands.push_back({"CONFIG", "GET", wanted.setting});
  commands.push_back({"CONFIG", "GET", "maxmemory"});
  auto replies = redis.pipeline(commands);
  if (!replies) return replies.error();
  std::map<std::string, std::string> settings;
  for (const auto& reply : *replies) {
    if (reply.size() == 2) settings[std::string(reply[0].text())] = reply[1].text();
  }
  return settings;
}

}  // namespace

Result<std::vector<std::string>> check_durability(redis::Client& redis) {
  auto info = redis.command({"INFO"});
  if (!info) return info.error();
  std::vector<std::string> findings;
  auto settings = read_settings(redis);
  const bool forbidden = !settings && settings.error().internal_detail.find("NOPERM") != std::string::npos;
  if (!settings && !forbidden && settings.error().kind == ErrorKind::Temporary) return settings.error();
  if (!settings) {
    findings.emplace_back("Redis: CONFIG GET is not allowed, so durability cannot be checked; allow it for this user");
  } else {
    for (const auto& wanted : wanted_settings()) {
      const std::string& value = (*settings)[wanted.setting];
      if (value != wanted.value) {
        findings.push_back("Redis: " + wanted.setting + " is " + (value.empty() ? "unknown" : value) + "; set it to " +
                           wanted.value);
      }
    }
    if (number((*settings)["maxmemory"]) == 0) {
      findings.emplace_back("Redis: maxmemory is 0; set it, so that a full queue is refused instead of ending Redis");
    }
  }
  const std::string_view text = info->text();
  if (const auto version = info_field(text, "redis_version"); number(version) < least_version) {
    findings.push_back("Redis: its version is " + (version.empty() ? "unknown" : version) + "; 7 or newer is needed");
  }
  if (info_field(text, "role") != "master") findings.emplace_back("Redis: its role is not master; name the primary");
  if (info_field(text, "aof_last_write_status") == "err") {
    findings.emplace_back("Redis: its last write to the append-only file failed; look at its disk");
  }
  return findings;
}

Result<StoreMemory> read_memory(redis::Client& redis) {
  auto info = redis.command({"INFO", "memory"});
  if (!info) return info.error();
  return StoreMemory{number(info_field(info->text(), "used_memory")), number(info_field(info->text(), "maxmemory"))};
}

std::string StoreWatermark::reason() {
  const std::lock_guard lock(mutex_);
  if (steady_clock::now() - looked_ >= look_interval) {
    reason_ = look();
    looked_ = steady_clock::now();  // behind the look: who waited for a Redis that hangs takes this answer
  }
  return reason_;
}

/// A Redis that is away is not full: what follows will say 451.
std::string StoreWatermark::look() const {
  if (!disk_folder_.empty()) {
    std::error_code failed;
    const auto space = std::filesystem::space(disk_folder_, failed);
    const std::uint64_t reserve = std::clamp<std::uint64_t>(space.capacity / 100, least_reserve, largest_reserve);
    if (!failed && space.available < reserve) {
      return "the disk of relay.state_dir is nearly full: " + std::to_string(space.available >> 20U) + " MB of " +
             std::to_string(reserve >> 20U) + " MB in reserve are left; make room";
    }
  }
  const auto memory = read_memory(redis_);
  if (!memory || memory->admits(0)) return {};
  return "Redis: 80 % of maxmemory are in use; mail is taken again when the queue has drained, or raise maxmemory";
}

}  // namespace sealpost
