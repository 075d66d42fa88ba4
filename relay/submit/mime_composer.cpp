// SPDX-License-Identifier: Apache-2.0
// Implements mime_composer.h. The parts nest as clients expect them:
// mixed { alternative { text, related { html, inline… } }, attachments… }, each level only when it holds two.
#include "relay/submit/mime_composer.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <functional>

#include "base/body_encoder.h"
#include "base/encoding.h"
#include "base/mime_text.h"

namespace sealpost::submit {
namespace {

/// As it was spelled, unless that would need SMTPUTF8 for the sake of the domain alone.
std::string header_address(const EmailAddress& address) {
  if (is_ascii(address.text())) return address.text();
  const std::string ascii = address.ascii_domain_form();
  return is_ascii(ascii) ? ascii : address.text();
}

void append_mailboxes(WipedBuffer& out, const std::string& field, const std::vector<Mailbox>& mailboxes) {
  if (mailboxes.empty()) return;
  append(out, field + ":");
  std::size_t column = field.size() + 2;
  for (std::size_t i = 0; i < mailboxes.size(); ++i) {
    append(out, i == 0 ? " " : ",\r\n ");
    append(out, name_addr(mailboxes[i].name, header_address(mailboxes[i].address), column));
    column = 1;
  }
  append(out, "\r\n");
}

/// Message ids and what RFC 2369 defines: addresses that software reads, in which no encoded-word stands.
std::string header_field(const std::string& name, const std::string& value) {
  const std::string lower = ascii_lower(name);
  const bool structured =
      lower == "message-id" || lower == "in-reply-to" || lower == "references" || lower.starts_with("list-");
  return structured ? structured_field(name, value) : unstructured_field(name, value);
}

bool is_message(const Attachment& attachment) { return ascii_lower(attachment.content_type).starts_with("message/"); }

std::string_view octets_of(const std::optional<std::string>& text) { return text ? *text : std::string_view(); }

/// 32 hex digits that hang on all that the parts hold: nobody can have written them into a part.
std::string boundary_of(const Composition& composition) {
  std::string digests;
  const auto add = [&](std::string_view octets) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    // A missing algorithm would leave zeros: the boundary would be known, and nothing else worse.
    EVP_Digest(octets.data(), octets.size(), digest.data(), &size, EVP_sha256(), nullptr);
    digests.append(reinterpret_cast<const char*>(digest.data()), digest.size());
  };
  add(octets_of(composition.text));
  add(octets_of(composition.html));
  for (const auto& attachment : composition.attachments) add(attachment.content);
  add(digests);
  return to_hex(std::string_view(digests).substr(digests.size() - EVP_MAX_MD_SIZE, 16));
}

class Writer final {
 public:
  explicit Writer(const Composition& composition)
      : composition_(composition), boundary_("=_" + boundary_of(composition)) {
    for (const auto& attachment : composition.attachments) {
      const bool is_inline = !attachment.content_id.empty() && composition.html;
      (is_inline ? inline_ : attached_).push_back(&attachment);
      has_8bit_ = has_8bit_ || (is_message(attachment) && !is_ascii(attachment.content));
    }
  }

  void entity(WipedBuffer& out) {
    Parts parts;
    if (composition_.text || composition_.html || attached_.empty()) {
      parts.emplace_back([&] { body(out); });
    }
    for (const auto* attachment : attached_) {
      parts.emplace_back([this, &out, attachment] { attachment_part(out, *attachment); });
    }
    // What is attached, is so in a multipart: alone it would be the message's text.
    multipart(out, "mixed", parts, !attached_.empty());
  }

 private:
  using Parts = std::vector<std::function<void()>>;

  void multipart(WipedBuffer& out, const std::string& subtype, const Parts& parts, bool always = false) {
    if (parts.size() == 1 && !always) return parts.front()();
    const std::string boundary = boundary_ + "_" + std::to_string(++multiparts_);
    append(out, "Content-Type: multipart/" + subtype + ";\r\n\tboundary=\"" + boundary + "\"");
    if (subtype == "related") append(out, ";\r\n\ttype=\"text/html\"");  // of its first part (RFC 2387 section 3.1)
    append(out, "\r\n");
    // Without it the parts are said to be 7bit throughout (RFC 2045 section 6.4).
    if (has_8bit_) append(out, "Content-Transfer-Encoding: 8bit\r\n");
    for (const auto& part : parts) {
      append(out, "\r\n--" + boundary + "\r\n");
      part();
    }
    append(out, "\r\n--" + boundary + "--\r\n");
  }

  void body(WipedBuffer& out) {
    Parts versions;
    if (composition_.text || !composition_.html) {
      versions.emplace_back([&] { text_part(out, "plain", octets_of(composition_.text)); });
    }
    if (composition_.html) versions.emplace_back([&] { html(out); });
    multipart(out, "alternative", versions);
  }

  void html(WipedBuffer& out) {
    Parts parts = {[&] { text_part(out, "html", *composition_.html); }};
    for (const auto* image : inline_) {
      parts.emplace_back([this, &out, image] { attachment_part(out, *image); });
    }
    multipart(out, "related", parts);
  }

  static void text_part(WipedBuffer& out, const std::string& subtype, std::string_view text) {
    append(out, "Content-Type: text/" + subtype + "; charset=utf-8\r\n");
    const WipedBuffer lines = with_crlf(text);
    if (is_7bit(view(lines))) {
      append(out, "Content-Transfer-Encoding: 7bit\r\n\r\n");
      append(out, view(lines));
    } else {
      append_base64(out, view(lines));
    }
  }

  void attachment_part(WipedBuffer& out, const Attachment& attachment) const {
    append(out, "Content-Type: " + attachment.content_type + "\r\n");
    const bool is_inline = !attachment.content_id.empty() && composition_.html;
    append(out, std::string("Content-Disposition: ") + (is_inline ? "inline" : "attachment"));
    if (!attachment.filename.empty()) append(out, parameter("filename", attachment.filename));
    append(out, "\r\n");
    if (!attachment.content_id.empty()) append(out, "Content-ID: <" + attachment.content_id + ">\r\n");
    if (is_message(attachment)) {
      // No encoding is allowed for it (RFC 2046 section 5.2.1).
      append(out, is_ascii(attachment.content) ? "Content-Transfer-Encoding: 7bit\r\n\r\n"
                                               : "Content-Transfer-Encoding: 8bit\r\n\r\n");
      append(out, attachment.content);
    } else {
      append_base64(out, attachment.content);
    }
  }

  static void append_base64(WipedBuffer& out, std::string_view octets) {
    append(out, "Content-Transfer-Encoding: base64\r\n\r\n");
    BodyEncoder encoder;
    constexpr std::size_t piece = 57UL * 1024;
    for (; !octets.empty(); octets.remove_prefix(std::min(piece, octets.size()))) {
      append(out, encoder.update(octets.substr(0, piece)));
    }
    append(out, encoder.finish());
  }

  const Composition& composition_;
  std::string boundary_;
  std::size_t multiparts_ = 0;
  bool has_8bit_ = false;
  std::vector<const Attachment*> inline_;
  std::vector<const Attachment*> attached_;
};

}  // namespace

std::size_t least_size(const Composition& composition) {
  std::size_t octets = octets_of(composition.text).size() + octets_of(composition.html).size();
  for (const auto& attachment : composition.attachments) octets += encoded_size(attachment.content.size());
  return octets;
}

WipedBuffer compose(const Composition& composition) {
  WipedBuffer out;
  // A text beyond ASCII grows by a third.
  out.reserve(4096 + least_size(composition) + composition.attachments.size() * 1024 +
              (octets_of(composition.text).size() + octets_of(composition.html).size()) / 3);
  append_mailboxes(out, "From", {composition.from});
  append_mailboxes(out, "To", composition.to);
  append_mailboxes(out, "Cc", composition.cc);
  if (composition.to.empty() && composition.cc.empty()) append(out, "To: undisclosed-recipients:;\r\n");
  append_mailboxes(out, "Reply-To", composition.reply_to);
  append(out, unstructured_field("Subject", composition.subject));
  for (const auto& [name, value] : composition.headers) append(out, header_field(name, value));
  append(out, "MIME-Version: 1.0\r\n");
  Writer(composition).entity(out);
  return out;
}

}  // namespace sealpost::submit
