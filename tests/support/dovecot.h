// SPDX-License-Identifier: Apache-2.0
// A Dovecot of its own: LMTP on a free loopback port into a maildir per recipient, and logins for a Postfix. Needs root
// and the package.
#pragma once

#include <memory>
#include <string>

#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace sealpost::test {

class Dovecot final {
 public:
  /// Takes mail for every address; one user may log in.
  Dovecot(const std::string& user, const std::string& password);
  ~Dovecot();
  Dovecot(const Dovecot&) = delete;
  Dovecot& operator=(const Dovecot&) = delete;

  static bool possible();
  [[nodiscard]] int lmtp_port() const { return port_; }
  /// Where mail lands, a maildir per recipient.
  [[nodiscard]] std::string mail() const { return dir_ / "mail"; }
  /// The socket that Postfix' smtpd_sasl_path names.
  [[nodiscard]] std::string auth_socket() const { return dir_ / "run/auth"; }

 private:
  TempDir dir_;
  int port_ = free_port();
  std::unique_ptr<Process> process_;
};

}  // namespace sealpost::test
