// SPDX-License-Identifier: Apache-2.0
// Implements build.h.
#include "tests/support/build.h"

#include <dlfcn.h>

#include <stdexcept>

namespace sealpost::test {

namespace fs = std::filesystem;

fs::path build_directory() {
  for (auto place = fs::read_symlink("/proc/self/exe").parent_path(); place != place.root_path();
       place = place.parent_path()) {
    if (fs::exists(place / "CMakeCache.txt")) return place;
  }
  throw std::runtime_error("the test program is not within a build directory");
}

std::string program(const std::string& name) { return build_directory() / "bin" / name; }

bool sanitized() {
  return dlsym(RTLD_DEFAULT, "__asan_init") != nullptr || dlsym(RTLD_DEFAULT, "__tsan_init") != nullptr;
}

}  // namespace sealpost::test
