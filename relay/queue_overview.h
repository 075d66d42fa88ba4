// SPDX-License-Identifier: Apache-2.0
// The queue's summary with the pool of key pairs beside it: the one place where queue/ and crypto/ meet for the
// operator.
#pragma once

#include "crypto/key_vault.h"
#include "queue/queue_view.h"

namespace sealpost {

/// `pool_size`: keys.pool_size; `rows` as QueueView::summary has them.
inline Result<QueueSummary> queue_overview(QueueView& view, KeyVault& vault, std::size_t pool_size,
                                           std::size_t rows = QueueView::summary_rows) {
  auto summary = view.summary(rows);
  if (!summary) return summary;
  auto ready = vault.pool_stock();
  if (!ready) return ready.error();
  summary->pool = PoolStatus{*ready, pool_size};
  return summary;
}

}  // namespace sealpost
