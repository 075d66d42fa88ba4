// SPDX-License-Identifier: Apache-2.0
// A real Redis with a master key over it, and a log that a test can read: what accounts, tokens and intake stand on.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include "base/email_address.h"
#include "base/log.h"
#include "base/random.h"
#include "crypto/master_key.h"
#include "tests/support/fakes.h"
#include "tests/support/redis_server.h"
#include "tests/support/temp_dir.h"

namespace sealpost::test {

inline EmailAddress address(std::string_view text) { return EmailAddress::parse(text).value(); }

/// A log in a file of its own.
class LogFile final {
 public:
  explicit LogFile(const Clock& clock)
      : path_(dir_ / "log"),
        descriptor_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)),
        log(LogLevel::Debug, LogFormat::Text, clock, descriptor_) {}
  ~LogFile() { ::close(descriptor_); }
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;
  [[nodiscard]] std::string text() const { return read_file(path_); }

 private:
  TempDir dir_;
  std::string path_;
  int descriptor_;

 public:
  Log log;
};

struct RelayParts {
  redis::Reply redis_command(const std::vector<std::string>& command) {
    return std::move(redis.command(command)).value();
  }

  ManualClock clock;
  LogFile log_file{clock};
  Log& log = log_file.log;
  TempDir dir;
  RedisServer server;
  SystemRandom random;
  redis::Client redis{server.endpoint(), std::chrono::seconds(20)};
  MasterKey master = MasterKey::open(dir / "master.key", redis, random).value();
};

}  // namespace sealpost::test
