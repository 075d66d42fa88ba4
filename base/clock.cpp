// SPDX-License-Identifier: Apache-2.0
// Implements clock.h.
#include "base/clock.h"

#include <Poco/DateTime.h>
#include <Poco/DateTimeFormat.h>
#include <Poco/DateTimeFormatter.h>
#include <Poco/DateTimeParser.h>
#include <Poco/Timestamp.h>

namespace sealpost {
namespace {

Poco::Timestamp to_poco(Time time) { return Poco::Timestamp(to_milliseconds(time) * 1000); }

}  // namespace

Time SystemClock::now() const {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

std::string to_rfc3339(Time time) { return Poco::DateTimeFormatter::format(to_poco(time), "%Y-%m-%dT%H:%M:%S.%iZ"); }

std::string to_rfc5322(Time time) {
  return Poco::DateTimeFormatter::format(to_poco(time), "%w, %e %b %Y %H:%M:%S +0000");
}

Result<Time> parse_rfc3339(std::string_view text) {
  int zone = 0;
  Poco::DateTime parsed;
  if (!Poco::DateTimeParser::tryParse(Poco::DateTimeFormat::ISO8601_FRAC_FORMAT, std::string(text), parsed, zone)) {
    return Error::invalid("not an RFC 3339 time");
  }
  parsed.makeUTC(zone);
  return from_milliseconds(parsed.timestamp().epochMicroseconds() / 1000);
}

}  // namespace sealpost
