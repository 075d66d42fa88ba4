// SPDX-License-Identifier: Apache-2.0
// Times, spans and rates as people read them in a line of text.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"

namespace sealpost {

/// 90 s, 12 min, 5 h, 3 d: as one number.
std::string age_text(std::int64_t seconds);
/// "2026-01-31T09:30:00Z (in 4 min)", or "(4 min ago)".
std::string moment_text(Time time, Time now);
/// "12.5": one decimal, which is enough to see mail move.
std::string decimal_text(double value);

}  // namespace sealpost
