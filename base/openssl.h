// SPDX-License-Identifier: Apache-2.0
// OpenSSL's objects in unique_ptr, each with its own deleter; no *_free stands anywhere else.
#pragma once

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/cms.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/pkcs12.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace sealpost {

template <auto Free>
struct OpenSslDeleter {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
template <class T, auto Free>
using OpenSslPtr = std::unique_ptr<T, OpenSslDeleter<Free>>;

struct X509StackDeleter {
  void operator()(STACK_OF(X509) * stack) const { sk_X509_pop_free(stack, X509_free); }
};
struct BorrowedX509StackDeleter {
  void operator()(STACK_OF(X509) * stack) const { sk_X509_free(stack); }
};

using Asn1TimePtr = OpenSslPtr<ASN1_TIME, ASN1_TIME_free>;
using BignumPtr = OpenSslPtr<BIGNUM, BN_free>;
using BioPtr = OpenSslPtr<BIO, BIO_free_all>;
using CipherCtxPtr = OpenSslPtr<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;
using CmsPtr = OpenSslPtr<CMS_ContentInfo, CMS_ContentInfo_free>;
using KdfCtxPtr = OpenSslPtr<EVP_KDF_CTX, EVP_KDF_CTX_free>;
using KdfPtr = OpenSslPtr<EVP_KDF, EVP_KDF_free>;
using Pkcs12Ptr = OpenSslPtr<PKCS12, PKCS12_free>;
using PkeyCtxPtr = OpenSslPtr<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using PkeyPtr = OpenSslPtr<EVP_PKEY, EVP_PKEY_free>;
using SslPtr = OpenSslPtr<SSL, SSL_free>;
using SslCtxPtr = OpenSslPtr<SSL_CTX, SSL_CTX_free>;
using X509ExtensionPtr = OpenSslPtr<X509_EXTENSION, X509_EXTENSION_free>;
using X509Ptr = OpenSslPtr<X509, X509_free>;
using X509StackPtr = std::unique_ptr<STACK_OF(X509), X509StackDeleter>;
/// Its elements are others'.
using BorrowedX509StackPtr = std::unique_ptr<STACK_OF(X509), BorrowedX509StackDeleter>;

/// Empties the calling thread's OpenSSL error queue and returns it as one line for internal_detail.
std::string openssl_errors();
/// True when the first thing that went wrong, by that queue, is a failed allocation: the fault is then ours, not that
/// of the input.
bool openssl_lacked_memory();

/// What one of OpenSSL's i2d functions makes of an object, in DER. Internal, and says of what, when it fails.
template <auto Encode, class Buffer = std::string, class T>
Result<Buffer> encode_der(T* object, const std::string& what) {
  const int size = Encode(object, nullptr);
  Buffer der(size > 0 ? static_cast<std::size_t>(size) : 0, '\0');
  auto* at = reinterpret_cast<unsigned char*>(der.data());
  if (size <= 0 || Encode(object, &at) != size) return Error::internal(what + " to DER: " + openssl_errors());
  return der;
}

/// When the certificate ends. NotFound without one; Internal when its date cannot be read.
Result<Time> not_after(const X509* certificate);
/// When it begins; errors as for not_after.
Result<Time> not_before(const X509* certificate);

}  // namespace sealpost
