// SPDX-License-Identifier: Apache-2.0
// Implements clock.h.
#include "base/clock.h"

#include <Poco/DateTime.h>
#include <Poco/DateTimeFormat.h>
#include <Poco/DateTimeFormatter.h>
#include <Poco/DateTimeParser.h>
#include <Poco/RegularExpression.h>
#include <Poco/Timestamp.h>

namespace sealpost {
namespace {

Poco::Timestamp to_poco(Time time) { return Poco::Timestamp(to_milliseconds(time) * 1000); }

/// Poco reads "yesterday" and "2026" as times, too; the grammar of RFC 3339 section 5.6 is checked first.
bool is_date_time(const std::string& text) {
  static const Poco::RegularExpression shape(
      R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d))",
      Poco::RegularExpression::RE_ANCHORED);
  return shape.match(text);
}

}  // namespace

Time SystemClock::now() const {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

std::string to_rfc3339(Time time) { return Poco::DateTimeFormatter::format(to_poco(time), "%Y-%m-%dT%H:%M:%S.%iZ"); }

std::string to_rfc5322(Time time) {
  return Poco::DateTimeFormatter::format(to_poco(time), "%w, %e %b %Y %H:%M:%S +0000");
}

Result<Time> parse_rfc3339(std::string_view text) {
  const std::string written(text);
  int zone = 0;
  Poco::DateTime parsed;
  if (!is_date_time(written) ||
      !Poco::DateTimeParser::tryParse(Poco::DateTimeFormat::ISO8601_FRAC_FORMAT, written, parsed, zone)) {
    return Error::invalid("not an RFC 3339 time");
  }
  parsed.makeUTC(zone);
  return from_milliseconds(parsed.timestamp().epochMicroseconds() / 1000);
}

}  // namespace sealpost
