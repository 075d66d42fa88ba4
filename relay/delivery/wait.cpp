// SPDX-License-Identifier: Apache-2.0
// Implements wait.h.
#include "relay/delivery/wait.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace sealpost {
namespace {

constexpr long long longest_poll = 3'600'000;

}  // namespace

Status wait_for(int descriptor, short events, Deadline deadline, const PollableFlag* stop) {
  std::array<pollfd, 2> polled{{{descriptor, events, 0}, {stop != nullptr ? stop->descriptor() : -1, POLLIN, 0}}};
  while (true) {
    const long long left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    // Looked at before the descriptor: a peer that always has one more octet must not outlive them.
    if (stop != nullptr && stop->raised()) return Error::temporary("the relay is stopping");
    if (left <= 0) return Error::temporary("timed out");
    const int ready = poll(polled.data(), polled.size(), static_cast<int>(std::min(left, longest_poll)));
    if (ready < 0 && errno != EINTR) return Error::temporary("connection failed", std::strerror(errno));
    if (ready > 0 && polled[0].revents != 0) return {};
  }
}

}  // namespace sealpost
