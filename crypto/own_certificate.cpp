// SPDX-License-Identifier: Apache-2.0
// Implements own_certificate.h: which certificate is the leaf, and its checks in the order in which a person would want
// to hear of them.
#include "crypto/own_certificate.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>

#include "crypto/certificate.h"
#include "crypto/certificate_addresses.h"
#include "crypto/certificate_bundle.h"
#include "crypto/certificate_trust.h"
#include "crypto/cms_seal.h"

namespace sealpost {
namespace {

using Checked = Result<void, Refused>;

/// What of the addresses in a certificate is told: a certificate may name thousands.
constexpr std::size_t max_told_addresses = 10;

Checked failed(CertificateCheck check) { return Refused(refuse(check)); }

/// Reads the extensions, which OpenSSL keeps once it has parsed them.
bool is_ca(X509* certificate) { return (X509_get_extension_flags(certificate) & EXFLAG_CA) != 0; }

bool names(const X509* certificate, const EmailAddress& address) {
  const auto addresses = certificate_addresses(certificate);
  return std::find(addresses.begin(), addresses.end(), address) != addresses.end();
}

bool may_encrypt(X509* certificate) {
  return (X509_get_key_usage(certificate) & (KU_KEY_ENCIPHERMENT | KU_KEY_AGREEMENT)) != 0;
}

/// People have one certificate for signatures and another one for encryption under the same address.
X509* the_only_one(std::vector<X509*> candidates) {
  if (candidates.size() > 1) std::erase_if(candidates, [](X509* one) { return !may_encrypt(one); });
  return candidates.size() == 1 ? candidates.front() : nullptr;
}

Result<X509*, Refused> choose_leaf(const std::vector<X509Ptr>& bundle, const EmailAddress& address) {
  if (bundle.size() == 1) return bundle.front().get();
  std::vector<X509*> people;
  for (const auto& one : bundle) {
    if (!is_ca(one.get())) people.push_back(one.get());
  }
  std::vector<X509*> named;
  std::copy_if(people.begin(), people.end(), std::back_inserter(named), [&](X509* one) { return names(one, address); });
  if (X509* leaf = the_only_one(named.empty() ? people : named)) return leaf;
  return Refused(refuse(people.empty() ? CertificateCheck::CaCertificate : CertificateCheck::Ambiguous));
}

Checked check_extensions(X509* leaf) {
  const auto flags = X509_get_extension_flags(leaf);
  ERR_clear_error();
  if ((flags & EXFLAG_INVALID) != 0) return failed(CertificateCheck::Malformed);
  if ((flags & EXFLAG_CA) != 0) return failed(CertificateCheck::CaCertificate);
  return {};
}

Checked check_address(const X509* leaf, const EmailAddress& address) {
  if (names(leaf, address)) return {};
  std::vector<std::string> told;
  for (const auto& found : certificate_addresses(leaf)) {
    if (told.size() < max_told_addresses) told.push_back(found.text());
  }
  return Refused(refuse_wrong_address(address.text(), std::move(told)));
}

/// Both ends belong to the time in which it is valid (RFC 5280 section 4.1.2.5).
Checked check_dates(const X509* leaf, Time now) {
  const auto begin = not_before(leaf);
  const auto end = not_after(leaf);
  ERR_clear_error();
  if (!begin || !end || *begin > *end) return failed(CertificateCheck::Malformed);
  if (now < *begin) return Refused(refuse_date(CertificateCheck::NotYetValid, *begin));
  if (now >= *end + std::chrono::seconds(1)) return Refused(refuse_date(CertificateCheck::Expired, *end));
  return {};
}

/// Usages that are not there allow everything; OpenSSL then says so with all bits set.
Checked check_usages(X509* leaf, KeyKind kind) {
  const std::uint32_t wanted = kind == KeyKind::Rsa ? KU_KEY_ENCIPHERMENT : KU_KEY_AGREEMENT;
  if ((X509_get_key_usage(leaf) & wanted) == 0) return failed(CertificateCheck::KeyUsage);
  const auto extended = X509_get_extended_key_usage(leaf);
  if ((extended & (XKU_SMIME | XKU_ANYEKU)) == 0) return failed(CertificateCheck::ExtendedKeyUsage);
  // A proxy certificate (RFC 3820) speaks for somebody else, by a critical extension that OpenSSL knows.
  const bool unknown = (X509_get_extension_flags(leaf) & (EXFLAG_CRITICAL | EXFLAG_PROXY)) != 0;
  return unknown ? failed(CertificateCheck::CriticalExtension) : Checked();
}

/// A key that OpenSSL cannot read may be of a kind that it does not know, or broken.
Checked unreadable_key(const X509* leaf) {
  ASN1_OBJECT* algorithm = nullptr;
  X509_PUBKEY_get0_param(&algorithm, nullptr, nullptr, nullptr, X509_get_X509_PUBKEY(leaf));
  const int nid = OBJ_obj2nid(algorithm);
  const bool known = nid == NID_rsaEncryption || nid == NID_X9_62_id_ecPublicKey;
  return failed(known ? CertificateCheck::KeyUnsound : CertificateCheck::KeyKind);
}

Result<KeyKind, Refused> check_key(X509* leaf, const std::string& der) {
  const EVP_PKEY* key = X509_get0_pubkey(leaf);
  if (key == nullptr && openssl_lacked_memory())
    return Refused(Error::internal("own certificate: " + openssl_errors()));
  ERR_clear_error();
  if (key == nullptr) return unreadable_key(leaf).error();
  const auto kind = usable_kind(key);
  if (!kind && kind.error() == KeyFault::Size) return Refused(refuse_key_size(EVP_PKEY_get_bits(key)));
  if (!kind) return Refused(refuse(CertificateCheck::KeyKind));
  const auto usable = check_certificate(der);
  if (usable) return *kind;
  if (usable.error().kind == ErrorKind::Internal) return Refused(usable.error());
  return Refused(refuse(CertificateCheck::KeyUnsound));
}

Result<OwnCertificate, Refused> judge(std::string_view upload, const EmailAddress& address, Time now,
                                      const OwnCertificatePolicy& policy) {
  const auto bundle = read_certificates(upload);
  if (!bundle) return bundle.error();
  const auto leaf = choose_leaf(*bundle, address);
  if (!leaf) return leaf.error();
  auto der = to_der(*leaf);
  if (!der) return Refused(der.error());
  if (der->size() > static_cast<std::size_t>(max_certificate_octets))
    return Refused(refuse_large_certificate(max_certificate_octets));
  if (auto good = check_extensions(*leaf); !good) return good.error();
  if (auto good = check_address(*leaf, address); !good) return good.error();
  if (auto good = check_dates(*leaf, now); !good) return good.error();
  const auto kind = check_key(*leaf, *der);
  if (!kind) return kind.error();
  if (auto good = check_usages(*leaf, *kind); !good) return good.error();
  if (auto good = check_trust(*leaf, *bundle, now, policy); !good) return good.error();
  const auto end = not_after(*leaf);
  if (!end) return Refused(end.error());
  std::string fingerprint = certificate_fingerprint(*der);
  return OwnCertificate{std::move(*der), std::move(fingerprint), *end};
}

}  // namespace

Result<OwnCertificatePolicy> load_own_certificate_policy(const KeysSettings& settings) {
  OwnCertificatePolicy policy{{}, settings.accept_self_signed};
  const std::string& path = settings.accepted_roots;
  if (path.empty() && !settings.accept_self_signed) {
    return Error::invalid(
        "keys.accept_self_signed: no keeps nobody out without keys.accepted_roots: anybody can be an authority");
  }
  if (path.empty()) return policy;
  const BioPtr file(BIO_new_file(path.c_str(), "r"));
  if (!file) return Error::invalid("keys.accepted_roots: " + path + " cannot be read", openssl_errors());
  while (X509Ptr root{PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr)}) {
    policy.accepted_roots.push_back(std::move(root));
  }
  // The end of the file is the one way in which the last look may fail.
  const unsigned long why = ERR_peek_last_error();
  const bool ended = ERR_GET_LIB(why) == ERR_LIB_PEM && ERR_GET_REASON(why) == PEM_R_NO_START_LINE;
  const std::string errors = openssl_errors();
  if (!ended) return Error::invalid("keys.accepted_roots: " + path + " holds what is no certificate", errors);
  if (policy.accepted_roots.empty()) return Error::invalid("keys.accepted_roots: there is no certificate in " + path);
  return policy;
}

Result<OwnCertificateVerdict> judge_own_certificate(std::string_view upload, const EmailAddress& address, Time now,
                                                    const OwnCertificatePolicy& policy) {
  auto judged = judge(upload, address, now, policy);
  ERR_clear_error();
  if (judged) return OwnCertificateVerdict(std::move(*judged));
  if (const auto* error = std::get_if<Error>(&judged.error())) return *error;
  return OwnCertificateVerdict(std::get<CertificateRefusal>(std::move(judged.error())));
}

}  // namespace sealpost
