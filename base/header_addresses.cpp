// SPDX-License-Identifier: Apache-2.0
// Implements header_addresses.h: a tokenizer and a reader of mailboxes on top of it.
#include "base/header_addresses.h"

#include <algorithm>
#include <optional>

namespace sealpost {
namespace {

constexpr int max_comment_depth = 16;
constexpr std::size_t max_words = 1000;  ///< of one mailbox, its name included

enum class TokenKind { Atom, Quoted, Special, End };
struct Token {
  TokenKind kind = TokenKind::End;
  std::string text;  ///< as written, quotes included
  bool space_before = false;
};

bool is_special(char c) { return std::string_view("()<>[]:;@\\,.\"").find(c) != std::string_view::npos; }
bool is_control(char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; }
/// A fold of RFC 5322 section 2.2.3: CRLF in front of white space.
bool begins_with_fold(std::string_view text) { return text.starts_with("\r\n ") || text.starts_with("\r\n\t"); }

class Tokenizer final {
 public:
  explicit Tokenizer(std::string_view text) : rest_(text) {}

  /// Nothing for text that is not well-formed.
  std::optional<Token> next() {
    Token token;
    if (!skip_space(token.space_before)) return std::nullopt;
    if (rest_.empty()) return token;
    if (rest_.front() == '"') return quoted(std::move(token));
    if (is_special(rest_.front())) {
      token.kind = TokenKind::Special;
      token.text = take(1);
      if (token.text == "[" || token.text == "]" || token.text == "\\" || token.text == ")") return std::nullopt;
      return token;
    }
    std::size_t size = 0;
    while (size < rest_.size() && !is_special(rest_[size]) && rest_[size] != ' ' && rest_[size] != '\t' &&
           !is_control(rest_[size])) {
      ++size;
    }
    if (size == 0) return std::nullopt;
    token.kind = TokenKind::Atom;
    token.text = take(size);
    return token;
  }

 private:
  std::string take(std::size_t size) {
    std::string text(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return text;
  }

  /// White space, folds (CRLF and white space) and comments.
  bool skip_space(bool& any) {
    while (!rest_.empty()) {
      if (rest_.front() == ' ' || rest_.front() == '\t') {
        rest_.remove_prefix(1);
      } else if (begins_with_fold(rest_)) {
        rest_.remove_prefix(3);
      } else if (rest_.front() == '(') {
        if (!skip_comment()) return false;
      } else {
        return true;
      }
      any = true;
    }
    return true;
  }

  bool skip_comment() {
    int depth = 0;
    while (!rest_.empty()) {
      if (begins_with_fold(rest_)) rest_.remove_prefix(2);
      const char c = rest_.front();
      if (is_control(c)) return false;
      rest_.remove_prefix(1);
      if (c == '\\') {
        if (rest_.empty() || is_control(rest_.front())) return false;
        rest_.remove_prefix(1);
      } else if (c == '(') {
        if (++depth > max_comment_depth) return false;
      } else if (c == ')' && --depth == 0) {
        return true;
      }
    }
    return false;
  }

  std::optional<Token> quoted(Token token) {
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      if (begins_with_fold(rest_.substr(i))) i += 2;
      if (is_control(rest_[i])) return std::nullopt;
      if (rest_[i] == '\\') {
        if (++i < rest_.size() && is_control(rest_[i])) return std::nullopt;
      } else if (rest_[i] == '"') {
        token.kind = TokenKind::Quoted;
        token.text = take(i + 1);
        return token;
      }
    }
    return std::nullopt;
  }

  std::string_view rest_;
};

Error unreadable() { return Error::invalid("not a well-formed address list"); }
Error too_long() { return Error::invalid("more than " + std::to_string(max_addresses) + " addresses"); }

using Tokens = std::vector<Token>;

bool is(const Token& token, std::string_view special) {
  return token.kind == TokenKind::Special && token.text == special;
}
/// May stand in a name.
bool is_word(const Token& token) { return token.kind != TokenKind::Special || token.text == "."; }

/// local-part "@" domain without white space in it: obsolete forms with blanks are read differently by different
/// programs.
Result<EmailAddress> read_address(Tokens::const_iterator begin, Tokens::const_iterator end) {
  std::string text;
  for (auto token = begin; token != end; ++token) {
    if (token != begin && token->space_before) return unreadable();
    text += token->text;
  }
  return EmailAddress::parse(text);
}

/// One mailbox: words and <address>, or a bare address.
Result<EmailAddress> read_mailbox(const Tokens& tokens) {
  const auto open = std::find_if(tokens.begin(), tokens.end(), [](const Token& token) { return is(token, "<"); });
  if (open == tokens.end()) return read_address(tokens.begin(), tokens.end());
  // A dot in a phrase is obsolete but common ("John Q. Public") and cannot be taken for an address; an @ can.
  const bool name = std::all_of(tokens.begin(), open, is_word);
  if (!name || !is(tokens.back(), ">")) return unreadable();
  Tokens inside(open + 1, tokens.end() - 1);
  if (!inside.empty()) inside.front().space_before = false;
  return read_address(inside.begin(), inside.end());
}

}  // namespace

Result<std::vector<EmailAddress>> parse_address_list(std::string_view field_body) {
  Tokenizer tokenizer(field_body);
  std::vector<EmailAddress> addresses;
  Tokens current;
  bool in_group = false;
  bool after_group = false;
  bool after_comma = false;
  const auto finish = [&]() -> Status {
    if (addresses.size() >= max_addresses) return too_long();
    auto address = read_mailbox(current);
    if (!address) return address.error();
    addresses.push_back(std::move(*address));
    current.clear();
    return {};
  };
  while (true) {
    auto token = tokenizer.next();
    if (!token) return unreadable();
    const bool end = token->kind == TokenKind::End;
    if (is(*token, ":")) {
      const bool words = !current.empty() && std::all_of(current.begin(), current.end(), is_word);
      if (in_group || after_group || !words) return unreadable();
      in_group = true;
      after_comma = false;
      current.clear();
    } else if (end || is(*token, ",") || is(*token, ";")) {
      if (is(*token, ";") != (in_group && !end && !is(*token, ","))) return unreadable();
      if (current.empty()) {
        const bool empty_group = is(*token, ";") && !after_comma;
        const bool behind_group = after_group && !is(*token, ";");
        const bool empty_field = end && addresses.empty() && !after_comma;
        if (!empty_group && !behind_group && !empty_field) return unreadable();
      } else if (after_group) {
        return unreadable();
      } else if (auto finished = finish(); !finished) {
        return finished.error();
      }
      if (end) {
        if (in_group) return unreadable();
        return addresses;
      }
      after_group = is(*token, ";");
      if (after_group) in_group = false;
      after_comma = is(*token, ",");
    } else {
      if (current.size() >= max_words) return unreadable();
      current.push_back(std::move(*token));
      after_comma = false;
    }
  }
}

}  // namespace sealpost
