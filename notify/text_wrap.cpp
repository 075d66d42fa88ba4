// SPDX-License-Identifier: Apache-2.0
// Implements text_wrap.h.
#include "notify/text_wrap.h"

#include <algorithm>
#include <array>
#include <vector>

namespace sealpost {
namespace {

/// What may not begin a line, and what may not end one.
constexpr std::string_view no_start = "、。，．・：；？！）」』】〕›…ーっゃゅょッャュョ々)],.;:!?";
constexpr std::string_view no_end = "（「『【〔([";

struct Character {
  std::string_view octets;
  char32_t code = 0;
};

/// The first one; of octets that are no UTF-8 each is one.
Character first_of(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t length = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  const auto octets = text.substr(0, length);
  char32_t code = length == 1 ? lead : lead & (0x7fU >> length);
  for (const char c : octets.substr(1)) code = (code << 6U) | (static_cast<unsigned char>(c) & 0x3fU);
  return {octets, code};
}

bool is_wide(char32_t code) {
  struct Block {
    char32_t first;
    char32_t last;
  };
  constexpr std::array blocks = {Block{0x1100, 0x115f},  Block{0x2e80, 0x303e}, Block{0x3041, 0xa4cf},
                                 Block{0xac00, 0xd7a3},  Block{0xf900, 0xfaff}, Block{0xfe30, 0xfe6f},
                                 Block{0xff00, 0xff60},  Block{0xffe0, 0xffe6}, Block{0x1f300, 0x1faff},
                                 Block{0x20000, 0x3fffd}};
  return std::any_of(blocks.begin(), blocks.end(),
                     [&](const Block& block) { return code >= block.first && code <= block.last; });
}

bool is_one_of(std::string_view character, std::string_view set) {
  return set.find(character) != std::string_view::npos;
}

/// A piece that is never broken, and whether a blank stood before it.
struct Piece {
  std::string_view text;
  bool after_blank = false;
};

/// A break between two characters without a blank: one of them is wide, and no rule of punctuation forbids it.
bool may_break(const Character& before, const Character& next) {
  return (is_wide(before.code) || is_wide(next.code)) && !is_one_of(next.octets, no_start) &&
         !is_one_of(before.octets, no_end);
}

std::vector<Piece> pieces_of(std::string_view line) {
  std::vector<Piece> pieces;
  bool blank = false;
  Character before;
  while (!line.empty()) {
    const Character next = first_of(line);
    line.remove_prefix(next.octets.size());
    if (next.code == ' ') {
      blank = true;
      continue;
    }
    if (pieces.empty() || blank || may_break(before, next)) {
      pieces.push_back({next.octets, blank});
    } else {
      auto& text = pieces.back().text;
      text = {text.data(), text.size() + next.octets.size()};
    }
    blank = false;
    before = next;
  }
  return pieces;
}

bool stays(std::string_view line) {
  for (const std::string_view label : {"Link: ", "Authentication code: "}) {
    if (line.starts_with(label) && line.find(' ', label.size()) == std::string_view::npos) return true;
  }
  return false;
}

/// Columns of "12. " in front, else 0.
std::size_t number_width(std::string_view line) {
  const auto end = line.find_first_not_of("0123456789");
  return end != 0 && line.substr(std::min(end, line.size()), 2) == ". " ? end + 2 : 0;
}

std::string wrapped_line(std::string_view line, std::size_t width) {
  if (stays(line) || columns_of(line) <= width) return std::string(line);
  const std::string indent(number_width(line), ' ');
  std::string out;
  std::size_t column = 0;
  for (const auto& piece : pieces_of(line)) {
    const std::size_t blank = piece.after_blank && column > 0 ? 1 : 0;
    if (column > 0 && column + blank + columns_of(piece.text) > width) {
      out += "\n" + indent;
      column = indent.size();
    } else if (blank == 1) {
      out += ' ';
      ++column;
    }
    out += piece.text;
    column += columns_of(piece.text);
  }
  return out;
}

}  // namespace

std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  while (!text.empty()) {
    const Character next = first_of(text);
    columns += is_wide(next.code) ? 2 : 1;
    text.remove_prefix(next.octets.size());
  }
  return columns;
}

std::string wrapped(std::string_view text, std::size_t width) {
  std::string out;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.empty() && out.ends_with("\n\n")) continue;
    out += wrapped_line(line, width) + "\n";
  }
  return out;
}

}  // namespace sealpost
