// SPDX-License-Identifier: Apache-2.0
// Implements certificate.h.
#include "crypto/certificate.h"

#include <openssl/pem.h>
#include <openssl/sha.h>

#include <array>

#include "base/encoding.h"

namespace sealpost {
namespace {

constexpr char der_sequence = 0x30;
constexpr char der_oid = 0x06;
constexpr char tag_utf8_string = 0x0c;
constexpr char context_primitive = static_cast<char>(0x80);
constexpr char context_constructed = static_cast<char>(0xa0);
/// id-on-SmtpUTF8Mailbox, 1.3.6.1.5.5.7.8.9 (RFC 8398).
constexpr std::string_view smtp_utf8_mailbox("\x2b\x06\x01\x05\x05\x07\x08\x09", 8);

/// One element of DER; the values here stay below 64 KiB.
std::string element(char tag, std::string_view value) {
  std::string result(1, tag);
  if (value.size() >= 0x100) {
    result += {static_cast<char>(0x82), static_cast<char>(value.size() >> 8U), static_cast<char>(value.size() & 0xffU)};
  } else if (value.size() >= 0x80) {
    result += {static_cast<char>(0x81), static_cast<char>(value.size())};
  } else {
    result += static_cast<char>(value.size());
  }
  return result.append(value);
}

}  // namespace

Result<X509Ptr> parse_certificate(std::string_view der) {
  const auto* position = reinterpret_cast<const unsigned char*>(der.data());
  const auto* end = position + der.size();
  X509Ptr certificate(d2i_X509(nullptr, &position, static_cast<long>(der.size())));
  if (!certificate && openssl_lacked_memory()) return Error::internal("certificate: " + openssl_errors());
  if (!certificate || position != end) return Error::invalid("not a certificate in DER", openssl_errors());
  return certificate;
}

Result<std::string> to_der(X509* certificate) { return encode_der<i2d_X509>(certificate, "certificate"); }

Result<std::string> to_pem(X509* certificate) {
  const BioPtr memory(BIO_new(BIO_s_mem()));
  if (!memory || PEM_write_bio_X509(memory.get(), certificate) != 1) {
    return Error::internal("certificate to PEM: " + openssl_errors());
  }
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

Result<std::string> to_pem(std::string_view der) {
  auto certificate = parse_certificate(der);
  if (!certificate) return certificate.error();
  return to_pem(certificate->get());
}

std::string certificate_fingerprint(std::string_view der) {
  std::array<char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(der.data()), der.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return to_hex({digest.data(), digest.size()});
}

std::string subject_alt_name(const EmailAddress& address) {
  if (address.san_form() == EmailAddress::SanForm::Rfc822Name) {
    return element(der_sequence, element(context_primitive | 1, address.san_value()));
  }
  const std::string value = element(context_constructed, element(tag_utf8_string, address.san_value()));
  return element(der_sequence, element(context_constructed, element(der_oid, smtp_utf8_mailbox) + value));
}

std::string exclude_all_hosts() {
  // An empty dNSName and a zero address under a zero mask match everything.
  constexpr std::size_t ipv4_with_mask = 8;
  constexpr std::size_t ipv6_with_mask = 32;
  const std::string excluded =
      element(der_sequence, element(context_primitive | 2, "")) +
      element(der_sequence, element(context_primitive | 7, std::string(ipv4_with_mask, '\0'))) +
      element(der_sequence, element(context_primitive | 7, std::string(ipv6_with_mask, '\0')));
  return element(der_sequence, element(context_constructed | 1, excluded));
}

std::string crl_distribution_point(const std::string& url) {
  const std::string full_name = element(context_constructed, element(context_primitive | 6, url));
  return element(der_sequence, element(der_sequence, element(context_constructed, full_name)));
}

Status add_extension(X509* certificate, int nid, bool critical, std::string_view der) {
  // Handed over as hex: OpenSSL's textual syntax for names would read commas and colons in an address as its own.
  const std::string value = (critical ? "critical,DER:" : "DER:") + to_hex(der);
  const X509ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str()));
  if (!extension || X509_add_ext(certificate, extension.get(), -1) != 1) {
    return Error::internal("certificate extension: " + openssl_errors());
  }
  return {};
}

}  // namespace sealpost
