// SPDX-License-Identifier: Apache-2.0
// Certificates for TLS servers in tests, good ones and bad ones, under a CA that this process trusts and no other.
#pragma once

#include <string>

#include "tests/support/temp_dir.h"

namespace sealpost::test {

class TestCertificates final {
 public:
  /// Made once for the program (P-256, milliseconds). From then on OpenSSL's default verify paths name their CA, by
  /// SSL_CERT_FILE; so call this before the first client context is made.
  static const TestCertificates& get();

  /// PEM files with key and certificate. All but `foreign` are for localhost, 127.0.0.1 and *.host.example.com.
  [[nodiscard]] std::string good() const { return dir_ / "good.pem"; }
  [[nodiscard]] std::string expired() const { return dir_ / "expired.pem"; }
  [[nodiscard]] std::string foreign() const { return dir_ / "foreign.pem"; }  ///< for another.example
  [[nodiscard]] std::string self_signed() const { return dir_ / "self_signed.pem"; }
  [[nodiscard]] std::string ca() const { return dir_ / "ca.pem"; }

 private:
  TestCertificates();
  TempDir dir_;
};

}  // namespace sealpost::test
