// SPDX-License-Identifier: Apache-2.0
// The kind of device that a browser runs on, as far as it says: which mail programs a page speaks of first.
#pragma once

#include <string_view>

namespace sealpost {

enum class Platform {
  Windows,
  Mac,
  MacOrIpad,  ///< Safari on an iPad says that it is a Mac
  Ios,
  Android,
  Linux,
  Other
};

/// By Sec-CH-UA-Platform when it is there, else by User-Agent; both as the request has them.
Platform platform_of(std::string_view user_agent, std::string_view client_hint);
/// Its own mail program reads the compatible PKCS#12 only.
bool prefers_compatible(Platform platform);

}  // namespace sealpost
