// SPDX-License-Identifier: Apache-2.0
// Settings: the file's reader, and what every key makes of a value.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "conf/ini.h"
#include "conf/keys.h"

using namespace sealpost;  // NOLINT(google-build-using-namespace): one function

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  // As a value: each key takes it or says why not, and one that is taken is taken again.
  for (const auto& key : setting_keys()) {
    Settings settings;
    const auto first = key.apply(settings, text);
    if (!first && first.error().public_text.empty()) std::abort();
    if (first && !key.apply(settings, text)) std::abort();
  }
  // As the value of a domain's key.
  for (const auto& key : domain_keys()) {
    Settings settings;
    const auto first = key.apply(settings, "example.com", text);
    if (!first && first.error().public_text.empty()) std::abort();
  }
  // As a file.
  const auto entries = parse_ini(text);
  if (!entries && entries.error().public_text.empty()) std::abort();
  if (!entries) return 0;
  for (const auto& entry : *entries) {
    // A key that ends a line or a value that does would let one setting write another.
    if (entry.key.find('\n') != std::string::npos || entry.value.find('\n') != std::string::npos) std::abort();
  }
  return 0;
}
