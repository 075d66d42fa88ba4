// SPDX-License-Identifier: Apache-2.0
// Implements cms_sign.h with OpenSSL's CMS.
#include "crypto/cms_sign.h"

#include <climits>

namespace sealpost {
namespace {

Error failed(const char* what) {
  return Error::internal(std::string("cms signature, ") + what + ": " + openssl_errors());
}

/// signingTime (RFC 5652 section 11.3), which OpenSSL would take from the machine's clock.
bool add_time(CMS_SignerInfo* info, Time at) {
  const Asn1TimePtr time(ASN1_TIME_set(nullptr, static_cast<time_t>(to_milliseconds(at) / 1000)));
  return time && CMS_signed_add1_attr_by_NID(info, NID_pkcs9_signingTime, time->type, time.get(), -1) == 1;
}

}  // namespace

Result<std::string> sign_detached(std::string_view content, const CmsSigner& signer, Time at) {
  if (content.size() > INT_MAX) return Error::internal("cms signature: too much");
  // The signer can decrypt nothing, so it names no capabilities.
  constexpr unsigned flags = CMS_DETACHED | CMS_BINARY | CMS_PARTIAL | CMS_NOSMIMECAP;
  const CmsPtr cms(CMS_sign(nullptr, nullptr, nullptr, nullptr, flags));
  if (!cms) return failed("setup");
  CMS_SignerInfo* info = CMS_add1_signer(cms.get(), signer.certificate, signer.key, EVP_sha256(), flags);
  if (info == nullptr || !add_time(info, at)) return failed("signer");
  for (X509* authority : signer.authorities) {
    if (CMS_add1_cert(cms.get(), authority) != 1) return failed("authority");
  }
  const BioPtr octets(BIO_new_mem_buf(content.data(), static_cast<int>(content.size())));
  if (!octets || CMS_final(cms.get(), octets.get(), nullptr, flags) != 1) return failed("signing");
  return encode_der<i2d_CMS_ContentInfo>(cms.get(), "cms signature");
}

}  // namespace sealpost
