// SPDX-License-Identifier: Apache-2.0
// Fuzz target: splitting a message, the outer header block and the inner entity. No octet may change sides, and none
// may be lost.
#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/outer_header.h"
#include "crypto/submitted_message.h"
#include "tests/fuzz/require.h"

namespace {

using namespace sealpost;
using fuzz::require;

/// What folding adds or moves is line ends only.
std::string without_line_ends(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c != '\r' && c != '\n') result += c;
  }
  return result;
}

void check_split(const SubmittedMessage& message, std::string_view octets) {
  std::string header;
  for (const auto& field : message.fields) {
    require(field.raw.ends_with("\r\n") && !field.name.empty(), "a field has a name and ends its line");
    header += field.raw;
  }
  require(header + "\r\n" + std::string(message.body) == octets, "fields, empty line and body are the message");
  require(header.find("\r\n\r\n") == std::string::npos, "the first empty line ends the header block");
}

void check_outer(const SubmittedMessage& message) {
  const auto outer = outer_header(message, OuterFields::Sealed, {"Received: x\r\n", "Date: x\r\n"});
  if (!outer) {
    require(outer.error().kind == ErrorKind::Permanent, "only a line that cannot be folded is refused");
    return;
  }
  std::string kept = "Received: x";
  for (const auto& field : message.fields) {
    if (!is_withheld(field.name)) kept += without_line_ends(field.raw);
  }
  std::string_view rest = view(*outer);
  require(without_line_ends(rest) == kept + "Date: x", "the kept fields and nothing else");
  while (!rest.empty()) {
    const auto end = rest.find("\r\n");
    require(end != std::string_view::npos && end > 0 && end <= 998, "lines of 1 to 998 octets");
    require(rest.substr(0, end).find_first_of("\r\n") == std::string_view::npos, "no bare CR or LF");
    rest.remove_prefix(end + 2);
  }
}

void check_inner(const SubmittedMessage& message) {
  WipedBuffer entity = inner_header(message);
  append(entity, message.body);
  const auto inner = split_message(view(entity));
  require(inner.ok(), "the entity is a header block and a body");
  require(inner->body == message.body, "the body is carried octet for octet");
  require(inner->find("Content-Type") != nullptr, "the entity says what it is");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  const auto message = split_message(octets);
  if (!message) {
    require(message.error().kind == ErrorKind::Invalid, "a message that cannot be split is the sender's fault");
    return 0;
  }
  check_split(*message, octets);
  check_outer(*message);
  check_inner(*message);
  return 0;
}
