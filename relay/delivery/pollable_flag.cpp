// SPDX-License-Identifier: Apache-2.0
// Implements pollable_flag.h over eventfd.
#include "relay/delivery/pollable_flag.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace sealpost {

PollableFlag::PollableFlag() : descriptor_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (descriptor_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
}

PollableFlag::~PollableFlag() { close(descriptor_); }

void PollableFlag::raise() {
  if (raised_.exchange(true)) return;
  // Cannot fail: the counter goes from 0 to 1 and is never read.
  [[maybe_unused]] const int written = eventfd_write(descriptor_, 1);
}

}  // namespace sealpost
