// SPDX-License-Identifier: Apache-2.0
// Implements openssl.h.
#include "base/openssl.h"

#include <openssl/err.h>

#include <array>
#include <ctime>

namespace sealpost {
namespace {

Result<Time> from_asn1(const ASN1_TIME* date) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(date, &parts) != 1) return Error::internal("a certificate's date");
  return from_milliseconds(static_cast<std::int64_t>(::timegm(&parts)) * 1000);
}

}  // namespace

std::string openssl_errors() {
  std::string line;
  std::array<char, 256> text{};
  while (const unsigned long code = ERR_get_error()) {
    ERR_error_string_n(code, text.data(), text.size());
    line += (line.empty() ? "" : "; ") + std::string(text.data());
  }
  return line;
}

bool openssl_lacked_memory() { return ERR_GET_REASON(ERR_peek_error()) == ERR_R_MALLOC_FAILURE; }

Result<Time> not_after(const X509* certificate) {
  if (certificate == nullptr) return Error::not_found("there is no certificate");
  return from_asn1(X509_get0_notAfter(certificate));
}

Result<Time> not_before(const X509* certificate) {
  if (certificate == nullptr) return Error::not_found("there is no certificate");
  return from_asn1(X509_get0_notBefore(certificate));
}

}  // namespace sealpost
