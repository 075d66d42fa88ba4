// SPDX-License-Identifier: Apache-2.0
// The queue's summary with what its mail hangs on beside it: key pairs, pickups, certificates. The one place where
// queue/ and crypto/ meet for the operator.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/clock.h"
#include "conf/settings.h"
#include "crypto/key_summary.h"
#include "queue/queue_view.h"
#include "relay/health_routes.h"
#include "relay/services.h"

namespace sealpost {

class QueueOverview final {
 public:
  /// `certificates`: the relay's own, named as CertificateEnd::of has it; what cannot be read is left out.
  QueueOverview(Services& services, const Settings& settings, std::vector<WatchedCertificate> certificates);

  /// `rows` as QueueView::summary has them; of certificates, too.
  [[nodiscard]] Result<QueueSummary> read(std::size_t rows = QueueView::summary_rows) const;
  [[nodiscard]] Result<PoolStatus> pool() const;

 private:
  [[nodiscard]] Result<KeyStatus> keys(Time now, std::size_t rows) const;

  Services& services_;
  std::size_t pool_size_;
  std::string route_;  ///< as route_name has it
  std::vector<WatchedCertificate> certificates_;
};

/// As a tool sees it, which holds no certificate itself: that of TLS is the one in the file.
QueueOverview tool_overview(Services& services, const Settings& settings);

/// The relay's and the recipients' together.
CertificateStatus certificate_status(const KeySummary& recipients, const std::vector<WatchedCertificate>& relays,
                                     Time now, std::size_t rows);

}  // namespace sealpost
