// SPDX-License-Identifier: Apache-2.0
// Implements header_addresses.h: a tokenizer and a reader of mailboxes on top of it.
#include "base/header_addresses.h"

#include <algorithm>
#include <optional>

namespace sealpost {
namespace {

constexpr int max_comment_depth = 16;

enum class Kind { Atom, Quoted, Special, End };
struct Token {
  Kind kind = Kind::End;
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
      token.kind = Kind::Special;
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
    token.kind = Kind::Atom;
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
        token.kind = Kind::Quoted;
        token.text = take(i + 1);
        return token;
      }
    }
    return std::nullopt;
  }

  std::string_view rest_;
};

Error unreadable() { return Error::invalid("not a well-formed address list"); }

std::string unquoted(const std::string& text) {
  if (!text.starts_with('"')) return text;
  std::string out;
  for (std::size_t i = 1; i + 1 < text.size(); ++i) {
    if (text[i] == '\\') ++i;
    if (text[i] != '\r' && text[i] != '\n') out += text[i];
  }
  return out;
}

using Tokens = std::vector<Token>;

bool is(const Token& token, std::string_view special) { return token.kind == Kind::Special && token.text == special; }

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
Result<HeaderMailbox> read_mailbox(const Tokens& tokens) {
  const auto open = std::find_if(tokens.begin(), tokens.end(), [](const Token& token) { return is(token, "<"); });
  if (open == tokens.end()) {
    auto address = read_address(tokens.begin(), tokens.end());
    if (!address) return address.error();
    return HeaderMailbox{{}, std::move(*address)};
  }
  if (!is(tokens.back(), ">")) return unreadable();
  std::string name;
  for (auto token = tokens.begin(); token != open; ++token) {
    // A dot in a phrase is obsolete but common ("John Q. Public") and cannot be taken for an address; an @ can.
    if (token->kind == Kind::Special && token->text != ".") return unreadable();
    name += (token->space_before && !name.empty() ? " " : "") + unquoted(token->text);
  }
  Tokens inside(open + 1, tokens.end() - 1);
  if (!inside.empty()) inside.front().space_before = false;
  auto address = read_address(inside.begin(), inside.end());
  if (!address) return address.error();
  return HeaderMailbox{std::move(name), std::move(*address)};
}

}  // namespace

Result<std::vector<HeaderMailbox>> parse_address_list(std::string_view field_body) {
  Tokenizer tokenizer(field_body);
  std::vector<HeaderMailbox> mailboxes;
  Tokens current;
  bool in_group = false;
  bool after_group = false;
  bool after_comma = false;
  const auto finish = [&]() -> Status {
    auto mailbox = read_mailbox(current);
    if (!mailbox) return mailbox.error();
    mailboxes.push_back(std::move(*mailbox));
    current.clear();
    return {};
  };
  while (true) {
    auto token = tokenizer.next();
    if (!token) return unreadable();
    const bool end = token->kind == Kind::End;
    if (is(*token, ":")) {
      const bool words = !current.empty() && std::all_of(current.begin(), current.end(), [](const Token& word) {
        return word.kind != Kind::Special || word.text == ".";
      });
      if (in_group || after_group || !words) return unreadable();
      in_group = true;
      after_comma = false;
      current.clear();
    } else if (end || is(*token, ",") || is(*token, ";")) {
      if (is(*token, ";") != (in_group && !end && !is(*token, ","))) return unreadable();
      if (current.empty()) {
        const bool empty_group = is(*token, ";") && !after_comma;
        const bool behind_group = after_group && !is(*token, ";");
        const bool empty_field = end && mailboxes.empty() && !after_comma;
        if (!empty_group && !behind_group && !empty_field) return unreadable();
      } else if (after_group) {
        return unreadable();
      } else if (auto finished = finish(); !finished) {
        return finished.error();
      }
      if (end) {
        if (in_group) return unreadable();
        return mailboxes;
      }
      after_group = is(*token, ";");
      if (after_group) in_group = false;
      after_comma = is(*token, ",");
    } else {
      current.push_back(std::move(*token));
      after_comma = false;
    }
  }
}

}  // namespace sealpost
