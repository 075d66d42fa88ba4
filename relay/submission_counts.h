// SPDX-License-Identifier: Apache-2.0
// What SMTP and HTTP each count of the messages that they are given.
#pragma once

#include <chrono>
#include <map>

#include "base/metrics.h"

namespace sealpost {

struct SubmissionCounts {
  metrics::Timing accepting;  ///< from the end of the data until the message is safe
  metrics::Counter accepted;
  std::map<int, metrics::Counter> refused;  ///< by the code of the answer
  metrics::Counter refused_otherwise;       ///< with any other code

  /// A message; not a repetition, which is answered as it was before.
  void accept(std::chrono::steady_clock::time_point data_ended) const {
    accepted.add();
    accepting.since(data_ended);
  }
  void refuse(int code) const {
    const auto counter = refused.find(code);
    (counter == refused.end() ? refused_otherwise : counter->second).add();
  }
};

}  // namespace sealpost
