// SPDX-License-Identifier: Apache-2.0
// Implements revocation_list.h.
#include "crypto/revocation_list.h"

#include <algorithm>
#include <map>

namespace sealpost {
namespace {

using CrlPtr = OpenSslPtr<X509_CRL, X509_CRL_free>;
using RevokedPtr = OpenSslPtr<X509_REVOKED, X509_REVOKED_free>;
using Asn1IntegerPtr = OpenSslPtr<ASN1_INTEGER, ASN1_INTEGER_free>;
using Asn1EnumeratedPtr = OpenSslPtr<ASN1_ENUMERATED, ASN1_ENUMERATED_free>;

constexpr std::chrono::hours lifetime{7 * 24};
/// For readers whose clock is slow, as certificates are.
constexpr std::chrono::minutes backdated_by{10};
constexpr std::size_t max_serial = 20;  // RFC 5280 section 4.1.2.2
constexpr long version_2 = 1;

Error failed() { return Error::internal("revocation list: " + openssl_errors()); }

std::int64_t seconds(Time time) { return to_milliseconds(time) / 1000; }

Asn1TimePtr asn1(Time time) { return Asn1TimePtr(ASN1_TIME_set(nullptr, static_cast<time_t>(seconds(time)))); }

/// Unspecified is left out, as RFC 5280 section 5.3.1 wants.
bool add_reason(X509_REVOKED* entry, RevocationReason reason) {
  int code = CRL_REASON_UNSPECIFIED;
  switch (reason) {
    case RevocationReason::Unspecified:
      return true;
    case RevocationReason::KeyCompromise:
      code = CRL_REASON_KEY_COMPROMISE;
      break;
    case RevocationReason::AffiliationChanged:
      code = CRL_REASON_AFFILIATION_CHANGED;
      break;
    case RevocationReason::Superseded:
      code = CRL_REASON_SUPERSEDED;
      break;
    case RevocationReason::CessationOfOperation:
      code = CRL_REASON_CESSATION_OF_OPERATION;
      break;
  }
  const Asn1EnumeratedPtr value(ASN1_ENUMERATED_new());
  return value && ASN1_ENUMERATED_set(value.get(), code) == 1 &&
         X509_REVOKED_add1_ext_i2d(entry, NID_crl_reason, value.get(), 0, 0) == 1;
}

bool add_entry(X509_CRL* list, const std::string& serial, const RevokedCertificate& revoked) {
  const BignumPtr number(
      BN_bin2bn(reinterpret_cast<const unsigned char*>(serial.data()), static_cast<int>(serial.size()), nullptr));
  const Asn1IntegerPtr integer(number ? BN_to_ASN1_INTEGER(number.get(), nullptr) : nullptr);
  const auto time = asn1(revoked.time);
  RevokedPtr entry(X509_REVOKED_new());
  const bool made = integer && time && entry && X509_REVOKED_set_serialNumber(entry.get(), integer.get()) == 1 &&
                    X509_REVOKED_set_revocationDate(entry.get(), time.get()) == 1 &&
                    add_reason(entry.get(), revoked.reason) && X509_CRL_add0_revoked(list, entry.get()) == 1;
  if (made) [[maybe_unused]]
    auto* owned_by_list = entry.release();
  return made;
}

bool add_extensions(X509_CRL* list, X509* issuer, std::int64_t value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, nullptr, nullptr, list, 0);
  X509V3_set_ctx_nodb(&context);
  const X509ExtensionPtr key(X509V3_EXT_conf_nid(nullptr, &context, NID_authority_key_identifier, "keyid:always"));
  const Asn1IntegerPtr number(ASN1_INTEGER_new());
  return key && X509_CRL_add_ext(list, key.get(), -1) == 1 && number &&
         ASN1_INTEGER_set_int64(number.get(), value) == 1 &&
         X509_CRL_add1_ext_i2d(list, NID_crl_number, number.get(), 0, 0) == 1;
}

bool set_head(X509_CRL* list, X509* issuer, Time now) {
  const auto begin = asn1(now - backdated_by);
  const auto end = asn1(now + lifetime);
  return begin && end && X509_CRL_set_version(list, version_2) == 1 &&
         X509_CRL_set_issuer_name(list, X509_get_subject_name(issuer)) == 1 &&
         X509_CRL_set1_lastUpdate(list, begin.get()) == 1 && X509_CRL_set1_nextUpdate(list, end.get()) == 1;
}

/// Without leading zeros, which are no part of a number.
std::string number_of(std::string serial) {
  serial.erase(0, std::min(serial.find_first_not_of('\0'), serial.size()));
  return serial;
}

}  // namespace

Result<std::string> make_revocation_list(const std::vector<RevokedCertificate>& revoked, X509* issuer,
                                         EVP_PKEY* issuer_key, std::int64_t number, Time now) {
  std::map<std::string, RevokedCertificate> by_serial;
  for (const auto& one : revoked) {
    const std::string serial = number_of(one.serial);
    if (serial.empty() || serial.size() > max_serial) return Error::invalid("no certificate has such a serial number");
    const auto [entry, first] = by_serial.try_emplace(serial, one);
    if (!first && one.time < entry->second.time) entry->second = one;
  }
  const CrlPtr list(X509_CRL_new());
  if (!list || !set_head(list.get(), issuer, now) || !add_extensions(list.get(), issuer, number)) return failed();
  for (const auto& [serial, one] : by_serial) {
    if (!add_entry(list.get(), serial, one)) return failed();
  }
  if (X509_CRL_sort(list.get()) != 1 || X509_CRL_sign(list.get(), issuer_key, EVP_sha256()) <= 0) return failed();
  return encode_der<i2d_X509_CRL>(list.get(), "revocation list");
}

}  // namespace sealpost
