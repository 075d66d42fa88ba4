// SPDX-License-Identifier: Apache-2.0
// Implements mail_composer.h.
#include "notify/mail_composer.h"

#include <algorithm>

#include "base/body_encoder.h"
#include "base/encoding.h"

namespace sealpost {
namespace {

constexpr std::size_t max_7bit_line = 998;
/// An encoded-word has at most 75 characters (RFC 2047 section 2): 12 of frame, and base64 of this many octets.
constexpr std::size_t max_encoded_octets = 45;

/// CRLF line ends throughout.
WipedBuffer with_crlf(std::string_view text) {
  WipedBuffer out;
  out.reserve(text.size() + text.size() / 32);
  char before = '\0';
  for (const char c : text) {
    if (c == '\n' && before != '\r') out.push_back('\r');
    out.push_back(c);
    before = c;
  }
  if (before != '\n') append(out, "\r\n");
  return out;
}

bool fits_7bit(std::string_view text) {
  if (!is_ascii(text)) return false;
  for (std::size_t line = 0; line < text.size();) {
    const auto end = text.find('\n', line);
    const auto size = (end == std::string_view::npos ? text.size() : end) - line;
    if (size > max_7bit_line) return false;
    line += size + 1;
  }
  return true;
}

bool is_report(const MimePart& part) { return part.content_type.starts_with("message/"); }

/// Other text beyond ASCII goes as base64; RFC 6533 section 3 wants message/global-… as 8bit where that is possible.
bool is_8bit(const MimePart& part) {
  return part.parts.empty() ? is_report(part) && !is_ascii(part.body)
                            : std::any_of(part.parts.begin(), part.parts.end(), is_8bit);
}

void append_part(WipedBuffer& out, const MimePart& part, Random& random);

void append_multipart(WipedBuffer& out, const MimePart& multipart, Random& random) {
  const std::string boundary = "=_" + to_hex(random.octets(16));
  append(out, "Content-Type: " + multipart.content_type + ";\r\n\tboundary=\"" + boundary + "\"\r\n");
  if (is_8bit(multipart)) append(out, "Content-Transfer-Encoding: 8bit\r\n");
  for (const auto& part : multipart.parts) {
    // The line end before a boundary is the boundary's own (RFC 2046 section 5.1.1).
    append(out, "\r\n--" + boundary + "\r\n");
    append_part(out, part, random);
  }
  append(out, "\r\n--" + boundary + "--\r\n");
}

void append_part(WipedBuffer& out, const MimePart& part, Random& random) {
  if (!part.parts.empty()) return append_multipart(out, part, random);
  const bool text = is_report(part) || part.content_type.starts_with("text/");
  append(out, "Content-Type: " + part.content_type + "\r\n");
  if (!part.disposition.empty()) append(out, "Content-Disposition: " + part.disposition + "\r\n");
  const WipedBuffer body = text ? with_crlf(part.body) : WipedBuffer(part.body.begin(), part.body.end());
  if (text && (fits_7bit(view(body)) || is_report(part))) {
    append(out, is_8bit(part) ? "Content-Transfer-Encoding: 8bit\r\n\r\n" : "\r\n");
    append(out, view(body));
    return;
  }
  append(out, "Content-Transfer-Encoding: base64\r\n\r\n");
  BodyEncoder encoder;
  append(out, encoder.update(view(body)));
  append(out, encoder.finish());
}

/// RFC 2047 section 5: a name beyond ASCII as encoded-words, each of whole characters, folded between them.
std::string encoded_words(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    std::size_t size = std::min(text.size(), max_encoded_octets);
    while (size < text.size() && (static_cast<unsigned char>(text[size]) & 0xc0U) == 0x80U) --size;
    out += (out.empty() ? "" : "\r\n ") + ("=?utf-8?B?" + to_base64(text.substr(0, size)) + "?=");
    text.remove_prefix(size);
  }
  return out;
}

/// "Name <address>" with the name quoted or encoded as it needs.
std::string header_mailbox(const std::string& name, const std::string& address) {
  if (name.empty()) return "<" + address + ">";
  if (!is_ascii(name)) return encoded_words(name) + "\r\n <" + address + ">";
  std::string quoted;
  for (const char c : name) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) quoted += c;
  }
  return "\"" + quoted + "\" <" + address + ">";
}

}  // namespace

WipedBuffer compose(const NoticeSender& from, const MailHeader& header, const MimePart& content, const Clock& clock,
                    Random& random) {
  WipedBuffer out;
  append(out, "Date: " + to_rfc5322(clock.now()) + "\r\n");
  append(out, "From: " + header_mailbox(from.name, from.address) + "\r\n");
  append(out, "To: <" + header.to + ">\r\n");
  append(out, "Subject: " + header.subject + "\r\n");
  append(out, "Message-ID: <" + to_hex(random.octets(16)) + "@" + from.hostname + ">\r\n");
  if (!header.in_reply_to.empty()) {
    append(out, "In-Reply-To: " + header.in_reply_to + "\r\nReferences: " + header.in_reply_to + "\r\n");
  }
  append(out, "Auto-Submitted: " + header.auto_submitted + "\r\n");
  append(out, "MIME-Version: 1.0\r\n");
  append_part(out, content, random);
  return out;
}

}  // namespace sealpost
