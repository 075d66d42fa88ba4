// SPDX-License-Identifier: Apache-2.0
// Time as the relay sees it: wall-clock time in milliseconds, passed in so that tests decide what time it is.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace sealpost {

/// Wall-clock time in the resolution that is shown everywhere (milliseconds).
using Time = std::chrono::time_point<std::chrono::system_clock, std::chrono::milliseconds>;
using Duration = std::chrono::milliseconds;

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Time now() const = 0;
};

/// The machine's clock.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] Time now() const override;
};

inline std::int64_t to_milliseconds(Time time) { return time.time_since_epoch().count(); }
inline Time from_milliseconds(std::int64_t value) { return Time(Duration(value)); }

/// RFC 3339 in UTC with milliseconds: 2026-01-31T09:30:00.123Z.
std::string to_rfc3339(Time time);
/// For people, whatever their language: 2026-01-31 09:30 UTC.
std::string to_utc_minute(Time time);
/// The day alone, in UTC: 2026-01-31.
std::string to_utc_day(Time time);
/// A date-time of RFC 3339 with any offset, to the millisecond; nothing for what is none.
std::optional<Time> parse_rfc3339(const std::string& text);
/// RFC 5322 date-time in UTC: Sat, 31 Jan 2026 09:30:00 +0000.
std::string to_rfc5322(Time time);

}  // namespace sealpost
