// SPDX-License-Identifier: Apache-2.0
// Implements doctor.h: Redis and what the relay keeps in it.
#include <charconv>
#include <cstdlib>

#include "queue/durability.h"
#include "relay/ctl/doctor.h"
#include "relay/services.h"

namespace sealpost::ctl {
namespace {

constexpr std::chrono::seconds redis_timeout{5};
constexpr std::int64_t tolerated_skew_s = 5;

/// "Redis: what is wrong; what to do", as check_durability says it.
Finding from_sentence(const std::string& sentence) {
  const std::string prefix = "Redis: ";
  const std::string text = sentence.starts_with(prefix) ? sentence.substr(prefix.size()) : sentence;
  const auto semicolon = text.find("; ");
  if (semicolon == std::string::npos) return {"redis", text, {}};
  return {"redis", text.substr(0, semicolon), text.substr(semicolon + 2)};
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
  findings.push_back({"master key", key.error().public_text, {}});
  return false;
}

}  // namespace

void check_store(const Examination& examination, Findings& findings) {
  const Settings& settings = examination.settings;
  const bool key_is_fit = check_master_key(examination, findings);
  auto endpoint = redis_endpoint(settings);
  if (!endpoint) {
    findings.push_back({"redis", endpoint.error().public_text, {}});
    return;
  }
  redis::Client redis(std::move(*endpoint), redis_timeout, 1);
  if (auto pong = redis.command({"PING"}); !pong) {
    findings.push_back({"redis", "cannot be reached (" + settings.redis.url.text + "): " + pong.error().internal_detail,
                        settings.redis.url.embedded() ? "is sealpostd running?" : "look at redis.url"});
    return;
  }
  if (!check_durable(redis, findings)) return;
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
