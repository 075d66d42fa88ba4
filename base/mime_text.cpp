// SPDX-License-Identifier: Apache-2.0
// Implements mime_text.h.
#include "base/mime_text.h"

#include <algorithm>

#include "base/encoding.h"

namespace sealpost {
namespace {

constexpr std::size_t max_line = 998;
/// A line with an encoded-word has at most 76 characters, the word at most 75 (RFC 2047 section 2).
constexpr std::size_t max_encoded_line = 76;
constexpr std::size_t encoded_frame = 12;  ///< =?utf-8?B??=
/// Where a line is folded when it can be (RFC 5322 section 2.1.1).
constexpr std::size_t wanted_line = 78;
/// With `filename*0*=utf-8''` before it and a semicolon behind it, it is no longer than that.
constexpr std::size_t max_parameter = 56;
/// A quoted name is not folded; each of its characters may take a backslash.
constexpr std::size_t max_quoted_name = 400;

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U; }

/// Of the word that begins there, or behind the blanks there: a run of blanks stays together with the word behind it,
/// so that no line is blank.
std::size_t end_of_word(std::string_view value, std::size_t begin) {
  return std::min(value.find(' ', value.find_first_not_of(' ', begin)), value.size());
}

/// Folding keeps it as it is, and makes lines that are short enough.
bool can_be_folded(std::string_view value) {
  if (!is_ascii(value) || value.starts_with(' ') || value.ends_with(' ')) return false;
  for (std::size_t word = 0; word < value.size();) {
    const std::size_t end = end_of_word(value, word);
    if (end - word > max_line - wanted_line) return false;
    word = end;
  }
  return true;
}

/// The same, and no reader takes a part of it for an encoded-word.
bool stands_for_itself(std::string_view value) {
  return value.find("=?") == std::string_view::npos && can_be_folded(value);
}

std::string folded(std::string_view name, std::string_view value) {
  std::string out = std::string(name) + ": ";
  std::size_t column = out.size();
  for (std::size_t word = 0; word < value.size();) {
    const std::size_t end = end_of_word(value, word);
    if (word > 0 && column + (end - word) > wanted_line) {
      out += "\r\n";
      column = 0;
    }
    out += value.substr(word, end - word);
    column += end - word;
    word = end;
  }
  return out + "\r\n";
}

bool has_lines_of(std::string_view text, bool ascii) {
  if (ascii && !is_ascii(text)) return false;
  std::size_t length = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') {
      ++i;
      length = 0;
      continue;
    }
    if (text[i] == '\r' || text[i] == '\n' || text[i] == '\0' || ++length > max_line) return false;
  }
  return true;
}

}  // namespace

std::string encoded_words(std::string_view text, std::size_t column) {
  std::string out;
  while (!text.empty()) {
    const std::size_t begin = std::max<std::size_t>(column, 1) + encoded_frame;
    const std::size_t room = max_encoded_line - std::min(begin, max_encoded_line);
    std::size_t size = std::min(text.size(), room / 4 * 3);
    while (size < text.size() && size > 0 && is_continuation(text[size])) --size;
    if (size == 0 && column <= 1) {  // not UTF-8: no character ends here
      size = std::min(text.size(), room / 4 * 3);
    } else if (size == 0) {  // not even one character: on the next line
      out += "\r\n ";
      column = 1;
      continue;
    }
    out += "=?utf-8?B?" + to_base64(text.substr(0, size)) + "?=";
    text.remove_prefix(size);
    if (!text.empty()) out += "\r\n ";
    column = 1;
  }
  return out;
}

std::string unstructured_field(std::string_view name, std::string_view value) {
  if (stands_for_itself(value)) return folded(name, value);
  const std::string begin = std::string(name) + ": ";
  return begin + encoded_words(value, begin.size()) + "\r\n";
}

std::string structured_field(std::string_view name, std::string_view value) {
  return can_be_folded(value) ? folded(name, value) : unstructured_field(name, value);
}

std::string name_addr(std::string_view name, std::string_view address, std::size_t column) {
  std::string angle = "<" + std::string(address) + ">";
  if (name.empty()) return angle;
  if (!stands_for_itself(name) || name.size() > max_quoted_name) {
    return encoded_words(name, column) + "\r\n " + angle;
  }
  std::string quoted;
  for (const char c : name) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return "\"" + quoted + "\"" + (column + quoted.size() + angle.size() + 3 > wanted_line ? "\r\n " : " ") + angle;
}

std::string parameter(std::string_view name, std::string_view value) {
  const std::string begin = ";\r\n\t" + std::string(name);
  if (is_ascii(value) && value.size() <= max_parameter && value.find_first_of("\"\\%'") == std::string_view::npos &&
      value.find("=?") == std::string_view::npos) {
    return begin + "=\"" + std::string(value) + "\"";
  }
  constexpr std::string_view attribute_characters = "!#$&+-.^_`{|}~";  // RFC 2231 section 7
  const std::string encoded = percent_encode(value, attribute_characters);
  if (encoded.size() <= max_parameter) return begin + "*=utf-8''" + encoded;
  std::string out = begin + "*0*=utf-8''";
  std::size_t pieces = 1;
  std::size_t size = 0;
  for (std::size_t at = 0; at < value.size();) {
    // Of whole characters, for readers that decode each piece by itself.
    std::size_t end = at + 1;
    while (end < value.size() && is_continuation(value[end])) ++end;
    const std::string character = percent_encode(value.substr(at, end - at), attribute_characters);
    if (size + character.size() > max_parameter) {
      out += begin + "*" + std::to_string(pieces++) + "*=";
      size = 0;
    }
    out += character;
    size += character.size();
    at = end;
  }
  return out;
}

WipedBuffer with_crlf(std::string_view text) {
  WipedBuffer out;
  out.reserve(text.size() + text.size() / 32);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool pair = text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n';
    if (pair) ++i;
    if (pair || text[i] == '\n' || text[i] == '\r') {
      append(out, "\r\n");
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

bool is_7bit(std::string_view text) { return has_lines_of(text, true); }
bool is_8bit(std::string_view text) { return has_lines_of(text, false); }

}  // namespace sealpost
