// SPDX-License-Identifier: Apache-2.0
// Implements certificate_authority.h. In Redis: key "keys:ca", set once, a MessagePack array {root DER, wrapped root
// key, issuing DER, wrapped issuing key}.
#include "crypto/certificate_authority.h"

#include <algorithm>
#include <msgpack.hpp>
#include <tuple>

#include "base/encoding.h"
#include "base/unpack.h"
#include "crypto/certificate.h"
#include "crypto/certificate_builder.h"
#include "crypto/private_key.h"

namespace sealpost {
namespace {

constexpr std::chrono::hours day{24};
constexpr std::chrono::hours recipient_lifetime = 3652 * day;  // ten years
constexpr std::chrono::hours issuing_lifetime = 10957 * day;   // thirty: always longer than what it signs
constexpr std::chrono::hours root_lifetime = 10958 * day;
/// For readers whose clock is slow.
constexpr std::chrono::minutes backdated{10};
constexpr std::size_t max_common_name = 64;
const std::string ca_key = "keys:ca";

using StoredCa = std::tuple<std::string, std::string, std::string, std::string>;

/// Bound to the certificate, so that neither can be swapped alone.
std::string key_context(std::string_view role, std::string_view der) {
  return std::string(role) + " " + certificate_fingerprint(der);
}

Result<std::string> wrap_key(Wrapper& wrapper, std::string_view role, std::string_view der, const EVP_PKEY* key) {
  auto plain = to_der(key);
  if (!plain) return plain.error();
  return wrapper.wrap(Purpose::CaKey, key_context(role, der), view(*plain));
}

Error altered_ca(std::string detail) {
  return Error::permanent("the CA in Redis was altered or belongs to another master key", std::move(detail));
}

Result<StoredCa> decode_ca(std::string_view octets) {
  try {
    return unpack_record(octets).get().as<StoredCa>();
  } catch (const std::exception& why) {
    return altered_ca(why.what());
  }
}

std::size_t characters(std::string_view utf8) {
  return static_cast<std::size_t>(std::count_if(
      utf8.begin(), utf8.end(), [](char octet) { return (static_cast<unsigned char>(octet) & 0xc0U) != 0x80U; }));
}

Result<std::string> self_signed_root(EVP_PKEY* key, const std::string& mark, Time now, Random& random) {
  return CertificateBuilder(key, nullptr)
      .serial(random)
      .validity(now - backdated, now + root_lifetime)
      .subject("Sealpost Root CA " + mark, "Sealpost")
      .extension(NID_basic_constraints, "critical,CA:TRUE")
      .extension(NID_key_usage, "critical,keyCertSign,cRLSign")
      // Not critical, against RFC 5280 section 4.2.1.10: gpgsm 2.2 refuses the whole chain for a critical one, while
      // OpenSSL and NSS obey it either way.
      .extension_der(NID_name_constraints, false, exclude_all_hosts())
      .sign(key);
}

Result<std::string> issuing_under(X509* root, EVP_PKEY* root_key, EVP_PKEY* key, const std::string& mark, Time now,
                                  Random& random) {
  return CertificateBuilder(key, root)
      .serial(random)
      .validity(now - backdated, now + issuing_lifetime)
      .subject("Sealpost Issuing CA " + mark, "Sealpost")
      .extension(NID_basic_constraints, "critical,CA:TRUE,pathlen:0")
      .extension(NID_key_usage, "critical,keyCertSign,cRLSign")
      .extension(NID_ext_key_usage, "emailProtection")
      .sign(root_key);
}

}  // namespace

Result<std::string> CertificateAuthority::make(Wrapper& wrapper, const Clock& clock, Random& random, KeyType key_type) {
  auto root_key = generate_key(key_type);
  auto issuing_key = generate_key(key_type);
  if (!root_key || !issuing_key) return root_key ? issuing_key.error() : root_key.error();
  // Two installations' CAs must not share a name: readers look issuers up by it.
  const std::string mark = to_hex(random.octets(4));
  auto root = self_signed_root(root_key->get(), mark, clock.now(), random);
  if (!root) return root;
  auto parsed = parse_certificate(*root);
  if (!parsed) return parsed.error();
  auto issuing = issuing_under(parsed->get(), root_key->get(), issuing_key->get(), mark, clock.now(), random);
  if (!issuing) return issuing;
  auto wrapped_root = wrap_key(wrapper, "root", *root, root_key->get());
  auto wrapped_issuing = wrap_key(wrapper, "issuing", *issuing, issuing_key->get());
  if (!wrapped_root || !wrapped_issuing) return wrapped_root ? wrapped_issuing : wrapped_root;
  msgpack::sbuffer packed;
  msgpack::pack(packed, StoredCa(*root, *wrapped_root, *issuing, *wrapped_issuing));
  return std::string(packed.data(), packed.size());
}

Result<CertificateAuthority> CertificateAuthority::from_store(std::string_view octets, Wrapper& wrapper,
                                                              const Clock& clock, Random& random, std::string crl_url) {
  auto stored = decode_ca(octets);
  if (!stored) return stored.error();
  CertificateAuthority authority(clock, random, std::move(crl_url));
  std::tie(authority.root_der_, std::ignore, authority.issuing_der_, std::ignore) = *stored;
  auto root = parse_certificate(authority.root_der_);
  auto issuing = parse_certificate(authority.issuing_der_);
  if (!root || !issuing) return altered_ca("a CA certificate cannot be parsed");
  auto plain = wrapper.unwrap(Purpose::CaKey, key_context("issuing", authority.issuing_der_), std::get<3>(*stored));
  if (!plain) return altered_ca(plain.error().public_text);
  auto key = parse_private_key(view(*plain));
  if (!key) return key.error();
  // The wrapped key vouches for the issuing certificate, the signature on that for the root's key, and the root's own
  // for what else it says.
  EVP_PKEY* root_key = X509_get0_pubkey(root->get());
  const bool chained = X509_check_private_key(issuing->get(), key->get()) == 1 &&
                       X509_verify(issuing->get(), root_key) == 1 && X509_verify(root->get(), root_key) == 1;
  if (!chained) return altered_ca("the CA's certificates and key do not belong together: " + openssl_errors());
  authority.root_ = std::move(*root);
  authority.issuing_ = std::move(*issuing);
  authority.issuing_key_ = std::move(*key);
  return authority;
}

Result<CertificateAuthority> CertificateAuthority::load(redis::Client& redis, Wrapper& wrapper, const Clock& clock,
                                                        Random& random, std::string crl_url) {
  auto stored = redis.command({"GET", ca_key});
  if (!stored) return stored.error();
  if (stored->is_nil()) return Error::not_found("there is no CA yet; the first start of sealpostd makes it");
  return from_store(stored->text(), wrapper, clock, random, std::move(crl_url));
}

Result<CertificateAuthority> CertificateAuthority::open(redis::Client& redis, Wrapper& wrapper, const Clock& clock,
                                                        Random& random, Log& log,
                                                        const CertificateAuthorityOptions& options) {
  auto present = load(redis, wrapper, clock, random, options.crl_url);
  if (present || present.error().kind != ErrorKind::NotFound) return present;
  auto made = make(wrapper, clock, random, options.key_type);
  if (!made) return made.error();
  auto set = redis.command({"SET", ca_key, *made, "NX"});
  if (!set) return set.error();
  auto authority = load(redis, wrapper, clock, random, options.crl_url);  // ours, or that of the node that was first
  if (authority && !set->is_nil()) {
    log.info("ca.made", {{"fingerprint", certificate_fingerprint(authority->root_der_)}});
  }
  return authority;
}

Result<std::string> CertificateAuthority::issue(const EmailAddress& address, EVP_PKEY* key) {
  const bool rsa = EVP_PKEY_is_a(key, "RSA") == 1;
  if (!rsa && EVP_PKEY_is_a(key, "EC") != 1) return Error::internal("issue: neither an RSA nor an EC key");
  return certify(address, key,
                 rsa ? "critical,digitalSignature,keyEncipherment" : "critical,digitalSignature,keyAgreement",
                 Revocable::Yes);
}

Result<std::string> CertificateAuthority::issue_signer(const EmailAddress& address, EVP_PKEY* key) {
  return certify(address, key, "critical,digitalSignature", Revocable::No);
}

Result<std::string> CertificateAuthority::certify(const EmailAddress& address, EVP_PKEY* key, const char* key_usage,
                                                  Revocable revocable) {
  if (!address.fits_certificate()) return Error::invalid("the address cannot stand in a certificate");
  const std::string name = address.san_value();
  const bool named = characters(name) <= max_common_name;
  auto issuing_end = not_after(issuing_.get());
  if (!issuing_end) return issuing_end.error();
  const Time now = clock_.now();
  if (now >= *issuing_end) return Error::permanent("the issuing CA has expired");
  CertificateBuilder builder(key, issuing_.get());
  if (revocable == Revocable::Yes && !crl_url_.empty()) {
    builder.extension_der(NID_crl_distribution_points, false, crl_distribution_point(crl_url_));
  }
  return builder.serial(random_)
      .validity(now - backdated, std::min<Time>(now + recipient_lifetime, *issuing_end))
      .subject(named ? name : std::string())
      .extension(NID_basic_constraints, "critical,CA:FALSE")
      .extension(NID_key_usage, key_usage)
      .extension(NID_ext_key_usage, "emailProtection")
      .extension_der(NID_subject_alt_name, !named, subject_alt_name(address))
      .sign(issuing_key_.get());
}

Result<std::string> CertificateAuthority::revocation_list(const std::vector<RevokedCertificate>& revoked,
                                                          std::int64_t number) const {
  return make_revocation_list(revoked, issuing_.get(), issuing_key_.get(), number, clock_.now());
}

Result<std::string> CertificateAuthority::pem() const {
  auto issuing = to_pem(issuing_.get());
  auto root = to_pem(root_.get());
  if (!issuing || !root) return issuing ? root : issuing;
  return *issuing + *root;
}

}  // namespace sealpost
