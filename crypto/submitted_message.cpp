// SPDX-License-Identifier: Apache-2.0
// Implements splitting of submitted_message.h. What is already encrypted: already_encrypted.cpp.
#include "crypto/submitted_message.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/encoding.h"

namespace sealpost {
namespace {

constexpr std::array<std::string_view, 9> withheld = {"bcc",
                                                      "resent-bcc",
                                                      "return-path",
                                                      "mime-version",
                                                      "dkim-signature",
                                                      "domainkey-signature",
                                                      "x-google-dkim-signature",
                                                      "authentication-results",
                                                      "idempotency-key"};

// What is read of a header block costs memory that no budget counts: a field of four octets takes twelve times as many.
constexpr std::size_t max_header_block = 1024UL * 1024;
constexpr std::size_t max_fields = 10'000;

/// ftext of RFC 5322 section 3.6.8.
bool is_field_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

/// The next line without its CRLF, or nothing when there is no further CRLF or the line holds a control that ends lines
/// elsewhere.
Result<std::string_view> next_line(std::string_view rest) {
  const auto end = rest.find("\r\n");
  if (end == std::string_view::npos) return Error::invalid("no empty line ends the header block within its first MiB");
  const auto line = rest.substr(0, end);
  if (line.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos) {
    return Error::invalid("a bare CR, LF or NUL in the header block");
  }
  return line;
}

}  // namespace

const HeaderField* SubmittedMessage::find(std::string_view name) const {
  const auto found = std::find_if(fields.begin(), fields.end(),
                                  [&](const HeaderField& field) { return ascii_iequals(field.name, name); });
  return found == fields.end() ? nullptr : &*found;
}

std::vector<const HeaderField*> SubmittedMessage::find_all(std::string_view name) const {
  std::vector<const HeaderField*> all;
  for (const auto& field : fields) {
    if (ascii_iequals(field.name, name)) all.push_back(&field);
  }
  return all;
}

Result<SubmittedMessage> split_message(std::string_view octets) {
  SubmittedMessage message;
  std::size_t at = 0;
  while (true) {
    auto line = next_line(octets.substr(at, max_header_block - at));
    if (!line) return line.error();
    const std::size_t size = line->size() + 2;
    if (line->empty()) {
      message.body = octets.substr(at + size);
      return message;
    }
    if (line->front() == ' ' || line->front() == '\t') {
      if (message.fields.empty()) return Error::invalid("the message begins with a folded line");
      auto& field = message.fields.back();
      const auto begin = static_cast<std::size_t>(field.raw.data() - octets.data());
      const auto body_begin = static_cast<std::size_t>(field.body.data() - octets.data());
      field.raw = octets.substr(begin, at + size - begin);
      field.body = octets.substr(body_begin, at + line->size() - body_begin);
    } else {
      const auto colon = line->find(':');
      auto name = line->substr(0, colon);
      while (!name.empty() && (name.back() == ' ' || name.back() == '\t')) name.remove_suffix(1);  // obs-optional
      if (colon == std::string_view::npos || !is_field_name(name)) {
        return Error::invalid("a line in the header block is neither field nor fold");
      }
      if (message.fields.size() >= max_fields) return Error::invalid("more than 10,000 fields in the header block");
      message.fields.push_back({name, line->substr(colon + 1), octets.substr(at, size)});
    }
    at += size;
  }
}

bool is_withheld(std::string_view field_name) {
  const std::string name = ascii_lower(field_name);
  return name.starts_with("content-") || name.starts_with("arc-") ||
         std::find(withheld.begin(), withheld.end(), name) != withheld.end();
}

}  // namespace sealpost
