// SPDX-License-Identifier: Apache-2.0
// Implements certificate_addresses.h. EmailAddress::parse refuses controls, so that a NUL never ends an address early.
#include "crypto/certificate_addresses.h"

#include <openssl/err.h>

#include <optional>
#include <string_view>

namespace sealpost {
namespace {

using GeneralNamesPtr = OpenSslPtr<GENERAL_NAMES, GENERAL_NAMES_free>;

std::string_view octets_of(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

/// Octets as they stand: an rfc822Name should be ASCII, but programs write UTF-8 into it as well.
std::optional<std::string_view> mailbox_of(const GENERAL_NAME* name) {
  if (name->type == GEN_EMAIL) return octets_of(name->d.rfc822Name);
  if (name->type != GEN_OTHERNAME || OBJ_obj2nid(name->d.otherName->type_id) != NID_id_on_SmtpUTF8Mailbox) {
    return std::nullopt;
  }
  const ASN1_TYPE* value = name->d.otherName->value;
  return value->type == V_ASN1_UTF8STRING ? octets_of(value->value.utf8string) : std::string_view();
}

void add(std::vector<EmailAddress>& addresses, std::string_view mailbox) {
  if (auto parsed = EmailAddress::parse(mailbox)) addresses.push_back(std::move(*parsed));
}

void add_from_subject(std::vector<EmailAddress>& addresses, const X509* certificate) {
  const X509_NAME* subject = X509_get_subject_name(certificate);
  for (int at = -1; (at = X509_NAME_get_index_by_NID(subject, NID_pkcs9_emailAddress, at)) >= 0;) {
    const ASN1_STRING* text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
    // IA5String by PKCS #9; others are met, and those of ASCII and UTF-8 mean the same.
    const int type = ASN1_STRING_type(text);
    if (type != V_ASN1_IA5STRING && type != V_ASN1_UTF8STRING && type != V_ASN1_PRINTABLESTRING) continue;
    add(addresses, octets_of(text));
  }
}

}  // namespace

std::vector<EmailAddress> certificate_addresses(const X509* certificate) {
  std::vector<EmailAddress> addresses;
  const GeneralNamesPtr names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  bool named = false;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const auto mailbox = mailbox_of(sk_GENERAL_NAME_value(names.get(), i));
    named = named || mailbox.has_value();
    if (mailbox) add(addresses, *mailbox);
  }
  if (!named) add_from_subject(addresses, certificate);
  ERR_clear_error();
  return addresses;
}

}  // namespace sealpost
