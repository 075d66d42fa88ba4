// SPDX-License-Identifier: Apache-2.0
// What became of submitted messages: GET /v1/messages and /v1/messages/{id}, for the account that submitted them.
#pragma once

#include <vector>

#include "base/http/router.h"
#include "base/wrapper.h"
#include "crypto/key_directory.h"
#include "notify/pickup_store.h"
#include "queue/queue_view.h"

namespace sealpost::submit {

struct StatusRoutesContext {
  QueueView& view;
  KeyDirectory& directory;
  PickupStore& pickups;
  Wrapper& wrapper;  ///< for cursors, which say more than the caller may know
};

/// The context must outlive the routes.
std::vector<http::Route> status_routes(StatusRoutesContext& context);

}  // namespace sealpost::submit
