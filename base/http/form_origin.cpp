// SPDX-License-Identifier: Apache-2.0
// Implements form_origin.h.
#include "base/http/form_origin.h"

#include <optional>
#include <string>

#include "base/encoding.h"

namespace sealpost {
namespace {

constexpr std::string_view scheme_end = "://";

/// scheme://host:port in lower case, the port always there.
struct Origin {
  std::string scheme;
  std::string authority;
  bool operator==(const Origin&) const = default;
};

/// "host[:port]" with the scheme's port where none is named. A bracketed IPv6 address has colons of its own.
std::string with_port(std::string_view authority, std::string_view scheme) {
  const auto colon = authority.rfind(':');
  const bool named = colon != std::string_view::npos && authority.find(']', colon) == std::string_view::npos;
  return ascii_lower(authority) + (named ? "" : scheme == "https" ? ":443" : ":80");
}

/// A path behind the authority is left out; anything but http and https is none.
std::optional<Origin> parse_origin(std::string_view url) {
  const auto end = url.find(scheme_end);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string scheme = ascii_lower(url.substr(0, end));
  const auto authority = url.substr(end + scheme_end.size());
  if (scheme != "http" && scheme != "https") return std::nullopt;
  return Origin{scheme, with_port(authority.substr(0, authority.find('/')), scheme)};
}

}  // namespace

bool posted_from_here(const http::Request& request, std::string_view public_url) {
  const auto text = request.field("origin");
  if (text.empty() || text == "null") {
    const auto site = request.field("sec-fetch-site");
    return site.empty() || site == "same-origin" || site == "none";
  }
  const auto origin = parse_origin(text);
  const auto ours = parse_origin(public_url);
  if (!origin || !ours) return false;
  if (*origin == *ours) return true;
  // Reached by another name than public_url's. A page over plain HTTP does not speak for a site that is meant to be
  // HTTPS.
  const bool scheme_fits = origin->scheme == ours->scheme || origin->scheme == "https";
  return scheme_fits && origin->authority == with_port(request.field("host"), origin->scheme);
}

}  // namespace sealpost
