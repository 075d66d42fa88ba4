// SPDX-License-Identifier: Apache-2.0
// Makes private keys and turns them into octets and back. For the key vault and the certificate authority alone.
#pragma once

#include <stop_token>
#include <string_view>

#include "base/openssl.h"
#include "base/result.h"
#include "base/secret.h"
#include "conf/settings.h"

namespace sealpost {

/// A fresh pair whose public half passes EVP_PKEY_public_check. A stop request abandons the search for primes:
/// Temporary.
Result<PkeyPtr> generate_key(KeyType type, const std::stop_token& stop = {});
/// DER; wiped when it is given back.
Result<WipedBuffer> to_der(const EVP_PKEY* key);
Result<PkeyPtr> parse_private_key(std::string_view der);
/// How settings and Redis keys call it: rsa2048, rsa3072, rsa4096, p256.
std::string_view to_text(KeyType type);
/// True when the key is of the type, strength included.
bool is_of_type(const EVP_PKEY* key, KeyType type);

}  // namespace sealpost
