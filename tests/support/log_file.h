// SPDX-License-Identifier: Apache-2.0
// A log that a test can read, in a file of its own.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <string>

#include "base/log.h"
#include "tests/support/temp_dir.h"

namespace sealpost::test {

class LogFile final {
 public:
  explicit LogFile(const Clock& clock, LogFormat format = LogFormat::Text)
      : path_(dir_ / "log"),
        descriptor_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)),
        log(LogLevel::Debug, format, clock, descriptor_) {}
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

}  // namespace sealpost::test
