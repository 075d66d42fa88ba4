// SPDX-License-Identifier: Apache-2.0
// An OpenAPI document as one HTML page: for browsers without script, screen readers and phones; asks no host for
// anything. Whatever the document says is escaped.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace sealpost {

struct OpenApiPage {
  std::string html;
  std::string content_security_policy;  ///< lets in the page's own style, and nothing else
};

Result<OpenApiPage> render_openapi(std::string_view document);

}  // namespace sealpost
