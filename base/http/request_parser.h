// SPDX-License-Identifier: Apache-2.0
// Reads the head of one HTTP/1.1 request strictly (RFC 9112): what two programs could read differently is refused.
// Poco's parser accepts doubled lengths, both framings at once, and decodes field values into raw line ends.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/http/router.h"
#include "base/result.h"

namespace sealpost::http {

/// A refusal with the status that fits.
struct BadRequest {
  int status = 400;
  std::string reason;
};

struct RequestHead {
  std::string method;
  std::string target;  ///< path as sent, still encoded, without the query
  std::string query;
  Fields fields;
  std::optional<std::size_t> content_length;
  bool keep_alive = true;
  bool expects_continue = false;
};

/// `head` ends with the empty line.
Result<RequestHead, BadRequest> parse_request_head(std::string_view head);

}  // namespace sealpost::http
