// SPDX-License-Identifier: Apache-2.0
// Notifications that have not left the queue: they go when they would bring a private key that was destroyed.
#pragma once

#include <cstddef>
#include <string>

#include "base/result.h"
#include "queue/queue_view.h"

namespace sealpost {

/// Drops those to this address; one that is being sent at this moment leaves. How many.
Result<std::size_t> drop_waiting_notifications(QueueView& view, const std::string& address);

}  // namespace sealpost
