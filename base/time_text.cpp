// SPDX-License-Identifier: Apache-2.0
// Implements time_text.h.
#include "base/time_text.h"

#include <array>
#include <charconv>

namespace sealpost {

std::string age_text(std::int64_t seconds) {
  if (seconds < 120) return std::to_string(seconds) + " s";
  if (seconds < 7200) return std::to_string(seconds / 60) + " min";
  if (seconds < 172800) return std::to_string(seconds / 3600) + " h";
  return std::to_string(seconds / 86400) + " d";
}

std::string moment_text(Time time, Time now) {
  const auto seconds = [](Duration span) { return std::chrono::duration_cast<std::chrono::seconds>(span).count(); };
  const std::string text = to_rfc3339(time);
  const std::string when = text.substr(0, text.find('.')) + "Z";
  if (time > now) return when + " (in " + age_text(seconds(time - now)) + ")";
  return when + " (" + age_text(seconds(now - time)) + " ago)";
}

std::string decimal_text(double value) {
  std::array<char, 512> text{};  // the largest double has 309 digits
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed, 1).ptr;
  return {text.data(), end};
}

}  // namespace sealpost
