// SPDX-License-Identifier: Apache-2.0
// A certificate of a recipient's own as their programs would have it, made by openssl.
#pragma once

#include <chrono>
#include <string>

#include "tests/e2e/relay_fixture.h"
#include "tests/support/temp_dir.h"

namespace sealpost::test {

class OwnCertificate final {
 public:
  /// How it is made; all but the address may stay as it is.
  struct Recipe {
    std::string address;
    std::string kind = "P-256";          ///< or P-384, RSA
    bool authority = false;              ///< that of a CA
    std::chrono::seconds begins{-3600};  ///< from now
    std::chrono::seconds ends{86400};    ///< from now
  };
  explicit OwnCertificate(const Recipe& recipe);

  [[nodiscard]] std::string pem() const { return read_file(dir_ / "own.pem"); }
  [[nodiscard]] std::string der() const;
  /// A bundle with it, DER (RFC 2315).
  [[nodiscard]] std::string pkcs7() const;
  [[nodiscard]] std::string private_key() const { return read_file(dir_ / "own.key"); }
  /// Key and certificate, for RelayFixture::decrypt.
  [[nodiscard]] PickedUp opener() const { return {dir_ / "both.pem", {}, {}}; }
  /// SHA-256 of the DER in lower-case hex, as openssl says it.
  [[nodiscard]] std::string fingerprint() const;
  /// Waits until it has expired.
  void wait_for_its_end() const;

 private:
  [[nodiscard]] std::string converted(std::vector<std::string> command) const;
  TempDir dir_;
  std::chrono::system_clock::time_point end_;
};

}  // namespace sealpost::test
