// SPDX-License-Identifier: Apache-2.0
// Implements scram.h.
#include "relay/scram.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <array>
#include <cstdlib>

#include "base/encoding.h"
#include "base/hmac.h"

namespace sealpost {
namespace {

using Digest = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

std::string_view view_of(const Digest& digest) { return {reinterpret_cast<const char*>(digest.data()), digest.size()}; }
std::string text_of(const Digest& digest) { return std::string(view_of(digest)); }

Digest sha256(std::string_view data) {
  Digest out{};
  SHA256(reinterpret_cast<const unsigned char*>(data.data()), data.size(), out.data());
  return out;
}

Digest salted_password(const Secret& password, const std::string& salt, int iterations) {
  Digest out{};
  const auto secret = password.reveal();
  if (PKCS5_PBKDF2_HMAC(secret.data(), static_cast<int>(secret.size()),
                        reinterpret_cast<const unsigned char*>(salt.data()), static_cast<int>(salt.size()), iterations,
                        EVP_sha256(), static_cast<int>(out.size()), out.data()) != 1) {
    std::abort();
  }
  return out;
}

/// The value of "x=..." at the front, which is removed with its comma.
std::optional<std::string_view> take_attribute(std::string_view& message, char name) {
  if (message.size() < 2 || message[0] != name || message[1] != '=') return std::nullopt;
  const auto comma = message.find(',');
  const auto value = message.substr(2, comma == std::string_view::npos ? comma : comma - 2);
  message.remove_prefix(comma == std::string_view::npos ? message.size() : comma + 1);
  return value;
}

/// saslname: =2C and =3D stand for ',' and '='.
std::optional<std::string> decode_name(std::string_view text) {
  std::string name;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '=') {
      name += text[i];
    } else if (text.substr(i, 3) == "=2C" || text.substr(i, 3) == "=3D") {
      name += text[i + 1] == '2' ? ',' : '=';
      i += 2;
    } else {
      return std::nullopt;
    }
  }
  if (name.empty()) return std::nullopt;
  return name;
}

Error failed() { return Error::invalid("authentication failed"); }

}  // namespace

ScramVerifier make_scram_verifier(const Secret& password, std::string salt, int iterations) {
  Digest salted = salted_password(password, salt, iterations);
  std::string client_key = hmac_sha256(view_of(salted), "Client Key");
  ScramVerifier verifier{std::move(salt), iterations, text_of(sha256(client_key)),
                         hmac_sha256(view_of(salted), "Server Key")};
  OPENSSL_cleanse(salted.data(), salted.size());
  OPENSSL_cleanse(client_key.data(), client_key.size());
  return verifier;
}

bool fits(const ScramVerifier& verifier, const Secret& password) {
  const ScramVerifier other = make_scram_verifier(password, verifier.salt, verifier.iterations);
  return equal_in_constant_time(other.stored_key, verifier.stored_key);
}

Result<ScramExchange> ScramExchange::begin(std::string_view client_first, Random& random) {
  // gs2-header: "n,," or "y,,": a client that wants channel binding ("p=") was told that we have none.
  const auto first = client_first.find(',');
  const auto second = first == std::string_view::npos ? first : client_first.find(',', first + 1);
  if (second == std::string_view::npos) return failed();
  const auto flag = client_first.substr(0, first);
  const auto authzid = client_first.substr(first + 1, second - first - 1);
  if ((flag != "n" && flag != "y") || !authzid.empty()) return failed();
  ScramExchange exchange;
  exchange.gs2_header_ = client_first.substr(0, second + 1);
  auto bare = client_first.substr(second + 1);
  exchange.client_first_bare_ = bare;
  const auto name = take_attribute(bare, 'n');
  const auto nonce = take_attribute(bare, 'r');
  auto decoded = name ? decode_name(*name) : std::nullopt;
  if (!decoded || !nonce || nonce->empty() || nonce->size() > 256) return failed();
  exchange.name_ = std::move(*decoded);
  exchange.nonce_ = std::string(*nonce) + to_base64url(random.octets(18));
  return exchange;
}

std::string ScramExchange::challenge(ScramVerifier verifier) {
  verifier_ = std::move(verifier);
  server_first_ = "r=" + nonce_ + ",s=" + to_base64(verifier_.salt) + ",i=" + std::to_string(verifier_.iterations);
  return server_first_;
}

Result<std::string> ScramExchange::finish(std::string_view client_final) {
  const auto proof_at = client_final.rfind(",p=");
  if (proof_at == std::string_view::npos) return failed();
  const auto without_proof = client_final.substr(0, proof_at);
  auto rest = without_proof;
  const auto binding = take_attribute(rest, 'c');
  const auto nonce = take_attribute(rest, 'r');
  const auto proof = from_base64(client_final.substr(proof_at + 3));
  if (!binding || *binding != to_base64(gs2_header_) || !nonce || *nonce != nonce_) return failed();
  if (!proof || proof->size() != SHA256_DIGEST_LENGTH) return failed();

  const std::string message = client_first_bare_ + "," + server_first_ + "," + std::string(without_proof);
  std::string key = hmac_sha256(verifier_.stored_key, message);
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<char>(key[i] ^ (*proof)[i]);
  const Digest stored = sha256(key);
  OPENSSL_cleanse(key.data(), key.size());
  if (!equal_in_constant_time(view_of(stored), verifier_.stored_key)) return failed();
  return "v=" + to_base64(hmac_sha256(verifier_.server_key, message));
}

}  // namespace sealpost
