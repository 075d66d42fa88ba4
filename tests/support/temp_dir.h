// SPDX-License-Identifier: Apache-2.0
// A private directory that is gone when the test ends.
#pragma once

#include <filesystem>
#include <string>

namespace sealpost::test {

class TempDir final {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// Path of an entry in it.
  [[nodiscard]] std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  /// Writes a file with the given permission bits and returns its path.
  std::string write(const std::string& name, const std::string& content, unsigned mode = 0600) const;

 private:
  std::filesystem::path path_;
};

std::string read_file(const std::string& path);

}  // namespace sealpost::test
