// SPDX-License-Identifier: Apache-2.0
// Messages of REST as tests write them: from JSON text to a composition, or to all that is wrong with it in one string.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "base/http/json_body.h"
#include "relay/submit/composition_json.h"

namespace sealpost::submit::test {

inline Result<Composition, FieldErrors> read_json(const std::string& body, const std::string& pointer = {},
                                                  std::size_t max_recipients = 1000) {
  auto json = http::parse_json(body, 6);
  if (!json) return FieldErrors{{"(body)", json.error().public_text}};
  return read_composition(*json, pointer, max_recipients);
}

/// "POINTER: DETAIL", a line each; empty for a message that was taken.
inline std::string refusals(const Result<Composition, FieldErrors>& read) {
  std::string out;
  if (read) return out;
  EXPECT_FALSE(read.error().empty()) << "refused, and nobody learns why";
  for (const auto& error : read.error()) out += error.pointer + ": " + error.detail + "\n";
  return out;
}

/// A message with these members beside those that it must have.
inline std::string with(const std::string& members) {
  return R"({"from":"a@example.com","to":["b@example.net"],)" + members + "}";
}

}  // namespace sealpost::submit::test
