// SPDX-License-Identifier: Apache-2.0
// Implements relay_identity.h. In Redis: key "keys:signer:ADDRESS", a MessagePack array {certificate DER, wrapped key}.
#include "crypto/relay_identity.h"

#include <openssl/err.h>

#include <msgpack.hpp>
#include <tuple>

#include "base/unpack.h"
#include "crypto/certificate.h"
#include "crypto/certificate_authority.h"
#include "crypto/cms_sign.h"
#include "crypto/private_key.h"
#include "directory_scripts.h"

namespace sealpost {
namespace {

/// At least so long each signature can be verified after it was made.
constexpr std::chrono::hours renewed_before{24 * 365};

using StoredIdentity = std::tuple<std::string, std::string>;

const redis::Script& set_script() {
  static const redis::Script script("set_signer", std::string(scripts::set_signer_lua));
  return script;
}

std::string store_key(const EmailAddress& address) { return "keys:signer:" + address.directory_key(); }

/// A pair moved to another address, or a certificate put beside another one's key, does not open.
std::string key_context(const EmailAddress& address, std::string_view der) {
  return address.directory_key() + " " + certificate_fingerprint(der);
}

Error altered_identity(std::string detail) {
  return Error::permanent("the relay's signing key in Redis was altered or belongs to another master key",
                          std::move(detail));
}

Result<StoredIdentity> decode_identity(std::string_view octets) {
  try {
    return unpack_record(octets).get().as<StoredIdentity>();
  } catch (const std::exception& why) {
    return altered_identity(why.what());
  }
}

}  // namespace

Result<std::string> RelayIdentity::make(Wrapper& wrapper, CertificateAuthority& authority, const EmailAddress& address,
                                        KeyType key_type) {
  auto key = generate_key(key_type);
  if (!key) return key.error();
  auto certificate = authority.issue_signer(address, key->get());
  if (!certificate) return certificate;
  auto plain = to_der(key->get());
  if (!plain) return plain.error();
  auto wrapped = wrapper.wrap(Purpose::SignerKey, key_context(address, *certificate), view(*plain));
  if (!wrapped) return wrapped;
  msgpack::sbuffer packed;
  msgpack::pack(packed, StoredIdentity(*certificate, *wrapped));
  return std::string(packed.data(), packed.size());
}

Result<RelayIdentity> RelayIdentity::from_store(std::string_view stored, Wrapper& wrapper,
                                                CertificateAuthority& authority, const EmailAddress& address,
                                                const Clock& clock) {
  auto record = decode_identity(stored);
  if (!record) return record.error();
  RelayIdentity identity(authority, clock);
  identity.der_ = std::move(std::get<0>(*record));
  auto certificate = parse_certificate(identity.der_);
  if (!certificate) return altered_identity("the certificate cannot be parsed");
  auto plain = wrapper.unwrap(Purpose::SignerKey, key_context(address, identity.der_), std::get<1>(*record));
  if (!plain) return altered_identity(plain.error().public_text);
  auto key = parse_private_key(view(*plain));
  if (!key) return key.error();
  if (X509_check_private_key(certificate->get(), key->get()) != 1) return altered_identity(openssl_errors());
  identity.certificate_ = std::move(*certificate);
  identity.key_ = std::move(*key);
  return identity;
}

bool RelayIdentity::still_good() const {
  const auto end = not_after(certificate_.get());
  const bool ours = X509_verify(certificate_.get(), X509_get0_pubkey(authority_->issuing())) == 1;
  ERR_clear_error();
  return ours && end && *end - clock_->now() >= renewed_before;
}

Result<RelayIdentity> RelayIdentity::open(redis::Client& redis, Wrapper& wrapper, CertificateAuthority& authority,
                                          const EmailAddress& address, const Clock& clock, Log& log, KeyType key_type) {
  const std::string name = store_key(address);
  auto stored = redis.command({"GET", name});
  if (!stored) return stored.error();
  const std::string seen(stored->is_nil() ? std::string_view() : stored->text());
  if (!seen.empty()) {
    auto present = from_store(seen, wrapper, authority, address, clock);
    if (!present || present->still_good()) return present;
  }
  auto made = make(wrapper, authority, address, key_type);
  if (!made) return made.error();
  auto stands = redis.run(set_script(), {name}, {seen, *made});  // ours, or that of the node that was first
  if (!stands) return stands.error();
  auto identity = from_store(stands->text(), wrapper, authority, address, clock);
  if (identity && stands->text() == *made) {
    log.info("signer.made", {{"address", address.text()}, {"fingerprint", certificate_fingerprint(identity->der_)}});
  }
  return identity;
}

Result<std::string> RelayIdentity::sign_detached(std::string_view content) const {
  return sealpost::sign_detached(content, {certificate_.get(), key_.get(), {authority_->issuing()}}, clock_->now());
}

}  // namespace sealpost
