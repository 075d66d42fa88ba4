// SPDX-License-Identifier: Apache-2.0
// Implements response_writer.h.
#include "base/http/response_writer.h"

#include <Poco/DateTimeFormat.h>
#include <Poco/DateTimeFormatter.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Timestamp.h>

#include <algorithm>

#include "base/encoding.h"

namespace sealpost::http {
namespace {

constexpr int no_content = 204;

/// What a route did not say itself.
void add_defaults(Response& response) {
  const auto add = [&](const char* name, const char* value) {
    const bool there = std::any_of(response.fields.begin(), response.fields.end(),
                                   [&](const auto& field) { return ascii_iequals(field.first, name); });
    if (!there) response.fields.emplace_back(name, value);
  };
  add("Cache-Control", "no-store");
  add("X-Content-Type-Options", "nosniff");
  add("Referrer-Policy", "no-referrer");
  add("Content-Security-Policy",
      "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'");
}

}  // namespace

std::string reason_of(int status) {
  return Poco::Net::HTTPResponse::getReasonForStatus(static_cast<Poco::Net::HTTPResponse::HTTPStatus>(status));
}

WipedBuffer write_response(Response response, bool head_only, bool close) {
  add_defaults(response);
  // Fields may be secret too: a session's cookie.
  WipedBuffer out;
  out.reserve(1024 + (head_only ? 0 : response.body.size()));
  append(out, "HTTP/1.1 " + std::to_string(response.status) + " " + reason_of(response.status) + "\r\n");
  for (const auto& [name, value] : response.fields) {
    // A value that would end its line can only come from a fault of ours: it must not become a field of somebody
    // else's.
    if (value.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) continue;
    append(out, name);
    append(out, ": ");
    append(out, value);
    append(out, "\r\n");
  }
  append(out,
         "Date: " + Poco::DateTimeFormatter::format(Poco::Timestamp(), Poco::DateTimeFormat::HTTP_FORMAT) + "\r\n");
  // RFC 9110 section 8.6: none in a 204; events end with the connection (RFC 9112 section 6.3).
  if (response.status != no_content && !response.events)
    append(out, "Content-Length: " + std::to_string(response.body.size()) + "\r\n");
  append(out, close ? "Connection: close\r\n\r\n" : "\r\n");
  if (!head_only && response.status != no_content) append(out, view(response.body));
  return out;
}

}  // namespace sealpost::http
