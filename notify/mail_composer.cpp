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
WipedBuffer crlf_lines(std::string_view text) {
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

/// Lines that no server on the way breaks, strips or quotes, as some do; a signature would not survive it. A label and
/// a URL stand on one line however long: programs look for them there, and it has no place to be broken at.
bool is_robust(std::string_view text) {
  constexpr std::size_t longest = 76;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find("\r\n"));
    const bool breakable = std::count(line.begin(), line.end(), ' ') > 1;
    if ((line.size() > longest && breakable) || line.ends_with(' ') || line.ends_with('\t') ||
        line.starts_with("From "))
      return false;
    text.remove_prefix(std::min(text.size(), line.size() + 2));
  }
  return true;
}

enum class Lines { AsTheyAre, Robust };

void append_part(WipedBuffer& out, const MimePart& part, Lines lines, Random& random);

void append_multipart(WipedBuffer& out, const MimePart& multipart, Lines lines, Random& random) {
  const std::string boundary = "=_" + to_hex(random.octets(16));
  append(out, "Content-Type: " + multipart.content_type + ";\r\n\tboundary=\"" + boundary + "\"\r\n");
  if (is_8bit(multipart)) append(out, "Content-Transfer-Encoding: 8bit\r\n");
  for (const auto& part : multipart.parts) {
    // The line end before a boundary is the boundary's own (RFC 2046 section 5.1.1).
    append(out, "\r\n--" + boundary + "\r\n");
    append_part(out, part, lines, random);
  }
  append(out, "\r\n--" + boundary + "--\r\n");
}

void append_part(WipedBuffer& out, const MimePart& part, Lines lines, Random& random) {
  if (!part.parts.empty()) return append_multipart(out, part, lines, random);
  const bool text = is_report(part) || part.content_type.starts_with("text/");
  append(out, "Content-Type: " + part.content_type + "\r\n");
  if (!part.disposition.empty()) append(out, "Content-Disposition: " + part.disposition + "\r\n");
  const WipedBuffer body = text ? crlf_lines(part.body) : WipedBuffer(part.body.begin(), part.body.end());
  const bool as_it_is = is_7bit(view(body)) && (lines == Lines::AsTheyAre || is_robust(view(body)));
  if (text && (as_it_is || is_report(part))) {
    append(out, is_8bit(part) ? "Content-Transfer-Encoding: 8bit\r\n\r\n" : "\r\n");
    append(out, view(body));
    return;
  }
  append(out, "Content-Transfer-Encoding: base64\r\n\r\n");
  BodyEncoder encoder;
  append(out, encoder.update(view(body)));
  append(out, encoder.finish());
}

void append_header(WipedBuffer& out, const NoticeSender& from, const MailHeader& header, const Clock& clock,
                   Random& random) {
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
}

void append_signature(WipedBuffer& out, std::string_view der) {
  append(out,
         "Content-Type: application/pkcs7-signature; name=\"smime.p7s\"\r\n"
         "Content-Disposition: attachment; filename=\"smime.p7s\"\r\n"
         "Content-Transfer-Encoding: base64\r\n\r\n");
  BodyEncoder encoder;
  append(out, encoder.update(der));
  append(out, encoder.finish());
}

}  // namespace

WipedBuffer compose(const NoticeSender& from, const MailHeader& header, const MimePart& content, const Clock& clock,
                    Random& random) {
  WipedBuffer out;
  append_header(out, from, header, clock, random);
  append_part(out, content, Lines::AsTheyAre, random);
  return out;
}

Result<WipedBuffer> sign_part(const MimePart& content, const SignDetached& sign, Random& random) {
  if (is_8bit(content)) return Error::internal("a signed mail of 8bit parts");
  WipedBuffer entity;
  append_part(entity, content, Lines::Robust, random);
  const auto signature = sign(view(entity));
  if (!signature) return signature.error();
  WipedBuffer out;
  const std::string boundary = "=_" + to_hex(random.octets(16));
  append(out,
         "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\";\r\n"
         "\tmicalg=sha-256; boundary=\"" +
             boundary + "\"\r\n\r\n--" + boundary + "\r\n");
  append(out, view(entity));
  append(out, "\r\n--" + boundary + "\r\n");
  append_signature(out, *signature);
  append(out, "\r\n--" + boundary + "--\r\n");
  return out;
}

Result<WipedBuffer> compose_signed(const NoticeSender& from, const MailHeader& header, const MimePart& content,
                                   const SignDetached& sign, const Clock& clock, Random& random) {
  auto signed_part = sign_part(content, sign, random);
  if (!signed_part) return signed_part.error();
  WipedBuffer out;
  append_header(out, from, header, clock, random);
  append(out, view(*signed_part));
  return out;
}

}  // namespace sealpost
