// SPDX-License-Identifier: Apache-2.0
// Implements clock.h.
#include "base/clock.h"

#include <Poco/DateTimeFormatter.h>
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

}  // namespace sealpost
