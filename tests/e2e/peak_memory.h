// SPDX-License-Identifier: Apache-2.0
// What a process took at its worst.
#pragma once

#include <cstddef>
#include <fstream>
#include <string>

namespace sealpost::test {

/// The most that the process ever had in memory; sanitizers keep freed memory and shadows of their own in it.
inline std::size_t peak_megabytes(int pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stoul(line.substr(6)) / 1024;
  }
  return 0;
}

}  // namespace sealpost::test
