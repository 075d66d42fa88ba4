// SPDX-License-Identifier: Apache-2.0
// Implements receipt.h.
#include "notify/receipt.h"

#include <utility>

#include "base/mime_text.h"
#include "notify/text_wrap.h"

namespace sealpost {
namespace {

Result<std::string> text_of(const Wording& wording, const NoticeSender& from, const DestroyedKey& destroyed) {
  auto text = wording.fill("receipt.txt", {{"hostname", from.hostname},
                                           {"address", destroyed.key.address},
                                           {"fingerprint", destroyed.key.fingerprint},
                                           {"destroyed", to_rfc3339(destroyed.destroyed)},
                                           {"lang", wording.language()}});
  if (!text) return text.error();
  return std::string(view(with_crlf(wrapped(*text))));
}

}  // namespace

Result<Receipt> compose_receipt(const Wording& wording, const NoticeSender& from, const DestroyedKey& destroyed,
                                const SignDetached& sign, const Clock& clock, Random& random) {
  auto subject = wording.sentence("receipt_subject");
  if (!subject) return subject.error();
  auto text = text_of(wording, from, destroyed);
  if (!text) return text.error();
  auto signature = sign(*text);
  if (!signature) return signature.error();
  const MailHeader header{destroyed.recipient, *std::move(subject), "auto-generated", {}};
  auto message = compose_signed(from, header, {"text/plain; charset=utf-8", *text, {}, {}}, sign, clock, random);
  if (!message) return message.error();
  return Receipt{*std::move(text), *std::move(signature), *std::move(message)};
}

}  // namespace sealpost
