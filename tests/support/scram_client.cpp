// SPDX-License-Identifier: Apache-2.0
// Implements scram_client.h.
#include "tests/support/scram_client.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <array>
#include <regex>
#include <stdexcept>

#include "base/encoding.h"

namespace sealpost::test {
namespace {

const unsigned char* octets_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
std::string text_of(const std::array<unsigned char, SHA256_DIGEST_LENGTH>& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

}  // namespace

std::string hmac_sha256(std::string_view key, std::string_view data) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> out{};
  unsigned size = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), octets_of(data), data.size(), out.data(), &size) ==
      nullptr) {
    throw std::runtime_error("HMAC");
  }
  return text_of(out);
}

std::string sha256(std::string_view data) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> out{};
  SHA256(octets_of(data), data.size(), out.data());
  return text_of(out);
}

std::string ScramClient::bare() const {
  const std::string escaped =
      std::regex_replace(std::regex_replace(name_, std::regex("="), "=3D"), std::regex(","), "=2C");
  return "n=" + escaped + ",r=" + nonce_;
}

std::string ScramClient::final(const std::string& server_first) {
  std::smatch match;
  if (!std::regex_match(server_first, match, std::regex("r=([^,]*),s=([^,]*),i=([0-9]+)"))) {
    throw std::runtime_error("not a server-first-message: " + server_first);
  }
  const std::string salt = from_base64(match[2].str()).value();
  std::array<unsigned char, SHA256_DIGEST_LENGTH> salted{};
  PKCS5_PBKDF2_HMAC(password_.data(), static_cast<int>(password_.size()), octets_of(salt),
                    static_cast<int>(salt.size()), std::stoi(match[3]), EVP_sha256(), static_cast<int>(salted.size()),
                    salted.data());
  const std::string without_proof = "c=biws,r=" + match[1].str();
  const std::string message = bare() + "," + server_first + "," + without_proof;
  std::string proof = hmac_sha256(text_of(salted), "Client Key");
  const std::string signature = hmac_sha256(sha256(proof), message);
  for (std::size_t i = 0; i < proof.size(); ++i) proof[i] = static_cast<char>(proof[i] ^ signature[i]);
  signature_ = "v=" + to_base64(hmac_sha256(hmac_sha256(text_of(salted), "Server Key"), message));
  return without_proof + ",p=" + to_base64(proof);
}

}  // namespace sealpost::test
