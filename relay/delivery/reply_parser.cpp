// SPDX-License-Identifier: Apache-2.0
// Implements reply_parser.h.
#include "relay/delivery/reply_parser.h"

#include <algorithm>
#include <cctype>

#include "base/encoding.h"

namespace sealpost {
namespace {

constexpr std::size_t max_lines = 100;
constexpr std::size_t max_octets = 64UL * 1024;
constexpr std::size_t max_text = 512;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// class.subject.detail at the front of the text (RFC 3463), of the class that the code has.
std::string enhanced_code(std::string_view text, int severity) {
  const auto end = text.substr(0, text.find(' '));
  const auto dots = std::count(end.begin(), end.end(), '.');
  const bool digits = std::all_of(end.begin(), end.end(), [](char c) { return is_digit(c) || c == '.'; });
  const bool fits = dots == 2 && digits && end.size() >= 5 && end.size() <= 9 && end[0] == '0' + severity &&
                    end[1] == '.' && is_digit(end.back()) && end.find("..") == std::string_view::npos;
  return fits ? std::string(end) : std::to_string(severity) + ".0.0";
}

}  // namespace

ReplyParser::State ReplyParser::add(std::string_view line) {
  octets_ += line.size();
  const bool code = line.size() >= 3 && line[0] >= '2' && line[0] <= '5' && is_digit(line[1]) && is_digit(line[2]);
  const bool separator = line.size() == 3 || (line.size() > 3 && (line[3] == ' ' || line[3] == '-'));
  if (!code || !separator || octets_ > max_octets || reply_.lines.size() >= max_lines) return State::Malformed;
  const int value = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
  if (reply_.code != 0 && reply_.code != value) return State::Malformed;
  const auto text = line.size() > 4 ? line.substr(4) : std::string_view();
  if (reply_.code == 0) {
    reply_.code = value;
    reply_.enhanced = enhanced_code(text, value / 100);
    reply_.text = std::to_string(value);
  }
  reply_.lines.emplace_back(text);
  if (reply_.text.size() < max_text) {
    reply_.text = (reply_.text + " " + printable_ascii(text)).substr(0, max_text);
  }
  return line.size() > 3 && line[3] == '-' ? State::More : State::Complete;
}

}  // namespace sealpost
