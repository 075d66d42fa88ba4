// SPDX-License-Identifier: Apache-2.0
// The file that a recipient imports (PKCS#12, RFC 7292), in the two forms that the readers of the field accept, and
// passwords for it.
#pragma once

#include <string>
#include <vector>

#include "base/openssl.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"

namespace sealpost {

enum class Pkcs12Format {
  Modern,     ///< AES-256-CBC, HMAC-SHA256, 100,000 iterations: openssl, NSS, Thunderbird, Java
  Compatible  ///< 3DES, HMAC-SHA1: gpgsm 2.2, older Apple systems and Windows; its password must be random
};

/// A file that the recipient imports, and the password that opens it.
struct Pkcs12File {
  WipedBuffer octets;
  Secret password;
};

struct Pkcs12Content {
  EVP_PKEY* key;
  X509* certificate;
  std::vector<X509*> chain;  ///< issuing CA, then root
  std::string friendly_name;
};

Result<WipedBuffer> make_pkcs12(const Pkcs12Content& content, Pkcs12Format format, const Secret& password);
/// 100 random bits, in groups of letters and digits that are not mistaken for one another.
Secret random_pkcs12_password(Random& random);
/// A password of the recipient's own: Modern only, 12 characters or more, UTF-8 without control characters; Invalid
/// says what is wrong.
Status check_own_password(Pkcs12Format format, const Secret& password);

}  // namespace sealpost
