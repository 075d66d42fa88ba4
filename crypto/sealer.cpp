// SPDX-License-Identifier: Apache-2.0
// Implements sealer.h.
#include "crypto/sealer.h"

#include <array>
#include <map>
#include <utility>

#include "crypto/cms_seal.h"
#include "crypto/outer_header.h"

namespace sealpost {
namespace {

std::string mime_fields(ContentCipher cipher) {
  const std::string type = cipher == ContentCipher::Aes256Gcm ? "authEnveloped-data" : "enveloped-data";
  return "MIME-Version: 1.0\r\n"
         "Content-Type: application/pkcs7-mime; smime-type=" +
         type +
         ";\r\n\tname=\"smime.p7m\"\r\n"
         "Content-Disposition: attachment; filename=\"smime.p7m\"\r\n"
         "Content-Transfer-Encoding: base64\r\n";
}

}  // namespace

Status Sealer::check(const SubmittedMessage& message) const {
  auto header = outer_header(message, OuterFields::Sealed, {});
  return header ? Status() : Status(header.error());
}

Result<SealedMessage> Sealer::seal(const SubmittedMessage& message, std::span<const std::string> certificates,
                                   const Additions& additions, std::span<const ContentCipher> ciphers) const {
  if (certificates.empty()) return Error::internal("seal: no recipients");
  if (!ciphers.empty() && ciphers.size() != certificates.size()) return Error::internal("seal: not a cipher for each");
  auto header = outer_header(message, OuterFields::Sealed, {additions.top, additions.bottom});
  if (!header) return header.error();

  // RSA and EC apart (cms_seal.h), and each cipher by itself.
  std::vector<X509Ptr> parsed;
  std::map<std::pair<KeyKind, ContentCipher>, std::vector<std::size_t>> groups;
  for (std::size_t i = 0; i < certificates.size(); ++i) {
    auto usable = usable_certificate(certificates[i]);
    if (!usable) return usable.error();
    groups[{usable->kind, ciphers.empty() ? settings_.content_cipher : ciphers[i]}].push_back(i);
    parsed.push_back(std::move(usable->certificate));
  }
  const WipedBuffer inner = inner_header(message);
  const std::array<std::string_view, 2> entity = {view(inner), message.body};
  std::vector<SealedMessage::Content> contents;
  std::vector<SealedMessage::Head> heads(certificates.size());
  for (const auto& [what, group] : groups) {
    const auto [kind, cipher] = what;
    std::vector<X509*> recipients;
    for (const auto i : group) recipients.push_back(parsed[i].get());
    auto cut = encrypt_and_cut(entity, kind, recipients, cipher);
    if (!cut) return cut.error();
    for (std::size_t n = 0; n < group.size(); ++n) {
      heads[group[n]] = {std::move(cut->heads[n]), static_cast<std::uint32_t>(contents.size())};
    }
    contents.push_back({mime_fields(cipher), std::move(cut->tail)});
  }
  return SealedMessage(SealedMessage::Form::Cms, std::move(*header), std::move(contents), std::move(heads));
}

Result<SealedMessage> Sealer::pass_through(const SubmittedMessage& message, std::size_t recipients,
                                           const Additions& additions) const {
  if (recipients == 0 || !is_already_encrypted(message)) return Error::invalid("this message is not encrypted");
  auto header = outer_header(message, OuterFields::PassedThrough, {additions.top, additions.bottom});
  if (!header) return header.error();
  return SealedMessage(SealedMessage::Form::Verbatim, std::move(*header), {{{}, std::string(message.body)}},
                       std::vector<SealedMessage::Head>(recipients));
}

}  // namespace sealpost
