// SPDX-License-Identifier: Apache-2.0
// Implements log.h: one line per event, written with one call so that lines of several threads never mix.
#include "base/log.h"

#include <Poco/JSON/Object.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <sstream>

#include "base/encoding.h"

namespace sealpost {
namespace {

constexpr std::array<std::string_view, 4> level_names = {"debug", "info", "warning", "error"};

/// A value of a text line: quoted when it could be misread, control characters as \xNN; and so every octet beyond
/// ASCII of a value that is broken UTF-8 or holds a Unicode control.
std::string text_value(const std::string& value) {
  const bool utf8 = is_utf8(value) && !has_unicode_control(value);
  const bool plain = !value.empty() && utf8 && std::none_of(value.begin(), value.end(), [](unsigned char c) {
    return c <= 0x20 || c == 0x7f || c == '"' || c == '\\' || c == '=';
  });
  std::string out = plain ? "" : "\"";
  for (const char c : value) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet < 0x20 || octet == 0x7f || (octet >= 0x80 && !utf8)) {
      out += "\\x" + to_hex({&c, 1});
    } else {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
  }
  return plain ? out : out + '"';
}

std::string text_of(const LogField& field) {
  if (const auto* number = std::get_if<std::int64_t>(&field.value)) return std::to_string(*number);
  return text_value(std::get<std::string>(field.value));
}

std::string text_line(std::string_view time, std::string_view level, std::string_view event,
                      const std::vector<LogField>& fields) {
  std::string line = std::string(time) + " " + std::string(level) + " " + std::string(event);
  for (const auto& field : fields) line += " " + std::string(field.name) + "=" + text_of(field);
  return line + "\n";
}

std::string json_line(std::string_view time, std::string_view level, std::string_view event,
                      const std::vector<LogField>& fields) {
  Poco::JSON::Object object(Poco::JSON_PRESERVE_KEY_ORDER);
  object.set("time", std::string(time));
  object.set("level", std::string(level));
  object.set("event", std::string(event));
  for (const auto& field : fields) {
    const std::string name(field.name);
    if (const auto* number = std::get_if<std::int64_t>(&field.value)) {
      object.set(name, *number);
    } else {
      const auto& text = std::get<std::string>(field.value);
      object.set(name, is_utf8(text) ? text : text_value(text));
    }
  }
  std::ostringstream out;
  object.stringify(out);
  return out.str() + "\n";
}

}  // namespace

Log::Log(LogLevel level, LogFormat format, const Clock& clock, int descriptor)
    : level_(level), format_(format), clock_(clock), descriptor_(descriptor) {}

void Log::debug(std::string_view event, std::initializer_list<LogField> fields) {
  write(LogLevel::Debug, event, fields, nullptr);
}
void Log::info(std::string_view event, std::initializer_list<LogField> fields) {
  write(LogLevel::Info, event, fields, nullptr);
}
void Log::warning(std::string_view event, std::initializer_list<LogField> fields) {
  write(LogLevel::Warning, event, fields, nullptr);
}
void Log::error(std::string_view event, std::initializer_list<LogField> fields) {
  write(LogLevel::Error, event, fields, nullptr);
}
void Log::failure(std::string_view event, const sealpost::Error& why, std::initializer_list<LogField> fields) {
  write(why.kind == ErrorKind::Internal ? LogLevel::Error : LogLevel::Warning, event, fields, &why);
}

void Log::write(LogLevel level, std::string_view event, std::initializer_list<LogField> given,
                const sealpost::Error* why) {
  if (level < level_) return;
  std::vector<LogField> fields(given);
  if (why != nullptr) {
    fields.emplace_back("reason", why->public_text);
    if (!why->internal_detail.empty()) fields.emplace_back("detail", why->internal_detail);
  }
  const std::string time = to_rfc3339(clock_.now());
  const auto name = level_names[static_cast<std::size_t>(level)];
  const std::string line =
      format_ == LogFormat::Json ? json_line(time, name, event, fields) : text_line(time, name, event, fields);
  const std::lock_guard lock(mutex_);
  std::string_view rest = line;
  while (!rest.empty()) {
    const auto written = ::write(descriptor_, rest.data(), rest.size());
    if (written <= 0) return;  // nobody can be told that the log itself is gone
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace sealpost
