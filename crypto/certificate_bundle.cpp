// SPDX-License-Identifier: Apache-2.0
// Implements certificate_bundle.h.
#include "crypto/certificate_bundle.h"

#include <openssl/err.h>

#include <algorithm>

#include "crypto/certificate.h"
#include "crypto/pem_blocks.h"
#include "crypto/private_key_traces.h"

namespace sealpost {
namespace {

using Stopped = Result<void, Refused>;

constexpr char sequence = 0x30;
constexpr char object_identifier = 0x06;

bool is_certificate_label(std::string_view label) { return label == "CERTIFICATE" || label == "X509 CERTIFICATE"; }
bool is_bundle_label(std::string_view label) {
  return label == "PKCS7" || label == "PKCS #7 SIGNED DATA" || label == "CMS";
}

/// In BER, too, since some programs write bundles so.
bool begins_with_oid(std::string_view element) {
  if (element.size() < 2) return false;
  const auto length = static_cast<unsigned char>(element[1]);
  const std::size_t header = length > 0x80U ? 2 + (length & 0x7fU) : 2;
  return element.substr(std::min(header, element.size())).starts_with(object_identifier);
}

/// Malformed, unless OpenSSL says that memory was short.
Refused broken() {
  const bool ours = openssl_lacked_memory();
  const std::string errors = openssl_errors();
  if (ours) return Error::internal("certificate upload: " + errors);
  return refuse(CertificateCheck::Malformed);
}

class Gatherer final {
 public:
  Stopped add(X509Ptr certificate) {
    const auto same = [&](const X509Ptr& other) { return X509_cmp(other.get(), certificate.get()) == 0; };
    if (std::any_of(found_.begin(), found_.end(), same)) return {};
    if (found_.size() == static_cast<std::size_t>(max_upload_certificates)) {
      return Refused(refuse_too_many(max_upload_certificates));
    }
    found_.push_back(std::move(certificate));
    return {};
  }

  Stopped add_der(std::string_view der) {
    auto certificate = parse_certificate(der);
    if (!certificate) {
      if (certificate.error().kind == ErrorKind::Internal) return Refused(certificate.error());
      return Refused(refuse(CertificateCheck::Malformed));
    }
    // BER that is no DER: its fingerprint would not be that of what was uploaded.
    const auto again = to_der(certificate->get());
    if (!again) return broken();
    if (*again != der) return Refused(refuse(CertificateCheck::Malformed));
    return add(std::move(*certificate));
  }

  /// The certificates of a SignedData (RFC 5652 section 5.1), which is how PKCS#7 carries them.
  Stopped add_bundle(std::string_view der) {
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    const auto* const end = at + der.size();
    const CmsPtr bundle(d2i_CMS_ContentInfo(nullptr, &at, static_cast<long>(der.size())));
    if (!bundle || at != end) return broken();
    if (OBJ_obj2nid(CMS_get0_type(bundle.get())) != NID_pkcs7_signed) return {};
    const X509StackPtr certificates(CMS_get1_certs(bundle.get()));
    for (int i = 0; i < sk_X509_num(certificates.get()); ++i) {
      X509* one = sk_X509_value(certificates.get(), i);
      if (X509_up_ref(one) != 1) return Refused(Error::internal("certificate upload: " + openssl_errors()));
      if (auto added = add(X509Ptr(one)); !added) return added;
    }
    return {};
  }

  /// One certificate, or a bundle, which unlike the former begins with an object identifier.
  Stopped add_any(std::string_view der) { return begins_with_oid(der) ? add_bundle(der) : add_der(der); }

  Stopped add_blocks(const std::vector<PemBlock>& blocks) {
    for (const auto& block : blocks) {
      const bool bundle = is_bundle_label(block.label);
      if (!bundle && !is_certificate_label(block.label)) continue;
      if (!block.der) return Refused(refuse(CertificateCheck::Malformed));
      if (auto added = bundle ? add_bundle(view(*block.der)) : add_any(view(*block.der)); !added) return added;
    }
    return {};
  }

  std::vector<X509Ptr> take() { return std::move(found_); }

 private:
  std::vector<X509Ptr> found_;
};

Stopped gather(std::string_view upload, Gatherer& gatherer) {
  if (const auto blocks = find_pem_blocks(upload); !blocks.empty()) return gatherer.add_blocks(blocks);
  if (upload.starts_with(sequence)) return gatherer.add_any(upload);
  const auto bare = decode_base64_lines(upload);
  return bare && view(*bare).starts_with(sequence) ? gatherer.add_any(view(*bare)) : Stopped();
}

}  // namespace

Result<std::vector<X509Ptr>, Refused> read_certificates(std::string_view upload) {
  if (upload.size() > static_cast<std::size_t>(max_upload_octets)) return Refused(refuse_too_large(max_upload_octets));
  if (holds_private_key(upload)) return Refused(refuse(CertificateCheck::PrivateKey));
  ERR_clear_error();
  Gatherer gatherer;
  auto gathered = gather(upload, gatherer);
  ERR_clear_error();
  if (!gathered) return gathered.error();
  auto certificates = gatherer.take();
  if (certificates.empty()) return Refused(refuse(CertificateCheck::NoCertificate));
  return certificates;
}

}  // namespace sealpost
