// SPDX-License-Identifier: Apache-2.0
// Implements private_key.h.
#include "crypto/private_key.h"

#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include <cstdlib>

namespace sealpost {
namespace {

constexpr int p256_bits = 256;

int rsa_bits(KeyType type) {
  switch (type) {
    case KeyType::Rsa2048:
      return 2048;
    case KeyType::Rsa3072:
      return 3072;
    case KeyType::Rsa4096:
      return 4096;
    case KeyType::P256:
      break;
  }
  return 0;
}

/// OpenSSL calls this between candidates; 0 ends the search.
int go_on(EVP_PKEY_CTX* context) {
  return static_cast<const std::stop_token*>(EVP_PKEY_CTX_get_app_data(context))->stop_requested() ? 0 : 1;
}

bool prepare(EVP_PKEY_CTX* context, KeyType type) {
  if (EVP_PKEY_keygen_init(context) != 1) return false;
  return type == KeyType::P256 ? EVP_PKEY_CTX_set_group_name(context, "P-256") == 1
                               : EVP_PKEY_CTX_set_rsa_keygen_bits(context, rsa_bits(type)) == 1;
}

}  // namespace

Result<PkeyPtr> generate_key(KeyType type, const std::stop_token& stop) {
  const PkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(nullptr, type == KeyType::P256 ? "EC" : "RSA", nullptr));
  if (!context || !prepare(context.get(), type)) return Error::internal("key generation: " + openssl_errors());
  auto token = stop;
  EVP_PKEY_CTX_set_app_data(context.get(), &token);
  EVP_PKEY_CTX_set_cb(context.get(), go_on);
  EVP_PKEY* made = nullptr;
  const bool done = EVP_PKEY_generate(context.get(), &made) == 1;
  PkeyPtr key(made);
  const std::string errors = openssl_errors();
  if (stop.stop_requested()) return Error::temporary("key generation was abandoned");
  if (!done) return Error::internal("key generation: " + errors);
  const PkeyCtxPtr check(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  if (!check || EVP_PKEY_public_check(check.get()) != 1) {
    return Error::internal("a generated key failed its check: " + openssl_errors());
  }
  return key;
}

Result<WipedBuffer> to_der(const EVP_PKEY* key) { return encode_der<i2d_PrivateKey, WipedBuffer>(key, "private key"); }

Result<PkeyPtr> parse_private_key(std::string_view der) {
  const auto* position = reinterpret_cast<const unsigned char*>(der.data());
  PkeyPtr key(d2i_AutoPrivateKey(nullptr, &position, static_cast<long>(der.size())));
  if (!key) return Error::permanent("a stored private key cannot be read", openssl_errors());
  return key;
}

std::string_view to_text(KeyType type) {
  switch (type) {
    case KeyType::Rsa2048:
      return "rsa2048";
    case KeyType::Rsa3072:
      return "rsa3072";
    case KeyType::Rsa4096:
      return "rsa4096";
    case KeyType::P256:
      return "p256";
  }
  std::abort();
}

bool is_of_type(const EVP_PKEY* key, KeyType type) {
  if (type == KeyType::P256) return EVP_PKEY_is_a(key, "EC") == 1 && EVP_PKEY_get_bits(key) == p256_bits;
  return EVP_PKEY_is_a(key, "RSA") == 1 && EVP_PKEY_get_bits(key) == rsa_bits(type);
}

}  // namespace sealpost
