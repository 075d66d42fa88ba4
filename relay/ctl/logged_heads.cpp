// SPDX-License-Identifier: Apache-2.0
// Implements logged_heads.h: reads lines as base/log writes them.
#include "relay/ctl/logged_heads.h"

#include <Poco/JSON/Object.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/http/json_body.h"
#include "base/message_id.h"

namespace sealpost::ctl {
namespace {

/// What a line says: the fields, and under "event" what happened.
using Fields = std::map<std::string, std::string, std::less<>>;

/// Up to the blank, which goes as well.
std::string_view take_word(std::string_view& rest) {
  const auto end = std::min(rest.find(' '), rest.size());
  const auto word = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return word;
}

/// A value as text lines have it: quoted when it could be misread.
std::string take_value(std::string_view& rest) {
  if (!rest.starts_with('"')) return std::string(take_word(rest));
  std::string value;
  std::size_t at = 1;
  for (; at < rest.size() && rest[at] != '"'; ++at) {
    if (rest[at] == '\\' && at + 1 < rest.size()) ++at;
    value += rest[at];
  }
  rest.remove_prefix(std::min(at + 2, rest.size()));
  return value;
}

/// What stands behind time and level. Both are looked for in front of any brace, where nobody's words stand but the
/// journal's.
std::optional<std::string_view> text_event(std::string_view line) {
  constexpr std::array<std::string_view, 4> levels = {"debug", "info", "warning", "error"};
  std::string_view rest = line.substr(0, line.find('{'));
  while (!rest.empty()) {
    if (!parse_rfc3339(std::string(take_word(rest)))) continue;
    auto behind = rest;
    if (std::find(levels.begin(), levels.end(), take_word(behind)) == levels.end()) continue;
    return line.substr(static_cast<std::size_t>(behind.data() - line.data()));
  }
  return std::nullopt;
}

Fields read_text(std::string_view rest) {
  Fields fields = {{"event", std::string(take_word(rest))}};
  while (!rest.empty()) {
    const auto equals = rest.find('=');
    if (equals == std::string_view::npos) break;
    std::string name(rest.substr(0, equals));
    rest.remove_prefix(equals + 1);
    fields.emplace(std::move(name), take_value(rest));
  }
  return fields;
}

Fields read_json(std::string_view text) {
  Fields fields;
  const auto parsed = http::parse_json(text, 1);
  if (!parsed || parsed->type() != typeid(Poco::JSON::Object::Ptr)) return fields;
  for (const auto& [name, value] : *parsed->extract<Poco::JSON::Object::Ptr>()) {
    if (value.isString() || value.isInteger()) fields.emplace(name, value.convert<std::string>());
  }
  return fields;
}

Fields read_line(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (const auto event = text_event(line)) return read_text(*event);
  const auto brace = line.find('{');
  return brace == std::string_view::npos ? Fields() : read_json(line.substr(brace));
}

std::optional<std::uint64_t> number_of(const Fields& fields, std::string_view name) {
  const auto found = fields.find(name);
  if (found == fields.end() || found->second.empty() || found->second.size() > 18) return std::nullopt;
  if (found->second.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  return std::stoull(found->second);
}

}  // namespace

LoggedHeads read_logged_heads(std::istream& log) {
  LoggedHeads heads;
  for (std::string line; std::getline(log, line);) {
    const Fields fields = read_line(line);
    const auto event = fields.find("event");
    const auto head = fields.find("head");
    const auto shard = number_of(fields, "shard");
    const auto sequence = number_of(fields, "sequence");
    if (event == fields.end() || head == fields.end() || !shard || *shard >= shard_count || !sequence) continue;
    const AuditPlace place{static_cast<unsigned>(*shard), *sequence};
    if (event->second == "audit") heads.certain[place].insert(head->second);
    if (event->second == "audit.uncertain") heads.uncertain[place].insert(head->second);
  }
  return heads;
}

}  // namespace sealpost::ctl
