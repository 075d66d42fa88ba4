// SPDX-License-Identifier: Apache-2.0
// Implements platform.h.
#include "notify/platform.h"

#include <array>
#include <utility>

namespace sealpost {
namespace {

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

Platform by_hint(std::string_view hint) {
  constexpr std::array names = {std::pair{"\"Windows\"", Platform::Windows}, std::pair{"\"macOS\"", Platform::Mac},
                                std::pair{"\"iOS\"", Platform::Ios}, std::pair{"\"Android\"", Platform::Android},
                                std::pair{"\"Linux\"", Platform::Linux}};
  for (const auto& [name, platform] : names) {
    if (hint == name) return platform;
  }
  return Platform::Other;
}

}  // namespace

Platform platform_of(std::string_view user_agent, std::string_view client_hint) {
  if (!client_hint.empty()) return by_hint(client_hint);
  if (contains(user_agent, "iPhone") || contains(user_agent, "iPad")) return Platform::Ios;
  if (contains(user_agent, "Android")) return Platform::Android;
  if (contains(user_agent, "Windows")) return Platform::Windows;
  if (contains(user_agent, "Macintosh")) {
    const bool other_browser = contains(user_agent, "Chrome/") || contains(user_agent, "Firefox/");
    return contains(user_agent, "Safari/") && !other_browser ? Platform::MacOrIpad : Platform::Mac;
  }
  return contains(user_agent, "Linux") ? Platform::Linux : Platform::Other;
}

bool prefers_compatible(Platform platform) {
  return platform == Platform::Mac || platform == Platform::MacOrIpad || platform == Platform::Ios ||
         platform == Platform::Android;
}

}  // namespace sealpost
