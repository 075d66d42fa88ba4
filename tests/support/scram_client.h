// SPDX-License-Identifier: Apache-2.0
// The client's side of SCRAM-SHA-256, written from RFC 5802 apart from the relay's own code.
#pragma once

#include <string>
#include <string_view>

namespace sealpost::test {

std::string hmac_sha256(std::string_view key, std::string_view data);
std::string sha256(std::string_view data);

class ScramClient final {
 public:
  ScramClient(std::string name, std::string password, std::string nonce)
      : name_(std::move(name)), password_(std::move(password)), nonce_(std::move(nonce)) {}

  /// client-first-message, without channel binding.
  [[nodiscard]] std::string first() const { return "n,," + bare(); }
  /// client-final-message in answer to server-first-message.
  std::string final(const std::string& server_first);
  /// The server-final-message of a server that knows the verifier; after final().
  [[nodiscard]] const std::string& expected_signature() const { return signature_; }

 private:
  [[nodiscard]] std::string bare() const;
  std::string name_;
  std::string password_;
  std::string nonce_;
  std::string signature_;
};

}  // namespace sealpost::test
