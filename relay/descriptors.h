// SPDX-License-Identifier: Apache-2.0
// How many of the process' file descriptors connections may take, so that deliveries, Redis and files keep theirs.
#pragma once

#include <cstddef>

namespace sealpost {

/// Raises the soft limit of open files to the hard one. The value is what the process may have open now.
std::size_t raise_descriptor_limit();

struct ConnectionShares {
  std::size_t smtp = 0;
  std::size_t http = 0;
};

/// As many connections as are wanted, or in proportion what `limit` leaves them beside the reserve, of which a small
/// limit spares half for them.
ConnectionShares share_descriptors(std::size_t limit, ConnectionShares wanted, std::size_t reserve);

}  // namespace sealpost
