// SPDX-License-Identifier: Apache-2.0
// Implements certificate_check.h: names and sentences.
#include "crypto/certificate_check.h"

#include <cstdlib>

namespace sealpost {
namespace {

struct Words {
  CertificateCheck check;
  std::string_view name;
  std::string_view sentence;  ///< empty: made by a function of its own
};

constexpr Words words[] = {
    {CertificateCheck::TooLarge, "too_large", {}},
    {CertificateCheck::NoCertificate, "no_certificate",
     "No certificate was found in what you uploaded. Please export your certificate without the private key, as a "
     ".pem, "
     ".cer, .crt or .p7b file, and upload that file."},
    {CertificateCheck::PrivateKey, "private_key",
     "What you uploaded contains a private key. It was not stored, but you should regard the key as seen by others: "
     "please get a new certificate, and upload the certificate alone, without its private key."},
    {CertificateCheck::TooMany, "too_many", {}},
    {CertificateCheck::Malformed, "malformed",
     "The certificate is damaged or incomplete. Please export it again and upload the whole file."},
    {CertificateCheck::Ambiguous, "ambiguous",
     "The file contains several certificates, and it is not clear which of them is yours. Please upload the one for "
     "encrypting mail to your address."},
    {CertificateCheck::CaCertificate, "ca_certificate",
     "This is the certificate of a certification authority, not that of a person. Please upload the certificate that "
     "was issued to you."},
    {CertificateCheck::WrongAddress, "wrong_address", {}},
    {CertificateCheck::NotYetValid, "not_yet_valid", {}},
    {CertificateCheck::Expired, "expired", {}},
    {CertificateCheck::KeyUsage, "key_usage",
     "The certificate is not meant for encryption, perhaps only for signatures. Please upload your certificate for "
     "encryption."},
    {CertificateCheck::ExtendedKeyUsage, "extended_key_usage",
     "The certificate is not meant for e-mail. Please upload a certificate for e-mail (S/MIME)."},
    {CertificateCheck::CriticalExtension, "critical_extension",
     "The certificate makes conditions that this server does not know, so it must not use it. Please upload an "
     "ordinary "
     "certificate for e-mail (S/MIME)."},
    {CertificateCheck::KeyKind, "key_kind",
     "The certificate's key is of a kind that cannot be used here. Please upload a certificate with an RSA key, or one "
     "on the curve P-256 or P-384."},
    {CertificateCheck::KeySize, "key_size", {}},
    {CertificateCheck::KeyUnsound, "key_unsound",
     "The certificate's key is faulty, and mail encrypted with it would not be safe. Please make a new key and get a "
     "certificate for it."},
    {CertificateCheck::SignatureAlgorithm, "signature_algorithm",
     "The certificate, or one that it depends on, is signed by an outdated or unknown method. Please ask who issued it "
     "for one that is signed with SHA-256 or better."},
    {CertificateCheck::Untrusted, "untrusted",
     "The certificate does not come from an authority that this server accepts, or a certificate in between is "
     "missing. "
     "Please upload it with the whole chain, or use one of another authority."}};

const Words& words_of(CertificateCheck check) {
  for (const auto& candidate : words) {
    if (candidate.check == check) return candidate;
  }
  std::abort();
}

}  // namespace

std::string_view to_text(CertificateCheck check) { return words_of(check).name; }

CertificateRefusal refuse(CertificateCheck check) { return {check, std::string(words_of(check).sentence)}; }

CertificateRefusal refuse_too_large(int most_octets) {
  CertificateRefusal refusal{CertificateCheck::TooLarge,
                             "The file is larger than " + std::to_string(most_octets / 1024) +
                                 " KiB, which no certificate needs. Please upload your certificate alone."};
  refusal.limit = most_octets;
  return refusal;
}

CertificateRefusal refuse_large_certificate(int most_octets) {
  CertificateRefusal refusal{CertificateCheck::TooLarge, "Your certificate is larger than " +
                                                             std::to_string(most_octets / 1024) +
                                                             " KiB. Please upload one that holds less."};
  refusal.limit = most_octets;
  return refusal;
}

CertificateRefusal refuse_too_many(int most) {
  CertificateRefusal refusal{CertificateCheck::TooMany,
                             "The file contains more than " + std::to_string(most) +
                                 " certificates. Please upload your own one, with those of its authorities at most."};
  refusal.limit = most;
  return refusal;
}

CertificateRefusal refuse_wrong_address(const std::string& wanted, std::vector<std::string> found) {
  std::string sentence = "The certificate is not for " + wanted + ": it names ";
  if (found.empty()) sentence += "no mail address";
  for (std::size_t i = 0; i < found.size(); ++i) sentence += (i == 0 ? "" : ", ") + found[i];
  CertificateRefusal refusal{CertificateCheck::WrongAddress,
                             sentence + ". Please upload one that was issued for " + wanted + "."};
  refusal.addresses = std::move(found);
  return refusal;
}

CertificateRefusal refuse_date(CertificateCheck check, Time date) {
  const bool early = check == CertificateCheck::NotYetValid;
  CertificateRefusal refusal{
      check, early ? "The certificate is valid from " + to_utc_day(date) +
                         " on only. Please upload it again then, or another one now."
                   : "The certificate expired on " + to_utc_day(date) + ". Please upload one that is still valid."};
  refusal.date = date;
  return refusal;
}

CertificateRefusal refuse_key_size(int bits) {
  CertificateRefusal refusal{CertificateCheck::KeySize,
                             "The certificate's RSA key has " + std::to_string(bits) +
                                 " bits; it must have at least 2048 and at most 8192. Please upload a certificate with "
                                 "a key of such a size."};
  refusal.bits = bits;
  return refusal;
}

CertificateRefusal refuse_self_signed() {
  return {
      CertificateCheck::Untrusted,
      "The certificate was signed by its owner, not by an authority, or the signature is wrong; this server does not "
      "accept it. Please upload one that an authority issued to you."};
}

}  // namespace sealpost
