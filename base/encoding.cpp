// SPDX-License-Identifier: Apache-2.0
// Implements encoding.h.
#include "base/encoding.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

namespace sealpost {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr std::string_view upper_hex_digits = "0123456789ABCDEF";

int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

int base64_value(char symbol) {
  if (symbol >= 'A' && symbol <= 'Z') return symbol - 'A';
  if (symbol >= 'a' && symbol <= 'z') return symbol - 'a' + 26;
  if (symbol >= '0' && symbol <= '9') return symbol - '0' + 52;
  if (symbol == '+') return 62;
  if (symbol == '/') return 63;
  return -1;
}

/// Appends the octets of exact base64 to any container of char; false for anything else.
template <class Out>
bool decode_base64(std::string_view text, Out& out) {
  if (text.size() % 4 != 0) return false;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  const std::string_view symbols = text.substr(0, text.size() - padding);
  out.reserve(text.size() / 4 * 3);
  unsigned bits = 0;
  int count = 0;
  for (const char symbol : symbols) {
    const int value = base64_value(symbol);
    if (value < 0) return false;
    bits = (bits << 6U | static_cast<unsigned>(value)) & 0xffffffU;
    count += 6;
    if (count >= 8) {
      count -= 8;
      out.push_back(static_cast<char>(bits >> static_cast<unsigned>(count) & 0xffU));
    }
  }
  // What is left over must be zero, else two texts would mean the same octets (RFC 4648 section 3.5).
  return (bits & ((1U << static_cast<unsigned>(count)) - 1U)) == 0;
}

template <class Text>
Text encode_base64(std::string_view octets) {
  Text text((octets.size() + 2) / 3 * 4 + 1, '\0');  // EVP_EncodeBlock also writes a NUL
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), reinterpret_cast<const unsigned char*>(octets.data()),
                  static_cast<int>(octets.size()));
  text.pop_back();
  return text;
}

bool is_alphanumeric(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

/// Length of the well-formed UTF-8 sequence at the front (Unicode table 3-7), 0 when there is none.
std::size_t utf8_length(std::string_view text) {
  const auto octet = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto in = [](unsigned value, unsigned low, unsigned high) { return value >= low && value <= high; };
  const unsigned first = octet(0);
  if (first < 0x80) return 1;
  if (in(first, 0xc2, 0xdf)) return in(octet(1), 0x80, 0xbf) ? 2 : 0;
  if (in(first, 0xe0, 0xef)) {
    const unsigned low = first == 0xe0 ? 0xa0 : 0x80;
    const unsigned high = first == 0xed ? 0x9f : 0xbf;
    return in(octet(1), low, high) && in(octet(2), 0x80, 0xbf) ? 3 : 0;
  }
  if (in(first, 0xf0, 0xf4)) {
    const unsigned low = first == 0xf0 ? 0x90 : 0x80;
    const unsigned high = first == 0xf4 ? 0x8f : 0xbf;
    return in(octet(1), low, high) && in(octet(2), 0x80, 0xbf) && in(octet(3), 0x80, 0xbf) ? 4 : 0;
  }
  return 0;
}

}  // namespace

std::string to_hex(std::string_view octets) {
  std::string text;
  text.reserve(octets.size() * 2);
  for (const char octet : octets) {
    const auto value = static_cast<unsigned char>(octet);
    text += hex_digits[value >> 4U];
    text += hex_digits[value & 15U];
  }
  return text;
}

std::optional<std::string> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string octets;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_value(text[i]);
    const int low = hex_value(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    octets += static_cast<char>(high * 16 + low);
  }
  return octets;
}

std::string to_base64(std::string_view octets) { return encode_base64<std::string>(octets); }

WipedBuffer to_base64_wiped(std::string_view octets) { return encode_base64<WipedBuffer>(octets); }

std::optional<std::string> from_base64(std::string_view text) {
  std::string octets;
  if (!decode_base64(text, octets)) return std::nullopt;
  return octets;
}

std::optional<WipedBuffer> from_base64_wiped(std::string_view text) {
  WipedBuffer octets;
  if (!decode_base64(text, octets)) return std::nullopt;
  return octets;
}

std::string to_base64url(std::string_view octets) {
  std::string text = to_base64(octets);
  while (text.ends_with('=')) text.pop_back();
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  return text;
}

std::optional<std::string> from_base64url(std::string_view text) {
  if (text.find_first_of("+/=") != std::string_view::npos) return std::nullopt;
  std::string plain(text);
  std::replace(plain.begin(), plain.end(), '-', '+');
  std::replace(plain.begin(), plain.end(), '_', '/');
  while (plain.size() % 4 != 0) plain += '=';
  return from_base64(plain);
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string octets;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      octets += text[i];
      continue;
    }
    const auto octet = from_hex(text.substr(i + 1, 2));
    if (!octet || octet->size() != 1) return std::nullopt;
    octets += *octet;
    i += 2;
  }
  return octets;
}

std::string percent_encode(std::string_view text, std::string_view safe) {
  std::string encoded;
  for (const char c : text) {
    if (is_alphanumeric(c) || safe.find(c) != std::string_view::npos) {
      encoded += c;
      continue;
    }
    const auto value = static_cast<unsigned char>(c);
    encoded += {'%', upper_hex_digits[value >> 4U], upper_hex_digits[value & 15U]};
  }
  return encoded;
}

std::optional<std::string> decode_xtext(std::string_view text) {
  std::string octets;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c < '!' || c > '~' || c == '=') return std::nullopt;
    if (c != '+') {
      octets += c;
      continue;
    }
    const auto hex = text.substr(i + 1, 2);
    const auto octet = hex.find_first_of("abcdef") == std::string_view::npos ? from_hex(hex) : std::nullopt;
    if (!octet || octet->size() != 1) return std::nullopt;
    octets += *octet;
    i += 2;
  }
  return octets;
}

std::string html_escape(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string ascii_lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::string ascii_upper(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return upper;
}

bool ascii_iequals(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ascii_lower(a) == ascii_lower(b);
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string_view trimmed(std::string_view text, std::string_view blanks) {
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::string without_controls(std::string_view text, char instead) {
  std::string out(text);
  std::replace_if(
      out.begin(), out.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, instead);
  return out;
}

std::string printable_ascii(std::string_view text) {
  std::string out(text);
  std::replace_if(
      out.begin(), out.end(), [](unsigned char c) { return c < 0x20 || c > 0x7e; }, ' ');
  return out;
}

bool has_unicode_control(std::string_view utf8) {
  for (std::size_t i = 0; i + 1 < utf8.size(); ++i) {
    const auto next = static_cast<unsigned char>(utf8[i + 1]);
    if (utf8[i] == '\xc2' && next >= 0x80 && next <= 0x9f) return true;
    const auto three = utf8.substr(i, 3);
    if (three == "\xe2\x80\xa8" || three == "\xe2\x80\xa9") return true;
  }
  return false;
}

}  // namespace sealpost
