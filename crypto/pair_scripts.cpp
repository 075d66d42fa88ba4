// SPDX-License-Identifier: Apache-2.0
// Implements pair_scripts.h.
#include "crypto/pair_scripts.h"

#include <string>
#include <string_view>

#include "directory_scripts.h"

namespace sealpost::pair_scripts {
namespace {

redis::Script make(std::string name, std::string_view header, std::string_view source) {
  std::string text(header);
  text += scripts::pair_index_lua;
  text += source;
  return {std::move(name), std::move(text)};
}

}  // namespace

const redis::Script& assign() {
  static const redis::Script script = make("assign_pair", "#!lua\n", scripts::assign_pair_lua);
  return script;
}

const redis::Script& change() {
  static const redis::Script script = make("change_pair", "#!lua flags=allow-oom\n", scripts::change_pair_lua);
  return script;
}

const redis::Script& index() {
  static const redis::Script script = make("index_pair", "#!lua\n", scripts::index_pair_lua);
  return script;
}

}  // namespace sealpost::pair_scripts
