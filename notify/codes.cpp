// SPDX-License-Identifier: Apache-2.0
// Implements codes.h.
#include "notify/codes.h"

#include <algorithm>

#include "base/encoding.h"

namespace sealpost {
namespace {

constexpr std::string_view alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t symbols = 12;
constexpr std::size_t group = 4;
constexpr std::size_t token_octets = 18;

char canonical(char typed) {
  if (typed >= 'a' && typed <= 'z') typed = static_cast<char>(typed - 'a' + 'A');
  if (typed == 'O') return '0';
  if (typed == 'I' || typed == 'L') return '1';
  return typed;
}

void append_symbol(WipedBuffer& code, std::size_t index, char symbol) {
  if (index > 0 && index % group == 0) code.push_back('-');
  code.push_back(symbol);
}

/// Five bits of each octet.
Secret code_of(std::string_view octets) {
  WipedBuffer code;
  for (std::size_t i = 0; i < symbols; ++i) {
    append_symbol(code, i, alphabet[static_cast<unsigned char>(octets[i]) % alphabet.size()]);
  }
  return Secret(std::move(code));
}

}  // namespace

Secret make_code(Random& random) { return code_of(random.secret(symbols).reveal()); }

Secret sender_code(Wrapper& wrapper, std::string_view row_id) {
  return code_of(Secret::copy_of(wrapper.mac(Purpose::SenderCode, row_id)).reveal());
}

std::optional<Secret> normalise_code(std::string_view typed) {
  WipedBuffer code;
  std::size_t count = 0;
  for (const char raw : typed) {
    if (raw == ' ' || raw == '-' || raw == '\t' || raw == '\r' || raw == '\n') continue;
    const char symbol = canonical(raw);
    if (count == symbols || alphabet.find(symbol) == std::string_view::npos) return std::nullopt;
    append_symbol(code, count++, symbol);
  }
  if (count != symbols) return std::nullopt;
  return Secret(std::move(code));
}

Secret make_token(Random& random) {
  const Secret octets = random.secret(token_octets);
  return Secret::copy_of(to_base64url(octets.reveal()));
}

bool is_token(std::string_view text) {
  return text.size() == token_octets * 4 / 3 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
         });
}

}  // namespace sealpost
