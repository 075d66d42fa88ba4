// SPDX-License-Identifier: Apache-2.0
// Implements mail_composer.h.
#include "notify/mail_composer.h"

#include <algorithm>

#include "base/body_encoder.h"
#include "base/encoding.h"
#include "base/mime_text.h"

namespace sealpost {
namespace {

/// CRLF line ends throughout, the last line's too.
WipedBuffer lines_of(std::string_view text) {
  WipedBuffer out = with_crlf(text);
  if (!view(out).ends_with('\n')) append(out, "\r\n");
  return out;
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
  const WipedBuffer body = text ? lines_of(part.body) : WipedBuffer(part.body.begin(), part.body.end());
  if (text && (is_7bit(view(body)) || is_report(part))) {
    append(out, is_8bit(part) ? "Content-Transfer-Encoding: 8bit\r\n\r\n" : "\r\n");
    append(out, view(body));
    return;
  }
  append(out, "Content-Transfer-Encoding: base64\r\n\r\n");
  BodyEncoder encoder;
  append(out, encoder.update(view(body)));
  append(out, encoder.finish());
}

}  // namespace

WipedBuffer compose(const NoticeSender& from, const MailHeader& header, const MimePart& content, const Clock& clock,
                    Random& random) {
  WipedBuffer out;
  append(out, "Date: " + to_rfc5322(clock.now()) + "\r\n");
  append(out, "From: " + name_addr(from.name, from.address, 6) + "\r\n");
  append(out, "To: <" + header.to + ">\r\n");
  append(out, unstructured_field("Subject", header.subject));
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
