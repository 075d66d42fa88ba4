// SPDX-License-Identifier: Apache-2.0
// A Postfix of its own: private configuration and queue, one smtpd on a free loopback port. Needs root and the package.
#pragma once

#include <memory>
#include <string>

#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace sealpost::test {

class Postfix {
 public:
  /// Lines of main.cf, and rows of master.cf besides those that every Postfix has.
  Postfix(const std::string& settings, const std::string& services = {});
  ~Postfix();
  Postfix(const Postfix&) = delete;
  Postfix& operator=(const Postfix&) = delete;

  static bool possible();
  [[nodiscard]] int port() const { return port_; }
  /// Ends it; seconds of CPU that master and its children used.
  double stop();
  /// What it has logged so far.
  [[nodiscard]] std::string log() const;

 private:
  TempDir dir_;
  int port_;
  std::unique_ptr<Process> master_;
};

}  // namespace sealpost::test
