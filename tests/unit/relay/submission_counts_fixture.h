// SPDX-License-Identifier: Apache-2.0
// Submissions' counters with a registry of their own, and what they say.
#pragma once

#include <string>

#include "relay/submission_counts.h"
#include "tests/support/metrics_text.h"

namespace sealpost::test {

struct CountedSubmissions {
  [[nodiscard]] double accepted() const { return sample(registry.text({}), "accepted_total").value(); }
  /// How many acceptances were timed.
  [[nodiscard]] double timed() const { return sample(registry.text({}), "accept_seconds_count").value(); }
  [[nodiscard]] double seconds() const { return sample(registry.text({}), "accept_seconds_sum").value(); }
  [[nodiscard]] double refused(const std::string& code) const {
    return sample(registry.text({}), "refused_total{code=\"" + code + "\"}").value();
  }

  metrics::Registry registry;
  SubmissionCounts counts = make();

 private:
  SubmissionCounts make() {
    SubmissionCounts made{registry.timing("accept_seconds", "Accept.", {60}),
                          registry.counter("accepted_total", "Accepted."),
                          {},
                          registry.counter("refused_total", "Refused.", {{"code", "other"}})};
    for (const int code : {422, 403, 409, 451, 550, 552, 553}) {
      made.refused[code] = registry.counter("refused_total", "Refused.", {{"code", std::to_string(code)}});
    }
    return made;
  }
};

}  // namespace sealpost::test
