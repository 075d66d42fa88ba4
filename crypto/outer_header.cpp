// SPDX-License-Identifier: Apache-2.0
// Implements outer_header.h.
#include "crypto/outer_header.h"

#include <algorithm>
#include <string>

#include "base/encoding.h"

namespace sealpost {
namespace {

constexpr std::size_t max_line = 998;

bool is_content_field(std::string_view name) { return ascii_lower(name).starts_with("content-"); }

bool is_mime_field(std::string_view name) { return is_content_field(name) || ascii_iequals(name, "MIME-Version"); }

/// Appends one line without its CRLF, folded where it is too long: a CRLF in front of white space changes nothing (RFC
/// 5322 section 2.2.3).
Status append_line(WipedBuffer& out, std::string_view line) {
  while (line.size() > max_line) {
    // A fold at the very beginning, or behind the last word, would make a line of white space only: the end of the
    // header block for some.
    const auto last_word = line.find_last_not_of(" \t");
    const auto space =
        line.find_last_of(" \t", last_word == std::string_view::npos ? 0 : std::min(max_line, last_word));
    if (space == std::string_view::npos || line.find_first_not_of(" \t") >= space) {
      return Error::permanent("a header line has more than 998 octets and cannot be folded");
    }
    append(out, line.substr(0, space));
    append(out, "\r\n");
    line.remove_prefix(space);
  }
  append(out, line);
  append(out, "\r\n");
  return {};
}

Status append_field(WipedBuffer& out, std::string_view raw) {
  while (!raw.empty()) {
    const auto end = raw.find("\r\n");
    if (auto appended = append_line(out, raw.substr(0, end)); !appended) return appended;
    raw.remove_prefix(end + 2);
  }
  return {};
}

}  // namespace

Result<WipedBuffer> outer_header(const SubmittedMessage& message, OuterFields which, const HeaderAdditions& additions) {
  WipedBuffer out;
  append(out, additions.top);
  for (const auto& field : message.fields) {
    const bool stays = !is_withheld(field.name) || (which == OuterFields::PassedThrough && is_mime_field(field.name));
    if (!stays) continue;
    if (auto appended = append_field(out, field.raw); !appended) return appended.error();
  }
  append(out, additions.bottom);
  return out;
}

WipedBuffer inner_header(const SubmittedMessage& message) {
  WipedBuffer header;
  std::size_t size = 64;
  for (const auto& field : message.fields) size += is_content_field(field.name) ? field.raw.size() : 0;
  header.reserve(size);
  if (message.find("Content-Type") == nullptr) append(header, "Content-Type: text/plain\r\n");
  for (const auto& field : message.fields) {
    if (is_content_field(field.name)) append(header, field.raw);
  }
  append(header, "\r\n");
  return header;
}

}  // namespace sealpost
