// SPDX-License-Identifier: Apache-2.0
// Implements accept_language.h.
#include "notify/accept_language.h"

#include <algorithm>
#include <optional>

#include "base/encoding.h"

namespace sealpost {
namespace {

/// Browsers name a handful; a field without end is not searched to its end.
constexpr std::size_t most_ranges = 32;

struct Range {
  std::string_view tag;
  int weight = 0;  ///< thousandths
};

/// qvalue of RFC 9110 section 12.4.2: 0 or 1 with up to three digits behind the point.
std::optional<int> parse_weight(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  int weight = (text[0] - '0') * 1000;
  if (text.size() > 1 && text[1] != '.') return std::nullopt;
  int unit = 100;
  for (const char c : text.substr(std::min<std::size_t>(2, text.size()))) {
    if (c < '0' || c > '9') return std::nullopt;
    weight += (c - '0') * unit;
    unit /= 10;
  }
  return weight <= 1000 ? std::optional(weight) : std::nullopt;
}

/// Nothing for a range that cannot be read.
std::optional<Range> parse_range(std::string_view text) {
  const auto semicolon = text.find(';');
  const auto tag = trimmed(text.substr(0, semicolon));
  if (tag.empty()) return std::nullopt;
  if (semicolon == std::string_view::npos) return Range{tag, 1000};
  const auto parameter = trimmed(text.substr(semicolon + 1));
  if (!parameter.starts_with("q=") && !parameter.starts_with("Q=")) return std::nullopt;
  const auto weight = parse_weight(trimmed(parameter.substr(2)));
  return weight ? std::optional(Range{tag, *weight}) : std::nullopt;
}

std::vector<Range> parse_ranges(std::string_view field) {
  std::vector<Range> ranges;
  while (!field.empty() && ranges.size() < most_ranges) {
    const auto text = field.substr(0, field.find(','));
    field.remove_prefix(std::min(field.size(), text.size() + 1));
    if (const auto range = parse_range(text)) ranges.push_back(*range);
  }
  return ranges;
}

/// The range without its last subtag, and so on, until there is such a language.
const std::string* look_up(std::string_view range, const std::vector<std::string>& available) {
  while (!range.empty()) {
    const auto found = std::find_if(available.begin(), available.end(),
                                    [&](const std::string& tag) { return ascii_iequals(tag, range); });
    if (found != available.end()) return &*found;
    const auto dash = range.rfind('-');
    range = range.substr(0, dash == std::string_view::npos ? 0 : dash);
  }
  return nullptr;
}

}  // namespace

std::string choose_language(std::string_view accept_language, const std::vector<std::string>& available,
                            const std::string& otherwise) {
  auto ranges = parse_ranges(accept_language);
  std::stable_sort(ranges.begin(), ranges.end(), [](const Range& a, const Range& b) { return a.weight > b.weight; });
  for (const auto& range : ranges) {
    if (range.weight == 0) break;
    if (range.tag == "*") return otherwise;
    if (const std::string* found = look_up(range.tag, available)) return *found;
  }
  return otherwise;
}

}  // namespace sealpost
