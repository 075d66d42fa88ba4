// SPDX-License-Identifier: Apache-2.0
// HTTP: the head of a request and the fields of a form.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/http/request_parser.h"

using namespace sealpost;  // NOLINT(google-build-using-namespace): one function

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto head = http::parse_request_head(text);
  if (head) {
    require(!head->method.empty() && head->target.starts_with('/') && head->target.find('?') == std::string::npos);
    for (const auto& [name, value] : head->fields) {
      // A line end inside a field would be another field to whoever prints it.
      require(!name.empty() && (name + value).find_first_of(std::string("\r\n\0", 3)) == std::string::npos);
    }
  } else {
    require(head.error().status >= 400 && head.error().status < 600 && !head.error().reason.empty());
  }
  const auto form = http::parse_form(text);
  require(form.size() <= size + 1);
  return 0;
}
