// SPDX-License-Identifier: Apache-2.0
// The build that the running test program belongs to. Asked at run time: the same objects are linked with the product
// as released and with the product under sanitizers (tests/CMakeLists.txt).
#pragma once

#include <filesystem>
#include <string>

namespace sealpost::test {

/// CMake's binary directory above the running program.
std::filesystem::path build_directory();

/// The path of a program of this build, such as sealpostd.
std::string program(const std::string& name);

/// Whether the product is compiled with a sanitizer: slower, and larger in memory.
bool sanitized();

}  // namespace sealpost::test
