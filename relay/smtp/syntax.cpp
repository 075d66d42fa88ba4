// SPDX-License-Identifier: Apache-2.0
// Implements syntax.h.
#include "relay/smtp/syntax.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>
#include <vector>

#include "base/encoding.h"

namespace sealpost::smtp {
namespace {

constexpr std::size_t max_path = 256;  // RFC 5321 section 4.5.3.1.3, brackets included

Reply syntax_error(std::string text) { return {501, "5.5.4", std::move(text)}; }

struct Parameter {
  std::string keyword;  ///< upper case
  std::string_view value;
};

/// A keyword of ours or of the future, as it may be repeated in a reply; nothing of what a client else makes up.
std::string name_of(const std::string& keyword) {
  constexpr std::size_t longest = 32;
  const auto is_keyword_octet = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-'; };
  const bool fits = keyword.size() <= longest && std::all_of(keyword.begin(), keyword.end(), is_keyword_octet);
  return fits ? " " + keyword : std::string();
}

/// The path between angle brackets and what follows it. A '>' in a quoted local part does not end it.
Result<std::pair<std::string_view, std::string_view>, Reply> split_path(std::string_view text,
                                                                        std::string_view keyword) {
  if (text.size() < keyword.size() || !ascii_iequals(text.substr(0, keyword.size()), keyword)) {
    return syntax_error("expected " + std::string(keyword) + "<address>");
  }
  text.remove_prefix(keyword.size());
  while (text.starts_with(' ')) text.remove_prefix(1);
  if (!text.starts_with('<')) return syntax_error("the address stands in angle brackets");
  bool quoted = false;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (quoted && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (text[i] == '>' && !quoted) {
      if (i + 1 > max_path) return Reply{553, "5.1.3", "the address is too long"};
      const auto rest = text.substr(i + 1);
      if (!rest.empty() && rest.front() != ' ') return syntax_error("unexpected text behind the address");
      return std::pair(text.substr(1, i - 1), rest);
    }
  }
  return syntax_error("the address lacks its closing bracket");
}

Result<std::vector<Parameter>, Reply> split_parameters(std::string_view text) {
  std::vector<Parameter> parameters;
  std::set<std::string> seen;
  while (true) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    if (text.empty()) return parameters;
    const auto end = text.find(' ');
    const auto word = text.substr(0, end);
    const auto equals = word.find('=');
    std::string keyword = ascii_upper(word.substr(0, equals));
    if (!seen.insert(keyword).second) return syntax_error("doubled parameter" + name_of(keyword));
    parameters.push_back(
        {std::move(keyword), equals == std::string_view::npos ? std::string_view() : word.substr(equals + 1)});
    text.remove_prefix(end == std::string_view::npos ? text.size() : end);
  }
}

Reply bad_address(const Error& error, bool sender) {
  if (error.public_text == "address literals are not accepted")
    return {553, sender ? "5.1.8" : "5.1.2", error.public_text};
  return {553, sender ? "5.1.7" : "5.1.3", error.public_text};
}

/// The deprecated source route is accepted and ignored (RFC 5321 appendix C).
std::string_view without_route(std::string_view path) {
  if (!path.starts_with('@')) return path;
  const auto colon = path.find(':');
  return colon == std::string_view::npos ? path : path.substr(colon + 1);
}

std::optional<Reply> apply_mail(const Parameter& parameter, MailArguments& arguments) {
  const auto [keyword, value] = std::pair(std::string_view(parameter.keyword), parameter.value);
  if (keyword == "SIZE") {
    std::uint64_t size = 0;
    const auto [end, code] = std::from_chars(value.data(), value.data() + value.size(), size);
    const bool digits = !value.empty() && value.find_first_not_of("0123456789") == std::string_view::npos;
    if (digits && code == std::errc::result_out_of_range) return Reply{552, "5.3.4", "the message is too large"};
    if (!digits || code != std::errc() || end != value.data() + value.size()) return syntax_error("malformed SIZE");
    arguments.size = size;
  } else if (keyword == "BODY") {
    if (!ascii_iequals(value, "7BIT") && !ascii_iequals(value, "8BITMIME")) return syntax_error("unknown BODY");
  } else if (keyword == "SMTPUTF8") {
    if (!value.empty()) return syntax_error("SMTPUTF8 takes no value");
    arguments.smtputf8 = true;
  } else if (keyword == "AUTH") {
    if (!decode_xtext(value)) return syntax_error("malformed AUTH");  // not passed on: the relay vouches for nobody
  } else if (keyword == "RET") {
    if (!ascii_iequals(value, "FULL") && !ascii_iequals(value, "HDRS")) return syntax_error("unknown RET");
  } else if (keyword == "ENVID") {
    if (value.empty() || value.size() > 100 || !decode_xtext(value)) return syntax_error("malformed ENVID");
    arguments.envid = value;
  } else {
    return Reply{555, "5.5.4", "unknown parameter" + name_of(parameter.keyword)};
  }
  return std::nullopt;
}

/// RFC 5322 section 3.2.3, without the equals sign: the value of a parameter has none (RFC 5321 section 4.1.2).
bool is_atom(std::string_view text) {
  constexpr std::string_view specials = "!#$%&'*+-/?^_`{|}~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           specials.find(c) != std::string_view::npos;
  });
}

std::optional<Reply> apply_notify(std::string_view value, DsnRequest& dsn) {
  dsn.given = true;
  dsn.never = dsn.success = dsn.failure = dsn.delay = false;
  std::size_t words = 0;
  while (true) {
    const auto comma = value.find(',');
    const std::string word = ascii_lower(value.substr(0, comma));
    if (word == "never")
      dsn.never = true;
    else if (word == "success")
      dsn.success = true;
    else if (word == "failure")
      dsn.failure = true;
    else if (word == "delay")
      dsn.delay = true;
    else
      return syntax_error("unknown NOTIFY");
    ++words;
    if (comma == std::string_view::npos) break;
    value.remove_prefix(comma + 1);
  }
  if (dsn.never && words > 1) return syntax_error("NOTIFY=NEVER stands alone");
  return std::nullopt;
}

std::optional<Reply> apply_rcpt(const Parameter& parameter, RcptArguments& arguments) {
  const auto value = parameter.value;
  if (parameter.keyword == "NOTIFY") return apply_notify(value, arguments.dsn);
  if (parameter.keyword == "ORCPT") {
    const auto semicolon = value.find(';');
    if (semicolon == std::string_view::npos || !is_atom(value.substr(0, semicolon)) || value.size() > 500 ||
        !decode_xtext(value.substr(semicolon + 1))) {
      return syntax_error("malformed ORCPT");
    }
    arguments.dsn.orcpt = value;
    return std::nullopt;
  }
  return Reply{555, "5.5.4", "unknown parameter" + name_of(parameter.keyword)};
}

Reply needs_smtputf8() { return {553, "5.6.7", "this address needs SMTPUTF8"}; }

}  // namespace

Result<MailArguments, Reply> parse_mail(std::string_view text) {
  auto path = split_path(text, "FROM:");
  if (!path) return path.error();
  auto parameters = split_parameters(path->second);
  if (!parameters) return parameters.error();
  MailArguments arguments;
  for (const auto& parameter : *parameters) {
    if (auto refused = apply_mail(parameter, arguments)) return std::move(*refused);
  }
  if (path->first.empty()) return arguments;
  auto address = EmailAddress::parse(without_route(path->first));
  if (!address) return bad_address(address.error(), true);
  if (!arguments.smtputf8 && address->needs_smtputf8()) return needs_smtputf8();
  arguments.from = std::move(*address);
  return arguments;
}

Result<RcptArguments, Reply> parse_rcpt(std::string_view text, bool smtputf8) {
  auto path = split_path(text, "TO:");
  if (!path) return path.error();
  auto address = EmailAddress::parse(without_route(path->first));
  if (!address) return bad_address(address.error(), false);
  if (!smtputf8 && address->needs_smtputf8()) return needs_smtputf8();
  auto parameters = split_parameters(path->second);
  if (!parameters) return parameters.error();
  RcptArguments arguments{std::move(*address), {}};
  for (const auto& parameter : *parameters) {
    if (auto refused = apply_rcpt(parameter, arguments)) return std::move(*refused);
  }
  return arguments;
}

}  // namespace sealpost::smtp
