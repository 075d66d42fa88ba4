// SPDX-License-Identifier: Apache-2.0
// Implements clock.h.
#include "base/clock.h"

#include <Poco/DateTime.h>
#include <Poco/DateTimeFormatter.h>
#include <Poco/DateTimeParser.h>
#include <Poco/Timestamp.h>

#include <regex>

namespace sealpost {
namespace {

Poco::Timestamp to_poco(Time time) { return Poco::Timestamp(to_milliseconds(time) * 1000); }

}  // namespace

Time SystemClock::now() const {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

std::string to_rfc3339(Time time) { return Poco::DateTimeFormatter::format(to_poco(time), "%Y-%m-%dT%H:%M:%S.%iZ"); }

std::string to_utc_minute(Time time) { return Poco::DateTimeFormatter::format(to_poco(time), "%Y-%m-%d %H:%M UTC"); }

std::string to_utc_day(Time time) { return Poco::DateTimeFormatter::format(to_poco(time), "%Y-%m-%d"); }

std::optional<Time> parse_rfc3339(const std::string& text) {
  // Poco's parser also takes what is none, and a 30th of February.
  static const std::regex form(R"((\d{4})-(\d\d)-(\d\d)[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d))");
  std::smatch part;
  if (text.size() > 40 || !std::regex_match(text, part, form)) return std::nullopt;
  if (!Poco::DateTime::isValid(std::stoi(part[1]), std::stoi(part[2]), std::stoi(part[3]))) return std::nullopt;
  Poco::DateTime time;
  int offset = 0;
  if (!Poco::DateTimeParser::tryParse("%Y-%m-%dT%H:%M:%s%z", text, time, offset)) return std::nullopt;
  time.makeUTC(offset);
  return from_milliseconds(time.timestamp().epochMicroseconds() / 1000);
}

std::string to_rfc5322(Time time) {
  return Poco::DateTimeFormatter::format(to_poco(time), "%w, %e %b %Y %H:%M:%S +0000");
}

}  // namespace sealpost
