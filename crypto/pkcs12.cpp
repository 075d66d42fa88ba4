// SPDX-License-Identifier: Apache-2.0
// Implements pkcs12.h.
#include "crypto/pkcs12.h"

#include <algorithm>

#include "base/encoding.h"
#include "crypto/pkcs12_kdf.h"

namespace sealpost {
namespace {

constexpr std::size_t min_own_password = 12;
constexpr std::size_t max_own_password = 256;
constexpr std::string_view alphabet = "23456789abcdefghijkmnpqrstuvwxyz";  // 32: five bits each, without 0, 1, l and o
static_assert(alphabet.size() == 32);
constexpr std::size_t password_symbols = 20;
constexpr std::size_t password_group = 4;
constexpr int max_tries = 20;  // one file in 60 does not do

struct Algorithms {
  int cipher;
  const EVP_MD* mac;
  int iterations;
};

Algorithms algorithms(Pkcs12Format format) {
  // Iterations add nothing to a random password; old importers are slow or refuse when they are many.
  if (format == Pkcs12Format::Compatible) return {NID_pbe_WithSHA1And3_Key_TripleDES_CBC, EVP_sha1(), 2048};
  return {NID_aes_256_cbc, EVP_sha256(), 100'000};
}

/// The certificates without their ownership: the stack adds its own references.
Result<X509StackPtr> stack_of(const std::vector<X509*>& chain) {
  X509StackPtr stack(sk_X509_new_null());
  if (!stack) return Error::internal("PKCS#12: " + openssl_errors());
  for (X509* certificate : chain) {
    if (X509_add_cert(stack.get(), certificate, X509_ADD_FLAG_UP_REF) != 1) {
      return Error::internal("PKCS#12: " + openssl_errors());
    }
  }
  return stack;
}

/// OpenSSL goes on when it lacked the memory for a certificate or for what ties it to the key: what cannot be imported
/// is not handed out.
bool is_whole(PKCS12* file, const char* password, const Pkcs12Content& content) {
  EVP_PKEY* raw_key = nullptr;
  X509* raw_certificate = nullptr;
  STACK_OF(X509)* raw_chain = nullptr;
  const bool opened = PKCS12_parse(file, password, &raw_key, &raw_certificate, &raw_chain) == 1;
  const PkeyPtr key(raw_key);
  const X509Ptr certificate(raw_certificate);
  const X509StackPtr chain(raw_chain);
  if (!opened || !key || !certificate) return false;
  const auto others = static_cast<std::size_t>(std::max(sk_X509_num(chain.get()), 0));
  return EVP_PKEY_eq(key.get(), content.key) == 1 && X509_cmp(certificate.get(), content.certificate) == 0 &&
         others == content.chain.size();
}

/// With salts of its own.
Result<WipedBuffer> make_once(const Pkcs12Content& content, Pkcs12Format format, const Secret& password) {
  auto chain = stack_of(content.chain);
  if (!chain) return chain.error();
  WipedBuffer pass(password.reveal().begin(), password.reveal().end());
  pass.push_back('\0');
  const int length = static_cast<int>(password.size());
  const auto [cipher, mac, iterations] = algorithms(format);
  constexpr int mac_follows = -1;  // PKCS12_create would use its own default digest
  const Pkcs12Ptr file(PKCS12_create(pass.data(), content.friendly_name.c_str(), content.key, content.certificate,
                                     chain->get(), cipher, cipher, iterations, mac_follows, 0));
  if (!file || PKCS12_set_mac(file.get(), pass.data(), length, nullptr, 0, iterations, mac) != 1) {
    return Error::internal("PKCS#12: " + openssl_errors());
  }
  if (!is_whole(file.get(), pass.data(), content)) return Error::internal("PKCS#12: incomplete: " + openssl_errors());
  return encode_der<i2d_PKCS12, WipedBuffer>(file.get(), "PKCS#12");
}

}  // namespace

Result<WipedBuffer> make_pkcs12(const Pkcs12Content& content, Pkcs12Format format, const Secret& password) {
  for (int tries = 0; tries < max_tries; ++tries) {
    auto file = make_once(content, format, password);
    if (!file || format != Pkcs12Format::Compatible) return file;
    auto misread = is_misread_by_gpgsm(view(*file), password.reveal());
    if (!misread) return misread.error();
    if (!*misread) return file;
  }
  return Error::internal("PKCS#12: no salt suits");
}

Secret random_pkcs12_password(Random& random) {
  const Secret octets = random.secret(password_symbols);
  WipedBuffer text;
  for (std::size_t i = 0; i < password_symbols; ++i) {
    if (i != 0 && i % password_group == 0) text.push_back('-');
    text.push_back(alphabet[octets.data()[i] % alphabet.size()]);
  }
  return Secret(std::move(text));
}

Status check_own_password(Pkcs12Format format, const Secret& password) {
  if (format == Pkcs12Format::Compatible) {
    return Error::invalid("the compatible format protects its content too weakly for a chosen password");
  }
  const auto text = password.reveal();
  const bool clean = is_utf8(text) && std::none_of(text.begin(), text.end(), [](char octet) {
                       return static_cast<unsigned char>(octet) < 0x20U || octet == '\x7f';
                     });
  if (!clean) return Error::invalid("the password must be text without control characters");
  const auto characters = std::count_if(
      text.begin(), text.end(), [](char octet) { return (static_cast<unsigned char>(octet) & 0xc0U) != 0x80U; });
  if (static_cast<std::size_t>(characters) < min_own_password) {
    return Error::invalid("the password must have 12 characters or more");
  }
  if (text.size() > max_own_password) return Error::invalid("the password is too long");
  return {};
}

}  // namespace sealpost
