// SPDX-License-Identifier: Apache-2.0
// A flag that is raised once and can be waited for with poll: ends waits that would otherwise last until their
// deadline.
#pragma once

#include <atomic>

namespace sealpost {

class PollableFlag final {
 public:
  PollableFlag();
  ~PollableFlag();
  PollableFlag(const PollableFlag&) = delete;
  PollableFlag& operator=(const PollableFlag&) = delete;

  void raise();
  [[nodiscard]] bool raised() const { return raised_; }
  /// Readable from the time the flag is raised, for good.
  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
  std::atomic<bool> raised_{false};
};

}  // namespace sealpost
