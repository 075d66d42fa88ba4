// SPDX-License-Identifier: Apache-2.0
// Fuzz target: armour and packets of OpenPGP, as they stand in the second part of a multipart/encrypted.
#include "crypto/openpgp_packets.h"

#include <cstdint>
#include <string>

#include "tests/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using sealpost::is_openpgp_encrypted;
  using sealpost::fuzz::require;
  const std::string octets(reinterpret_cast<const char*>(data), size);
  if (!is_openpgp_encrypted(octets)) return 0;
  require(!is_openpgp_encrypted(octets + "Dear Bob"), "nothing may follow an encrypted message");
  require(!is_openpgp_encrypted("Dear Bob\r\n" + octets), "nothing may precede an encrypted message");
  require(!is_openpgp_encrypted(octets + octets), "two messages are not one");
  return 0;
}
