// SPDX-License-Identifier: Apache-2.0
// The OpenSSL functions of sealing, wrapping, PKCS#12 and certificates, each with the value by which it tells that it
// failed.
#include <dlfcn.h>
#include <openssl/cms.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/objects.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "tests/unit/crypto_faults/faults.h"

// The parameters stand twice: as they are declared, and as they are handed on.
#define FAILS_WITH(failure, result, name, parameters, arguments)                              \
  static const int enlisted_##name = sealpost::faults::enlist(#name);                         \
  extern "C" result name parameters {                                                         \
    (void)enlisted_##name;                                                                    \
    static const auto real = reinterpret_cast<result(*) parameters>(dlsym(RTLD_NEXT, #name)); \
    if (sealpost::faults::is_due(#name, __builtin_return_address(0))) return failure;         \
    const sealpost::faults::InsideOpenSsl inside;                                             \
    return real arguments;                                                                    \
  }

// Sealing: certificates and keys
FAILS_WITH(nullptr, X509*, d2i_X509, (X509 * *a, const unsigned char** b, long c), (a, b, c))
FAILS_WITH(nullptr, EVP_PKEY*, X509_get0_pubkey, (const X509* a), (a))
FAILS_WITH(0, int, X509_up_ref, (X509 * a), (a))
FAILS_WITH(0, int, EVP_PKEY_is_a, (const EVP_PKEY* a, const char* b), (a, b))
FAILS_WITH(0, int, EVP_PKEY_get_bits, (const EVP_PKEY* a), (a))
FAILS_WITH(0, int, EVP_PKEY_get_group_name, (const EVP_PKEY* a, char* b, size_t c, size_t* d), (a, b, c, d))
FAILS_WITH(NID_undef, int, OBJ_txt2nid, (const char* a), (a))
FAILS_WITH(nullptr, EVP_PKEY_CTX*, EVP_PKEY_CTX_new, (EVP_PKEY * a, ENGINE* b), (a, b))
FAILS_WITH(0, int, EVP_PKEY_public_check, (EVP_PKEY_CTX * a), (a))

// Sealing: CMS
FAILS_WITH(nullptr, CMS_ContentInfo*, CMS_encrypt, (STACK_OF(X509) * a, BIO* b, const EVP_CIPHER* c, unsigned d),
           (a, b, c, d))
FAILS_WITH(nullptr, CMS_RecipientInfo*, CMS_add1_recipient_cert, (CMS_ContentInfo * a, X509* b, unsigned c), (a, b, c))
FAILS_WITH(nullptr, EVP_PKEY_CTX*, CMS_RecipientInfo_get0_pkey_ctx, (CMS_RecipientInfo * a), (a))
FAILS_WITH(0, int, EVP_PKEY_CTX_set_ecdh_kdf_md, (EVP_PKEY_CTX * a, const EVP_MD* b), (a, b))
FAILS_WITH(nullptr, BIO*, CMS_dataInit, (CMS_ContentInfo * a, BIO* b), (a, b))
FAILS_WITH(nullptr, BIO*, BIO_new, (const BIO_METHOD* a), (a))
FAILS_WITH(0, int, EVP_CipherUpdate, (EVP_CIPHER_CTX * a, unsigned char* b, int* c, const unsigned char* d, int e),
           (a, b, c, d, e))
FAILS_WITH(0, int, EVP_CipherFinal_ex, (EVP_CIPHER_CTX * a, unsigned char* b, int* c), (a, b, c))
FAILS_WITH(-1, long, BIO_ctrl, (BIO * a, int b, long c, void* d), (a, b, c, d))
FAILS_WITH(0, int, CMS_dataFinal, (CMS_ContentInfo * a, BIO* b), (a, b))
FAILS_WITH(nullptr, STACK_OF(CMS_RecipientInfo) *, CMS_get0_RecipientInfos, (CMS_ContentInfo * a), (a))
FAILS_WITH(-1, int, CMS_RecipientInfo_type, (CMS_RecipientInfo * a), (a))
FAILS_WITH(0, int, CMS_RecipientInfo_kari_get0_alg, (CMS_RecipientInfo * a, X509_ALGOR** b, ASN1_OCTET_STRING** c),
           (a, b, c))
FAILS_WITH(NID_undef, int, OBJ_obj2nid, (const ASN1_OBJECT* a), (a))
FAILS_WITH(-1, int, i2d_CMS_ContentInfo, (const CMS_ContentInfo* a, unsigned char** b), (a, b))
FAILS_WITH(-1, int, OPENSSL_sk_num, (const OPENSSL_STACK* a), (a))
FAILS_WITH(nullptr, void*, OPENSSL_sk_value, (const OPENSSL_STACK* a, int b), (a, b))
FAILS_WITH(0, int, OPENSSL_sk_push, (OPENSSL_STACK * a, const void* b), (a, b))
FAILS_WITH(0x80, int, ASN1_get_object, (const unsigned char** a, long* b, int* c, int* d, long e), (a, b, c, d, e))
FAILS_WITH(-1, int, ASN1_object_size, (int a, int b, int c), (a, b, c))

// Wrapping under the master key
FAILS_WITH(nullptr, EVP_CIPHER_CTX*, EVP_CIPHER_CTX_new, (), ())
FAILS_WITH(0, int, EVP_CIPHER_CTX_ctrl, (EVP_CIPHER_CTX * a, int b, int c, void* d), (a, b, c, d))
FAILS_WITH(0, int, EVP_EncryptInit_ex,
           (EVP_CIPHER_CTX * a, const EVP_CIPHER* b, ENGINE* c, const unsigned char* d, const unsigned char* e),
           (a, b, c, d, e))
FAILS_WITH(0, int, EVP_EncryptUpdate, (EVP_CIPHER_CTX * a, unsigned char* b, int* c, const unsigned char* d, int e),
           (a, b, c, d, e))
FAILS_WITH(0, int, EVP_EncryptFinal_ex, (EVP_CIPHER_CTX * a, unsigned char* b, int* c), (a, b, c))
FAILS_WITH(0, int, EVP_DecryptInit_ex,
           (EVP_CIPHER_CTX * a, const EVP_CIPHER* b, ENGINE* c, const unsigned char* d, const unsigned char* e),
           (a, b, c, d, e))
FAILS_WITH(0, int, EVP_DecryptUpdate, (EVP_CIPHER_CTX * a, unsigned char* b, int* c, const unsigned char* d, int e),
           (a, b, c, d, e))
FAILS_WITH(0, int, EVP_DecryptFinal_ex, (EVP_CIPHER_CTX * a, unsigned char* b, int* c), (a, b, c))
FAILS_WITH(nullptr, EVP_KDF*, EVP_KDF_fetch, (OSSL_LIB_CTX * a, const char* b, const char* c), (a, b, c))
FAILS_WITH(nullptr, EVP_KDF_CTX*, EVP_KDF_CTX_new, (EVP_KDF * a), (a))
FAILS_WITH(0, int, EVP_KDF_derive, (EVP_KDF_CTX * a, unsigned char* b, size_t c, const OSSL_PARAM* d), (a, b, c, d))

// PKCS#12
FAILS_WITH(nullptr, OPENSSL_STACK*, OPENSSL_sk_new_null, (), ())
FAILS_WITH(0, int, X509_add_cert, (STACK_OF(X509) * a, X509* b, int c), (a, b, c))
FAILS_WITH(nullptr, PKCS12*, PKCS12_create,
           (const char* a, const char* b, EVP_PKEY* c, X509* d, STACK_OF(X509) * e, int f, int g, int h, int i, int j),
           (a, b, c, d, e, f, g, h, i, j))
FAILS_WITH(0, int, PKCS12_set_mac, (PKCS12 * a, const char* b, int c, unsigned char* d, int e, int f, const EVP_MD* g),
           (a, b, c, d, e, f, g))
FAILS_WITH(0, int, PKCS12_parse, (PKCS12 * a, const char* b, EVP_PKEY** c, X509** d, STACK_OF(X509) * *e),
           (a, b, c, d, e))
FAILS_WITH(0, int, EVP_PKEY_eq, (const EVP_PKEY* a, const EVP_PKEY* b), (a, b))
FAILS_WITH(-2, int, X509_cmp, (const X509* a, const X509* b), (a, b))
FAILS_WITH(-1, int, i2d_PKCS12, (const PKCS12* a, unsigned char** b), (a, b))

// Certificates
FAILS_WITH(nullptr, X509*, X509_new, (), ())
FAILS_WITH(nullptr, BIGNUM*, BN_bin2bn, (const unsigned char* a, int b, BIGNUM* c), (a, b, c))
FAILS_WITH(nullptr, ASN1_INTEGER*, BN_to_ASN1_INTEGER, (const BIGNUM* a, ASN1_INTEGER* b), (a, b))
FAILS_WITH(nullptr, ASN1_INTEGER*, X509_get_serialNumber, (X509 * a), (a))
FAILS_WITH(nullptr, ASN1_TIME*, ASN1_TIME_set, (ASN1_TIME * a, time_t b), (a, b))
FAILS_WITH(0, int, ASN1_TIME_to_tm, (const ASN1_TIME* a, struct tm* b), (a, b))
FAILS_WITH(nullptr, X509_NAME*, X509_get_subject_name, (const X509* a), (a))
FAILS_WITH(0, int, X509_NAME_add_entry_by_NID,
           (X509_NAME * a, int b, int c, const unsigned char* d, int e, int f, int g), (a, b, c, d, e, f, g))
FAILS_WITH(nullptr, X509_EXTENSION*, X509V3_EXT_conf_nid,
           (LHASH_OF(CONF_VALUE) * a, X509V3_CTX* b, int c, const char* d), (a, b, c, d))
FAILS_WITH(0, int, X509_add_ext, (X509 * a, X509_EXTENSION* b, int c), (a, b, c))
FAILS_WITH(0, int, X509_set_version, (X509 * a, long b), (a, b))
FAILS_WITH(0, int, X509_set_pubkey, (X509 * a, EVP_PKEY* b), (a, b))
FAILS_WITH(0, int, X509_set_issuer_name, (X509 * a, const X509_NAME* b), (a, b))
FAILS_WITH(0, int, X509_sign, (X509 * a, EVP_PKEY* b, const EVP_MD* c), (a, b, c))
FAILS_WITH(-1, int, i2d_X509, (const X509* a, unsigned char** b), (a, b))
