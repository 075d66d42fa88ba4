// SPDX-License-Identifier: Apache-2.0
// Implements doctor.h: Redis and what the relay keeps in it.
#include <charconv>
#include <cstdlib>

#include "base/openssl.h"
#include "queue/durability.h"
#include "relay/ctl/doctor.h"
#include "relay/services.h"

namespace sealpost::ctl {
namespace {

constexpr std::chrono::seconds probe_timeout{5};
constexpr std::int64_t tolerated_skew_s = 5;

/// "Redis: what is wrong; what to do", or the same of a disk, as queue/durability.h says it.
Finding from_sentence(const std::string& sentence) {
  const std::string prefix = "Redis: ";
  const bool of_redis = sentence.starts_with(prefix);
  const std::string check = of_redis ? "redis" : "files";
  const std::string text = of_redis ? sentence.substr(prefix.size()) : sentence;
  const auto semicolon = text.find("; ");
  if (semicolon == std::string::npos) return {check, text, {}};
  return {check, text.substr(0, semicolon), text.substr(semicolon + 2)};
}

bool check_durable(redis::Client& redis, Findings& findings) {
  auto found = check_durability(redis);
  if (!found) {
    findings.push_back({"redis", found.error().public_text, found.error().internal_detail});
    return false;
  }
  for (const auto& sentence : *found) findings.push_back(from_sentence(sentence));
  return true;
}

/// What makes the relay answer every MAIL with 452.
void check_room(const Settings& settings, redis::Client& redis, Findings& findings) {
  StoreWatermark watermark(redis, settings.redis.url.embedded() ? settings.relay.state_dir : std::string());
  const std::string reason = watermark.reason();
  if (reason.empty()) return;
  Finding finding = from_sentence(reason);
  finding.text += ": all mail is refused with 452";
  findings.push_back(std::move(finding));
}

/// What to look at when Redis does not answer a PING, by what it or the system said.
std::string hint_of(const Settings& settings, const std::string& detail) {
  for (const char* refusal : {"WRONGPASS", "NOAUTH", "NOPERM"}) {
    if (detail.find(refusal) != std::string::npos) return "look at redis.username and redis.password_file";
  }
  return settings.redis.url.embedded() ? "is sealpostd running?" : "look at redis.url";
}

/// Redis' clock is the other clock at hand.
void check_clock(redis::Client& redis, const Clock& clock, Findings& findings) {
  auto time = redis.command({"TIME"});
  if (!time || time->size() != 2) {
    findings.push_back({"clock", "Redis does not tell its time", time ? "" : time.error().internal_detail});
    return;
  }
  std::int64_t theirs = 0;
  const auto text = (*time)[0].text();
  std::from_chars(text.data(), text.data() + text.size(), theirs);
  const std::int64_t apart = std::abs(to_milliseconds(clock.now()) / 1000 - theirs);
  if (apart <= tolerated_skew_s) return;
  findings.push_back(
      {"clock", "this machine and Redis differ by " + std::to_string(apart) + " s", "run an NTP client on both"});
}

void check_contents(const Examination& examination, Services& services, Findings& findings) {
  auto stock = services.vault().pool_stock();
  if (!stock) {
    findings.push_back({"pool", stock.error().public_text, stock.error().internal_detail});
  } else if (*stock == 0 && examination.settings.keys.pool_size > 0) {
    findings.push_back({"pool", "it is empty: the first mail to a new address waits until a pair is made",
                        "sealpostd fills it while it runs; sealpostctl key pool fill N does it now"});
  }
  const auto end = not_after(services.authority().issuing());
  if (end && *end < examination.clock.now()) {
    findings.push_back({"ca", "the issuing CA has expired: an address without a key cannot be given one",
                        "look at this machine's clock: the CA is made for 30 years"});
  }
  auto accounts = services.accounts().list();
  if (!accounts) {
    findings.push_back({"accounts", accounts.error().public_text, accounts.error().internal_detail});
  } else if (accounts->empty()) {
    findings.push_back({"accounts", "there is none: nobody can submit mail", "sealpostctl account add"});
  }
}

/// Whether the file is fit to be used; what Redis says to it is another question.
bool check_master_key(const Examination& examination, Findings& findings) {
  SystemRandom random;
  auto key = MasterKey::load(examination.settings.keys.master_key_file, random);
  if (key) return true;
  findings.push_back({"master key", key.error().public_text,
                      "it must be the very file that this store was begun with, mode 0600 and sealpostd's own; bring "
                      "it back from its backup"});
  return false;
}

}  // namespace

void check_store(const Examination& examination, Findings& findings) {
  const Settings& settings = examination.settings;
  const bool key_is_fit = check_master_key(examination, findings);
  auto endpoint = redis_endpoint(settings);
  if (!endpoint) {
    findings.push_back({"redis", endpoint.error().public_text, "look at redis.url and redis.password_file"});
    return;
  }
  redis::Client redis(std::move(*endpoint), probe_timeout, 1);
  if (auto pong = redis.command({"PING"}); !pong) {
    findings.push_back({"redis", "cannot be reached (" + settings.redis.url.text + "): " + pong.error().internal_detail,
                        hint_of(settings, pong.error().internal_detail)});
    return;
  }
  if (!check_durable(redis, findings)) return;
  check_room(settings, redis, findings);
  check_clock(redis, examination.clock, findings);
  if (!key_is_fit) return;
  auto services = Services::open(settings, examination.clock, examination.log, Services::Role::Tool);
  if (!services) {
    findings.push_back({"master key", services.error().public_text, services.error().internal_detail});
    return;
  }
  check_contents(examination, **services, findings);
}

}  // namespace sealpost::ctl
