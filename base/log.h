// SPDX-License-Identifier: Apache-2.0
// Structured events on standard error, as text or JSON lines. Takes no Secret and no WipedBuffer: what is secret cannot
// be logged by mistake.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <mutex>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace sealpost {

enum class LogLevel { Debug, Info, Warning, Error };
enum class LogFormat { Text, Json };

/// One name and value of an event. Control characters in values are escaped on output.
struct LogField {
  template <class T>
  requires std::is_integral_v<T> LogField(std::string_view field_name, T number)
      : name(field_name), value(static_cast<std::int64_t>(number)) {}
  LogField(std::string_view field_name, std::string_view text) : name(field_name), value(std::string(text)) {}
  LogField(std::string_view field_name, const char* text) : LogField(field_name, std::string_view(text)) {}
  LogField(std::string_view field_name, const std::string& text) : LogField(field_name, std::string_view(text)) {}
  std::string_view name;
  std::variant<std::int64_t, std::string> value;
};

/// Where events go. One object per process, passed to each part; safe from any thread.
class Log final {
 public:
  /// Writes whole lines to the descriptor (2 = standard error; tests give a pipe or a file).
  Log(LogLevel level, LogFormat format, const Clock& clock, int descriptor = 2);

  void debug(std::string_view event, std::initializer_list<LogField> fields = {});
  void info(std::string_view event, std::initializer_list<LogField> fields = {});
  void warning(std::string_view event, std::initializer_list<LogField> fields = {});
  void error(std::string_view event, std::initializer_list<LogField> fields = {});
  /// An unexpected Error at the place that gives up on it.
  void failure(std::string_view event, const sealpost::Error& why, std::initializer_list<LogField> fields = {});

 private:
  void write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields,
             const sealpost::Error* why);
  LogLevel level_;
  LogFormat format_;
  const Clock& clock_;
  int descriptor_;
  std::mutex mutex_;
};

}  // namespace sealpost
