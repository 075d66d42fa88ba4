// SPDX-License-Identifier: Apache-2.0
// Implements pkcs12_kdf.h.
#include "crypto/pkcs12_kdf.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/openssl.h"
#include "base/secret.h"
#include "crypto/der.h"

namespace sealpost {
namespace {

constexpr std::size_t block_octets = 64;   // v of SHA-1
constexpr std::size_t digest_octets = 20;  // u
constexpr std::size_t longest_password = block_octets / 2 - 1;

/// pbeWithSHAAnd3-KeyTripleDES-CBC, 1.2.840.113549.1.12.1.3, as DER.
constexpr std::string_view triple_des = "\x06\x0a\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01\x03";

using Block = std::array<unsigned char, block_octets>;

Block repeated(std::string_view octets) {
  Block block{};
  for (std::size_t i = 0; i < block.size(); ++i) block[i] = static_cast<unsigned char>(octets[i % octets.size()]);
  return block;
}

/// The first octet of (a + b + 1) mod 2^512.
unsigned first_octet_of_sum(const Block& a, const Block& b) {
  unsigned carry = 1;
  unsigned octet = 0;
  for (std::size_t i = block_octets; i-- > 0;) {
    const unsigned sum = unsigned{a[i]} + b[i] + carry;
    octet = sum & 0xffU;
    carry = sum >> 8U;
  }
  return octet;
}

struct Parameters {
  std::string_view salt;
  int iterations = 0;
};

std::optional<Parameters> read_parameters(std::string_view der) {
  const auto sequence = read_der(der);
  if (!sequence || sequence->tag != V_ASN1_SEQUENCE) return std::nullopt;
  std::string_view rest = sequence->content;
  const auto salt = take_der(rest);
  const auto count = salt ? take_der(rest) : std::nullopt;
  if (!count || salt->tag != V_ASN1_OCTET_STRING || count->tag != V_ASN1_INTEGER || salt->content.empty()) {
    return std::nullopt;
  }
  Parameters parameters{salt->content, 0};
  for (const char octet : count->content.substr(0, 3)) {
    parameters.iterations = parameters.iterations * 256 + static_cast<unsigned char>(octet);
  }
  return parameters;
}

}  // namespace

Result<bool> is_misread_by_gpgsm(std::string_view der, std::string_view password) {
  if (password.size() > longest_password) return Error::internal("PKCS#12: the password fills more than a block");
  WipedBuffer unicode;  // BMPString with its NUL
  for (const char c : password) {
    unicode.push_back('\0');
    unicode.push_back(c);
  }
  unicode.insert(unicode.end(), 2, '\0');
  int keys = 0;
  for (auto at = der.find(triple_des); at != std::string_view::npos; at = der.find(triple_des, at + 1)) {
    const auto parameters = read_parameters(der.substr(at + triple_des.size()));
    if (!parameters) continue;  // ciphertext that looks like it
    ++keys;
    std::string salt(parameters->salt);
    std::array<char, digest_octets> first{};
    if (PKCS12_key_gen_utf8(password.data(), static_cast<int>(password.size()),
                            reinterpret_cast<unsigned char*>(salt.data()), static_cast<int>(salt.size()), PKCS12_KEY_ID,
                            parameters->iterations, static_cast<int>(first.size()),
                            reinterpret_cast<unsigned char*>(first.data()), EVP_sha1()) != 1) {
      return Error::internal("PKCS#12: " + openssl_errors());
    }
    const Block digest = repeated({first.data(), first.size()});
    Block secret = repeated(view(unicode));
    const bool short_block = first_octet_of_sum(repeated(salt), digest) == 0 || first_octet_of_sum(secret, digest) == 0;
    OPENSSL_cleanse(secret.data(), secret.size());
    OPENSSL_cleanse(first.data(), first.size());
    if (short_block) return true;
  }
  if (keys < 2) return Error::internal("PKCS#12: the bags of certificates and key are not both found");
  return false;
}

}  // namespace sealpost
