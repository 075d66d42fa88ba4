// SPDX-License-Identifier: Apache-2.0
// What the machine offers that defaults depend on: its memory (cgroup-aware) and its name.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace sealpost {

/// Octets that this process may use: the RAM, or the tightest cgroup v2 limit above it when that is less. proc and sys
/// are looked for below `root`.
std::uint64_t usable_memory(const std::filesystem::path& root = "/");
/// The machine's name; "localhost" when it has none.
std::string machine_name();

}  // namespace sealpost
