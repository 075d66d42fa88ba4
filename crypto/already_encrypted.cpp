// SPDX-License-Identifier: Apache-2.0
// Implements is_already_encrypted of submitted_message.h: the MIME around CMS (cms_inspect.h) and OpenPGP
// (openpgp_packets.h). Everything doubtful is sealed.
#include <algorithm>
#include <optional>
#include <string>

#include "base/encoding.h"
#include "crypto/cms_inspect.h"
#include "crypto/openpgp_packets.h"
#include "crypto/submitted_message.h"

namespace sealpost {
namespace {

std::string unfolded(std::string_view body) {
  std::string text;
  for (const char c : body) {
    if (c != '\r' && c != '\n') text += c == '\t' ? ' ' : c;
  }
  const auto first = text.find_first_not_of(' ');
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

/// type/subtype in lower case, and one parameter's value (RFC 2045 section 5.1); comments are not understood, hence
/// doubtful.
struct ContentType {
  std::string type;
  std::string boundary;
};

std::optional<ContentType> content_type(const SubmittedMessage& message) {
  const auto fields = message.find_all("Content-Type");
  if (fields.size() != 1) return std::nullopt;
  const std::string text = unfolded(fields.front()->body);
  if (text.find('(') != std::string::npos) return std::nullopt;
  ContentType result;
  const auto semicolon = text.find(';');
  result.type = ascii_lower(text.substr(0, semicolon));
  while (result.type.ends_with(' ')) result.type.pop_back();
  const std::string lower = ascii_lower(text);
  const auto at = lower.find("boundary=");
  if (at != std::string::npos && lower.find("boundary=", at + 1) != std::string::npos) return std::nullopt;
  if (at != std::string::npos && at > 0 && (lower[at - 1] == ' ' || lower[at - 1] == ';')) {
    std::string value = text.substr(at + 9);
    if (value.starts_with('"')) {
      value = value.substr(1, value.find('"', 1) - 1);
    } else {
      value = value.substr(0, value.find_first_of("; "));
    }
    result.boundary = value;
  }
  return result;
}

/// Base64 with line breaks, strictly; nothing for anything else in it.
std::optional<std::string> decode_lines(std::string_view text) {
  std::string symbols;
  for (const char c : text) {
    if (c != '\r' && c != '\n' && c != ' ' && c != '\t') symbols += c;
  }
  return from_base64(symbols);
}

/// The transfer encoding in lower case; nothing when it is named twice.
std::optional<std::string> transfer_encoding(const SubmittedMessage& message) {
  const auto fields = message.find_all("Content-Transfer-Encoding");
  if (fields.size() > 1) return std::nullopt;
  return fields.empty() ? "7bit" : ascii_lower(unfolded(fields.front()->body));
}

/// Octets that stand in the body as they are.
bool is_identity(const std::optional<std::string>& encoding) {
  return encoding == "7bit" || encoding == "8bit" || encoding == "binary";
}

bool is_smime(const SubmittedMessage& message) {
  const auto encoding = transfer_encoding(message);
  if (encoding == "base64") {
    const auto der = decode_lines(message.body);
    return der && is_encrypted_cms(*der);
  }
  return encoding == "binary" && is_encrypted_cms(message.body);
}

/// The two parts between the boundaries, or nothing when there is text before, behind, or a different number.
std::optional<std::pair<std::string_view, std::string_view>> two_parts(std::string_view body,
                                                                       const std::string& boundary) {
  if (boundary.empty() || boundary.size() > 70) return std::nullopt;
  const std::string open = "--" + boundary + "\r\n";
  const std::string next = "\r\n--" + boundary + "\r\n";
  const std::string close = "\r\n--" + boundary + "--";
  while (body.starts_with("\r\n"))
    body.remove_prefix(2);  // some programs leave a line empty; a preamble with text is refused
  if (!body.starts_with(open)) return std::nullopt;
  body.remove_prefix(open.size());
  const auto first_end = body.find(next);
  if (first_end == std::string_view::npos) return std::nullopt;
  const auto first = body.substr(0, first_end);
  body.remove_prefix(first_end + next.size());
  const auto second_end = body.find(close);
  if (second_end == std::string_view::npos) return std::nullopt;
  const auto second = body.substr(0, second_end);
  const auto rest = body.substr(second_end + close.size());
  if (rest.find_first_not_of("\r\n \t") != std::string_view::npos) return std::nullopt;
  if (first.find("\r\n--" + boundary) != std::string_view::npos ||
      second.find("\r\n--" + boundary) != std::string_view::npos) {
    return std::nullopt;
  }
  return std::pair(first, second);
}

/// What describes a part, each once and short: a long description, or any other field, could be text for somebody to
/// read.
bool is_plain_part(const SubmittedMessage& part) {
  constexpr std::size_t max_field = 128;
  return std::all_of(part.fields.begin(), part.fields.end(), [&](const HeaderField& field) {
    const bool known = ascii_iequals(field.name, "Content-Type") || ascii_iequals(field.name, "Content-Description") ||
                       ascii_iequals(field.name, "Content-Disposition") ||
                       ascii_iequals(field.name, "Content-Transfer-Encoding");
    return known && field.raw.size() <= max_field && part.find_all(field.name).size() == 1;
  });
}

bool has_type(std::string_view part, std::string_view type, SubmittedMessage& split) {
  auto message = split_message(part);
  if (!message) return false;
  split = std::move(*message);
  const auto found = content_type(split);
  return found && found->type == type && is_plain_part(split) && is_identity(transfer_encoding(split));
}

/// RFC 3156 section 4.
bool is_pgp_mime(const SubmittedMessage& message, const std::string& boundary) {
  if (!is_identity(transfer_encoding(message))) return false;
  const auto parts = two_parts(message.body, boundary);
  if (!parts) return false;
  SubmittedMessage control;
  SubmittedMessage data;
  // A part that is all header has its empty line cut off with the boundary's CRLF.
  if (!has_type(parts->first, "application/pgp-encrypted", control)) return false;
  std::string version(control.body);
  while (version.ends_with('\n') || version.ends_with('\r') || version.ends_with(' ')) version.pop_back();
  return version == "Version: 1" && has_type(parts->second, "application/octet-stream", data) &&
         is_openpgp_encrypted(data.body);
}

}  // namespace

bool is_already_encrypted(const SubmittedMessage& message) {
  const auto type = content_type(message);
  if (!type) return false;
  if (type->type == "application/pkcs7-mime" || type->type == "application/x-pkcs7-mime") return is_smime(message);
  return type->type == "multipart/encrypted" && is_pgp_mime(message, type->boundary);
}

}  // namespace sealpost
