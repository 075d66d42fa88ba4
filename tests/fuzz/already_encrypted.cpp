// SPDX-License-Identifier: Apache-2.0
// Fuzz target: whether a submitted message is encrypted already. What is said to be must not grow text and stay so.
#include <cstdint>
#include <string>

#include "crypto/submitted_message.h"
#include "tests/fuzz/require.h"

namespace {

bool passes(const std::string& octets) {
  const auto message = sealpost::split_message(octets);
  return message && sealpost::is_already_encrypted(*message);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using sealpost::fuzz::require;
  const std::string octets(reinterpret_cast<const char*>(data), size);
  if (!passes(octets)) return 0;
  const auto body = octets.find("\r\n\r\n") + 4;
  require(!passes(octets + "Dear Bob,\r\n"), "nothing may follow");
  require(!passes(octets.substr(0, body) + "Dear Bob,\r\n" + octets.substr(body)), "nothing may precede");
  require(!passes("Content-Type: text/plain\r\n" + octets), "one Content-Type");
  return 0;
}
