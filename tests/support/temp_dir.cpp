// SPDX-License-Identifier: Apache-2.0
// Implements temp_dir.h.
#include "tests/support/temp_dir.h"

#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace sealpost::test {

TempDir::TempDir() {
  std::string name = (std::filesystem::temp_directory_path() / "sealpost-test-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  path_ = name;
}

TempDir::~TempDir() {
  std::error_code ignored_when_a_child_still_writes;
  std::filesystem::remove_all(path_, ignored_when_a_child_still_writes);
}

std::string TempDir::write(const std::string& name, const std::string& content, unsigned mode) const {
  std::string path = *this / name;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << content;
  if (chmod(path.c_str(), mode) != 0) throw std::runtime_error("chmod failed: " + path);
  return path;
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

}  // namespace sealpost::test
