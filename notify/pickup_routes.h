// SPDX-License-Identifier: Apache-2.0
// The HTTP side of pickup: JSON calls for programs and plain pages for people, over the same Pickup.
#pragma once

#include <string>
#include <vector>

#include "base/http/router.h"
#include "base/wrapper.h"
#include "notify/key_choices.h"
#include "notify/notifier.h"
#include "notify/pages.h"
#include "notify/pickup.h"

namespace sealpost {

struct PickupRoutesContext {
  Pickup& pickup;
  KeyChoices& choices;
  Notifier& notifier;
  Wrapper& wrapper;  ///< for the CSRF field's MAC
  PageSite site;
  std::string public_url;
  std::string language;  ///< of a reader whose browser asks for none that there is
};

/// Rows of POST /v1/pickup/… (notify/pickup_api.cpp). The context must outlive the routes.
std::vector<http::Route> pickup_api_routes(PickupRoutesContext& context);
/// Rows of /pickup/… from the code to the key file (notify/pickup_pages.cpp).
std::vector<http::Route> pickup_page_routes(PickupRoutesContext& context);
/// Rows of /pickup/… about what becomes of a key (notify/key_page_routes.cpp).
std::vector<http::Route> key_page_routes(PickupRoutesContext& context);
/// All of them.
std::vector<http::Route> recipient_routes(PickupRoutesContext& context);

}  // namespace sealpost
