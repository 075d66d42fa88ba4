// SPDX-License-Identifier: Apache-2.0
// Implements aes_gcm.h.
#include "crypto/aes_gcm.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <array>
#include <climits>
#include <cstdlib>

#include "base/openssl.h"

namespace sealpost {
namespace {

const unsigned char* octets(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

Error crypto_failure(const char* what) { return Error::internal(std::string(what) + ": " + openssl_errors()); }

/// OpenSSL counts in int.
bool fits_int(std::string_view text) { return text.size() <= static_cast<std::size_t>(INT_MAX); }

}  // namespace

Result<std::string> gcm_encrypt(const Secret& key, std::string_view nonce, std::string_view associated,
                                std::string_view plain) {
  const CipherCtxPtr context(EVP_CIPHER_CTX_new());
  std::string result(plain.size() + gcm_tag_size, '\0');
  auto* out = reinterpret_cast<unsigned char*>(result.data());
  int length = 0;
  const bool done =
      context && key.size() == gcm_key_size && nonce.size() == gcm_nonce_size && fits_int(plain) &&
      fits_int(associated) &&
      EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.data(), octets(nonce)) == 1 &&
      EVP_EncryptUpdate(context.get(), nullptr, &length, octets(associated), static_cast<int>(associated.size())) ==
          1 &&
      EVP_EncryptUpdate(context.get(), out, &length, octets(plain), static_cast<int>(plain.size())) == 1 &&
      EVP_EncryptFinal_ex(context.get(), out + length, &length) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, gcm_tag_size, out + plain.size()) == 1;
  if (!done) return crypto_failure("AES-256-GCM encryption");
  return result;
}

Result<WipedBuffer> gcm_decrypt(const Secret& key, std::string_view nonce, std::string_view associated,
                                std::string_view sealed) {
  if (sealed.size() < gcm_tag_size) return Error::permanent("a stored secret was altered");
  const auto cipher = sealed.substr(0, sealed.size() - gcm_tag_size);
  std::string tag(sealed.substr(cipher.size()));
  const CipherCtxPtr context(EVP_CIPHER_CTX_new());
  WipedBuffer plain(cipher.size() + 1);  // one more: an empty plaintext still needs an address to write to
  auto* out = reinterpret_cast<unsigned char*>(plain.data());
  int length = 0;
  const bool ready =
      context && key.size() == gcm_key_size && nonce.size() == gcm_nonce_size && fits_int(cipher) &&
      fits_int(associated) &&
      EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.data(), octets(nonce)) == 1 &&
      EVP_DecryptUpdate(context.get(), nullptr, &length, octets(associated), static_cast<int>(associated.size())) ==
          1 &&
      EVP_DecryptUpdate(context.get(), out, &length, octets(cipher), static_cast<int>(cipher.size())) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, gcm_tag_size, tag.data()) == 1;
  if (!ready) return crypto_failure("AES-256-GCM decryption");
  if (EVP_DecryptFinal_ex(context.get(), out + length, &length) != 1) {
    return Error::permanent("a stored secret was altered", openssl_errors());
  }
  plain.resize(cipher.size());
  return plain;
}

Result<Secret> hkdf_sha256(const Secret& secret, std::string_view salt, std::string_view info) {
  const KdfPtr kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
  const KdfCtxPtr context(kdf ? EVP_KDF_CTX_new(kdf.get()) : nullptr);
  if (!context) return crypto_failure("HKDF");
  std::string digest = "SHA256";
  const auto octet_param = [](const char* name, std::string_view value) {
    return OSSL_PARAM_construct_octet_string(name, const_cast<char*>(value.data()), value.size());
  };
  const std::array<OSSL_PARAM, 5> params = {OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
                                            octet_param(OSSL_KDF_PARAM_KEY, secret.reveal()),
                                            octet_param(OSSL_KDF_PARAM_SALT, salt),
                                            octet_param(OSSL_KDF_PARAM_INFO, info), OSSL_PARAM_construct_end()};
  WipedBuffer derived(gcm_key_size);
  if (EVP_KDF_derive(context.get(), reinterpret_cast<unsigned char*>(derived.data()), derived.size(), params.data()) !=
      1) {
    return crypto_failure("HKDF");
  }
  return Secret(std::move(derived));
}

}  // namespace sealpost
