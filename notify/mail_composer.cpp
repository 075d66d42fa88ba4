// SPDX-License-Identifier: Apache-2.0
// Implements mail_composer.h.
#include "notify/mail_composer.h"

#include "base/encoding.h"
#include "base/message_text.h"

namespace sealpost {
namespace {

constexpr std::size_t max_7bit_line = 998;

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

void append_part(WipedBuffer& out, const MimePart& part) {
  const bool text = part.content_type.starts_with("text/") || part.content_type.starts_with("message/");
  append(out, "Content-Type: " + part.content_type + "\r\n");
  if (!part.disposition.empty()) append(out, "Content-Disposition: " + part.disposition + "\r\n");
  const WipedBuffer body = text ? with_crlf(part.body) : WipedBuffer(part.body.begin(), part.body.end());
  if (text && (fits_7bit(view(body)) || part.content_type.starts_with("message/"))) {
    append(out, "\r\n");
    append(out, view(body));
    return;
  }
  append(out, "Content-Transfer-Encoding: base64\r\n\r\n");
  BodyEncoder encoder;
  append(out, encoder.update(view(body)));
  append(out, encoder.finish());
}

}  // namespace

std::string header_mailbox(const std::string& name, const std::string& address) {
  if (name.empty()) return "<" + address + ">";
  if (!is_ascii(name)) return "=?utf-8?B?" + to_base64(name) + "?= <" + address + ">";
  std::string quoted;
  for (const char c : name) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) quoted += c;
  }
  return "\"" + quoted + "\" <" + address + ">";
}

WipedBuffer compose(const NoticeSender& from, const MailHeader& header, std::string_view multipart,
                    const std::vector<MimePart>& parts, const Clock& clock, Random& random) {
  const std::string boundary = "=_" + to_hex(random.octets(16));
  WipedBuffer out;
  append(out, "Date: " + to_rfc5322(clock.now()) + "\r\n");
  append(out, "From: " + from.from + "\r\n");
  append(out, "To: <" + header.to + ">\r\n");
  append(out, "Subject: " + header.subject + "\r\n");
  append(out, "Message-ID: <" + to_hex(random.octets(16)) + "@" + from.hostname + ">\r\n");
  if (!header.in_reply_to.empty()) {
    append(out, "In-Reply-To: " + header.in_reply_to + "\r\nReferences: " + header.in_reply_to + "\r\n");
  }
  append(out, "Auto-Submitted: " + header.auto_submitted + "\r\n");
  append(out, "MIME-Version: 1.0\r\nContent-Type: multipart/");
  append(out, multipart);
  append(out, ";\r\n\tboundary=\"" + boundary + "\"\r\n\r\n");
  for (const auto& part : parts) {
    append(out, "--" + boundary + "\r\n");
    append_part(out, part);
  }
  append(out, "--" + boundary + "--\r\n");
  return out;
}

}  // namespace sealpost
