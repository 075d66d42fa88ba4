// SPDX-License-Identifier: Apache-2.0
// Implements machine.h.
#include "conf/machine.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>

namespace sealpost {
namespace {

/// memory.max of every cgroup from ours up to the root.
std::uint64_t cgroup_limit(const std::filesystem::path& root) {
  std::uint64_t limit = UINT64_MAX;
  std::ifstream self(root / "proc/self/cgroup");
  std::string line;
  while (std::getline(self, line)) {
    if (line.rfind("0::", 0) != 0) continue;
    for (std::filesystem::path group = line.substr(3);; group = group.parent_path()) {
      std::ifstream file(root / "sys/fs/cgroup" / group.relative_path() / "memory.max");
      std::uint64_t octets = 0;
      if (file >> octets) limit = std::min(limit, octets);  // "max" is no number and no limit
      if (!group.has_relative_path()) break;
    }
  }
  return limit;
}

}  // namespace

std::uint64_t usable_memory(const std::filesystem::path& root) {
  const auto ram =
      static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  return std::min(ram, cgroup_limit(root));
}

std::string machine_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "localhost";
  return name.data();
}

}  // namespace sealpost
