// SPDX-License-Identifier: Apache-2.0
// Implements descriptors.h.
#include "relay/descriptors.h"

#include <sys/resource.h>

#include <algorithm>

namespace sealpost {

std::size_t raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlimit raised{limit.rlim_max, limit.rlim_max};
  return setrlimit(RLIMIT_NOFILE, &raised) == 0 ? raised.rlim_cur : limit.rlim_cur;
}

ConnectionShares share_descriptors(std::size_t limit, ConnectionShares wanted, std::size_t reserve) {
  const std::size_t available = limit - std::min(reserve, limit / 2);
  const std::size_t all = wanted.smtp + wanted.http;
  if (all <= available) return wanted;
  const auto share = [&](std::size_t part) { return part == 0 ? 0 : std::max<std::size_t>(1, available * part / all); };
  return {share(wanted.smtp), share(wanted.http)};
}

}  // namespace sealpost
