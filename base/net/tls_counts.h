// SPDX-License-Identifier: Apache-2.0
// How many TLS sessions were made, by version; older ones than these nobody here speaks.
#pragma once

#include <string_view>

#include "base/metrics.h"

namespace sealpost::net {

struct TlsCounts {
  metrics::Counter tls12;
  metrics::Counter tls13;

  /// As OpenSSL says it; what stands behind the version does not count.
  void add(std::string_view version) const { (version.starts_with("TLSv1.3") ? tls13 : tls12).add(); }
};

}  // namespace sealpost::net
