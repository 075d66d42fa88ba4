// SPDX-License-Identifier: Apache-2.0
// A real mail server as a next hop: mail_sink.py, which speaks SMTP or LMTP with aiosmtpd.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace sealpost::test {

/// Debian's own, since that is the one with Debian's aiosmtpd.
inline constexpr const char* python = "/usr/bin/python3";

class MailSink final {
 public:
  /// Arguments behind the folder, as mail_sink.py takes them.
  explicit MailSink(const std::vector<std::string>& arguments) : process_(argv(dir_.path().string(), arguments)) {
    const std::string output = process_.wait_for(" ready\n", std::chrono::seconds(60));
    if (output.empty()) throw std::runtime_error("mail_sink.py: " + process_.output());
    port_ = std::stoi(output.substr(output.find("port=") + 5));
  }
  [[nodiscard]] int port() const { return port_; }
  /// Where it files mail, one folder per recipient.
  [[nodiscard]] std::string folder() const { return dir_.path().string(); }
  /// What it printed: a line for each message that it took.
  std::string wait_for(const std::string& text) { return process_.wait_for(text, std::chrono::seconds(60)); }

 private:
  static std::vector<std::string> argv(const std::string& folder, const std::vector<std::string>& arguments) {
    std::vector<std::string> all = {python, SOURCE_DIR "/tests/support/mail_sink.py", folder};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return all;
  }
  TempDir dir_;
  Process process_;
  int port_ = 0;
};

}  // namespace sealpost::test
