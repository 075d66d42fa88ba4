// SPDX-License-Identifier: Apache-2.0
// SCRAM-SHA-256 (RFC 5802, RFC 7677): the verifier that is stored of a password, and the server's side of one exchange.
// No channel binding.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"

namespace sealpost {

/// What is stored of a password (RFC 5802 section 3).
struct ScramVerifier {
  std::string salt;
  int iterations = 0;
  std::string stored_key;
  std::string server_key;
};

/// PBKDF2 with HMAC-SHA-256. The password is taken as UTF-8 octets.
ScramVerifier make_scram_verifier(const Secret& password, std::string salt, int iterations);
/// True when the password fits; constant in time.
bool fits(const ScramVerifier& verifier, const Secret& password);

/// One exchange, from the client's first message to the server's final one. Every error is Invalid and means:
/// authentication failed.
class ScramExchange final {
 public:
  /// Reads client-first-message; the account's name is known then.
  static Result<ScramExchange> begin(std::string_view client_first, Random& random);
  [[nodiscard]] const std::string& name() const { return name_; }
  /// server-first-message.
  std::string challenge(ScramVerifier verifier);
  /// Reads client-final-message; the value is server-final-message.
  Result<std::string> finish(std::string_view client_final);

 private:
  ScramExchange() = default;
  std::string name_;
  std::string gs2_header_;
  std::string client_first_bare_;
  std::string server_first_;
  std::string nonce_;
  ScramVerifier verifier_;
};

}  // namespace sealpost
