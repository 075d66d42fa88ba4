// SPDX-License-Identifier: Apache-2.0
// The HTTP side of pickup: JSON calls for programs and plain pages for people, over the same Pickup.
#pragma once

#include <string>
#include <vector>

#include "base/http/router.h"
#include "base/wrapper.h"
#include "notify/notifier.h"
#include "notify/pages.h"
#include "notify/pickup.h"

namespace sealpost {

struct PickupRoutesContext {
  Pickup& pickup;
  Notifier& notifier;
  Wrapper& wrapper;  ///< for the CSRF field's MAC
  PageSite site;
  std::string public_url;
  std::string language;  ///< of a reader whose browser asks for none that there is
};

/// Rows of POST /v1/pickup/… (notify/pickup_api.cpp). The context must outlive the routes.
std::vector<http::Route> pickup_api_routes(PickupRoutesContext& context);
/// Rows of /pickup/… (notify/pickup_pages.cpp).
std::vector<http::Route> pickup_page_routes(PickupRoutesContext& context);

}  // namespace sealpost
