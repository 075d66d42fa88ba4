// SPDX-License-Identifier: Apache-2.0
// Implements certificate_addresses.h. EmailAddress::parse refuses controls, so that a NUL never ends an address early.
#include "crypto/certificate_addresses.h"

#include <openssl/err.h>

#include <string>
#include <string_view>

#include "base/encoding.h"

namespace sealpost {
namespace {

using GeneralNamesPtr = OpenSslPtr<GENERAL_NAMES, GENERAL_NAMES_free>;

std::string_view octets_of(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

using Addresses = std::vector<EmailAddress>;

/// An rfc822Name or emailAddress, which is ASCII (RFC 5280 section 4.2.1.6). What constrains an authority's names is
/// compared with the octets, so nothing may mean an address by being mapped to it.
void add_ascii(Addresses& addresses, std::string_view mailbox) {
  auto parsed = is_ascii(mailbox) ? EmailAddress::parse(mailbox) : Error::invalid("not ASCII");
  if (parsed) addresses.push_back(std::move(*parsed));
}

/// A SmtpUTF8Mailbox, whose domain is in U-labels (RFC 8398 section 3), as IDNA writes them.
void add_utf8(Addresses& addresses, const ASN1_TYPE* value) {
  if (value->type != V_ASN1_UTF8STRING) return;
  auto parsed = EmailAddress::parse(octets_of(value->value.utf8string));
  if (!parsed) return;
  const std::string domain = ascii_lower(parsed->domain().text());
  const bool as_written = parsed->san_value().ends_with("@" + domain) && domain.find("xn--") == std::string::npos;
  if (as_written) addresses.push_back(std::move(*parsed));
}

bool is_utf8_mailbox(const GENERAL_NAME* name) {
  return name->type == GEN_OTHERNAME && OBJ_obj2nid(name->d.otherName->type_id) == NID_id_on_SmtpUTF8Mailbox;
}

void add_from_subject(Addresses& addresses, const X509* certificate) {
  const X509_NAME* subject = X509_get_subject_name(certificate);
  for (int at = -1; (at = X509_NAME_get_index_by_NID(subject, NID_pkcs9_emailAddress, at)) >= 0;) {
    const ASN1_STRING* text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
    // IA5String by PKCS #9; others are met, and in ASCII mean the same.
    const int type = ASN1_STRING_type(text);
    if (type != V_ASN1_IA5STRING && type != V_ASN1_UTF8STRING && type != V_ASN1_PRINTABLESTRING) continue;
    add_ascii(addresses, octets_of(text));
  }
}

}  // namespace

std::vector<EmailAddress> certificate_addresses(const X509* certificate) {
  std::vector<EmailAddress> addresses;
  const GeneralNamesPtr names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  bool named = false;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    const bool utf8 = is_utf8_mailbox(name);
    named = named || utf8 || name->type == GEN_EMAIL;
    if (utf8) add_utf8(addresses, name->d.otherName->value);
    if (name->type == GEN_EMAIL) add_ascii(addresses, octets_of(name->d.rfc822Name));
  }
  if (!named) add_from_subject(addresses, certificate);
  ERR_clear_error();
  return addresses;
}

}  // namespace sealpost
