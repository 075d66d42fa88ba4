// SPDX-License-Identifier: Apache-2.0
// What the handlers of all pickup pages share: the reader's language, the page as an answer, a page for each fault, and
// what a visit's forms carry.
#pragma once

#include <string>
#include <string_view>

#include "base/http/router.h"
#include "notify/page_facts.h"
#include "notify/pages.h"
#include "notify/pickup_routes.h"
#include "notify/platform.h"

namespace sealpost {

inline constexpr std::string_view pickup_cookie = "sealpost_pickup";

/// The reader's language, as far as the browser tells it.
std::string language_for(const PickupRoutesContext& context, const http::Request& request);
Pages pages_for(const PickupRoutesContext& context, const http::Request& request);

http::Response show(const PageFrame& frame, int status, const Result<std::string>& page);
/// Each problem has a page of its own that names the one thing to do next.
http::Response refuse(const Pages& pages, const std::string& token, const PickupError& error);

Platform browser_platform(const http::Request& request);

/// A form's hidden field: bound to the session, so that no other page can post in the visitor's name.
std::string csrf_of(const PickupRoutesContext& context, std::string_view session);
/// Whether a form was sent by one of our pages, in the visit that the request belongs to.
bool posted_in_visit(const PickupRoutesContext& context, const http::Request& request, std::string_view csrf);
VisitFacts facts_of(const PickupRoutesContext& context, const std::string& token, std::string_view session,
                    const OpenedPickup& opened);

}  // namespace sealpost
