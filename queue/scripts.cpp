// SPDX-License-Identifier: Apache-2.0
// Implements scripts.h: puts what the scripts share in front of each, and says which may run when Redis is full.
#include "queue/scripts.h"

#include <string>
#include <string_view>

#include "queue_scripts.h"

namespace sealpost::queue_scripts {
namespace {

/// Whatever drains the queue must run in a full Redis; whatever fills it must not.
enum class WhenFull { Refuse, Run };

constexpr std::string_view header_when_full = "#!lua flags=allow-oom\n";

redis::Script make(std::string name, std::string_view source, WhenFull when_full) {
  std::string text(when_full == WhenFull::Run ? header_when_full : "#!lua\n");
  text += scripts::common_lua;
  text += source;
  return {"queue_" + std::move(name), std::move(text)};
}

/// What stands alone drains, too.
redis::Script make_alone(std::string name, std::string_view source) {
  return {std::move(name), std::string(header_when_full) + std::string(source)};
}

}  // namespace

const redis::Script& put() {
  static const redis::Script script = make("put", scripts::put_lua, WhenFull::Refuse);
  return script;
}
const redis::Script& put_notice() {
  static const redis::Script script = make("put_notice", scripts::put_lua, WhenFull::Run);
  return script;
}
const redis::Script& claim() {
  static const redis::Script script = make("claim", scripts::claim_lua, WhenFull::Run);
  return script;
}
const redis::Script& settle() {
  static const redis::Script script = make("settle", scripts::settle_lua, WhenFull::Run);
  return script;
}
const redis::Script& heartbeat() {
  static const redis::Script script = make("heartbeat", scripts::heartbeat_lua, WhenFull::Run);
  return script;
}
const redis::Script& reap() {
  static const redis::Script script = make("reap", scripts::reap_lua, WhenFull::Run);
  return script;
}
const redis::Script& act() {
  static const redis::Script script = make("act", scripts::act_lua, WhenFull::Run);
  return script;
}
const redis::Script& trim() {
  static const redis::Script script = make("trim", scripts::trim_lua, WhenFull::Run);
  return script;
}
const redis::Script& verify() {
  static const redis::Script script = make("verify", scripts::verify_lua, WhenFull::Run);
  return script;
}
const redis::Script& walk() {
  static const redis::Script script = make_alone("queue_walk", scripts::walk_lua);
  return script;
}
const redis::Script& destinations() {
  static const redis::Script script = make("destinations", scripts::destinations_lua, WhenFull::Run);
  return script;
}
/// In a full Redis, too: it must drain.
const redis::Script& permits() {
  static const redis::Script script = make_alone("permits", scripts::permits_lua);
  return script;
}
const redis::Script& suppress_count() {
  static const redis::Script script = make_alone("suppress_count", scripts::suppress_count_lua);
  return script;
}
const redis::Script& suppress_clear() {
  static const redis::Script script = make_alone("suppress_clear", scripts::suppress_clear_lua);
  return script;
}

}  // namespace sealpost::queue_scripts
