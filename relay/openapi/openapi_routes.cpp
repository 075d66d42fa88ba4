// SPDX-License-Identifier: Apache-2.0
// Implements openapi_routes.h.
#include "relay/openapi/openapi_routes.h"

#include <memory>

#include "openapi_files.h"
#include "relay/openapi/openapi_page.h"

namespace sealpost {
namespace {

/// Both change with the program only, and a restart with another http.public_url is seen soon.
constexpr std::string_view caching = "public, max-age=300";

void replace(std::string& text, std::string_view mark, std::string_view value) {
  const auto at = text.find(mark);
  if (at != std::string::npos) text.replace(at, mark.size(), value);
}

http::Response show(const Result<OpenApiPage>& page) {
  if (!page) return http::Response::failure(page.error());
  return http::Response::html(200, page->html)
      .with("Cache-Control", std::string(caching))
      .with("Content-Security-Policy", page->content_security_policy);
}

}  // namespace

std::string openapi_document(std::string_view public_url) {
  std::string document(openapi_files::openapi_json);
  replace(document, "{{version}}", SEALPOST_VERSION);
  replace(document, "{{public_url}}", public_url);  // the settings let nothing in that ends a string
  return document;
}

std::vector<http::Route> openapi_routes(std::string_view public_url) {
  using http::Access;
  const auto document = std::make_shared<const std::string>(openapi_document(public_url));
  const auto page = std::make_shared<const Result<OpenApiPage>>(render_openapi(*document));
  return {{"GET", "/v1/openapi.json", Access::Public, 0,
           [document](const http::Request&) {
             return http::Response::json(200, *document).with("Cache-Control", std::string(caching));
           }},
          {"GET", "/docs", Access::Public, 0, [page](const http::Request&) { return show(*page); }}};
}

}  // namespace sealpost
