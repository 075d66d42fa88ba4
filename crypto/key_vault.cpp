// SPDX-License-Identifier: Apache-2.0
// Implements key_vault.h. A pool entry is "PLACEHOLDER BLOB": the placeholder address, a space, and the private key
// wrapped for that address; the certificate is made when the pair is assigned. The Redis list is named after the key
// type, so that a change of crypto.key_type never hands out old ones.
#include "crypto/key_vault.h"

#include "base/message_id.h"
#include "conf/recipient_domains.h"
#include "crypto/certificate.h"
#include "crypto/certificate_authority.h"
#include "crypto/private_key.h"

namespace sealpost {
namespace {

/// More unreadable entries in a row than this are left to the next call: a damaged pool must not hold a sender up.
constexpr int max_bad_entries = 16;

std::string pool_key(KeyType type) { return "keys:pool:" + std::string(to_text(type)); }

std::string pool_context(std::string_view placeholder) { return private_key_context(placeholder, "pool"); }

}  // namespace

std::string private_key_context(std::string_view address_key, std::string_view fingerprint) {
  std::string context(address_key);
  context += '\0';
  return context.append(fingerprint);
}

Result<std::size_t> pool_stock(redis::Client& redis, KeyType type) {
  auto length = redis.command({"LLEN", pool_key(type)});
  if (!length) return length.error();
  return static_cast<std::size_t>(length->integer());
}

struct KeyVault::PooledPair {
  std::string entry;
  std::string placeholder;
  PkeyPtr key;
};

KeyVault::KeyVault(redis::Client& redis, Wrapper& wrapper, CertificateAuthority& authority, const Clock& clock,
                   Random& random, CryptoSettings settings, Log& log, RecipientDomains domains, GenerationTimes times)
    : redis_(redis),
      wrapper_(wrapper),
      authority_(authority),
      clock_(clock),
      random_(random),
      settings_(settings),
      log_(log),
      domains_(std::move(domains)),
      times_(std::move(times)) {}

KeyType KeyVault::type_for(const EmailAddress& address) const {
  return domain_of(domains_, address).key_type.value_or(settings_.key_type);
}

Result<BoundPair> KeyVault::bind(const EmailAddress& address) {
  const KeyType type = type_for(address);
  auto pooled = take_from_pool(type);
  report_pool_use();
  if (!pooled) return pooled.error();
  if (!*pooled) {
    auto key = generate(type);
    if (!key) return key.error();
    return certify(address, key->get());
  }
  auto pair = certify(address, (*pooled)->key.get());
  BoundPair origin;
  origin.pool_entry = std::move((*pooled)->entry);
  origin.key_type = type;
  if (!pair) {
    if (auto back = give_back(origin); !back) log_.failure("pool.give_back_failed", back.error());
    return pair;
  }
  pair->placeholder = std::move((*pooled)->placeholder);
  pair->pool_entry = std::move(origin.pool_entry);
  pair->key_type = type;
  return pair;
}

Result<std::optional<KeyVault::PooledPair>> KeyVault::take_from_pool(KeyType type) {
  for (int bad = 0; bad < max_bad_entries; ++bad) {
    auto popped = redis_.command({"LPOP", pool_key(type)});
    if (!popped) return popped.error();
    if (popped->is_nil()) break;
    auto pair = open_entry(type, std::string(popped->text()));
    if (pair) return std::optional(std::move(*pair));
    log_.failure("pool.entry_unreadable", pair.error());
  }
  return std::optional<PooledPair>();
}

Result<KeyVault::PooledPair> KeyVault::open_entry(KeyType type, std::string entry) {
  const auto space = entry.find(' ');
  if (space == std::string::npos) return Error::permanent("a pool entry was altered");
  std::string placeholder = entry.substr(0, space);
  auto plain =
      wrapper_.unwrap(Purpose::PrivateKey, pool_context(placeholder), std::string_view(entry).substr(space + 1));
  if (!plain) return plain.error();
  auto key = parse_private_key(view(*plain));
  if (!key) return key.error();
  if (!is_of_type(key->get(), type)) return Error::permanent("a pool entry is of another key type");
  return PooledPair{std::move(entry), std::move(placeholder), std::move(*key)};
}

Result<BoundPair> KeyVault::certify(const EmailAddress& address, EVP_PKEY* key) {
  auto certificate = authority_.issue(address, key);
  if (!certificate) return certificate.error();
  BoundPair pair;
  pair.certificate = std::move(*certificate);
  pair.fingerprint = certificate_fingerprint(pair.certificate);
  auto plain = to_der(key);
  if (!plain) return plain.error();
  auto wrapped =
      wrapper_.wrap(Purpose::PrivateKey, private_key_context(address.directory_key(), pair.fingerprint), view(*plain));
  if (!wrapped) return wrapped.error();
  pair.wrapped_key = std::move(*wrapped);
  return pair;
}

Status KeyVault::give_back(const BoundPair& pair) {
  if (pair.pool_entry.empty()) return {};
  auto pushed = redis_.command({"RPUSH", pool_key(pair.key_type), pair.pool_entry});
  return pushed ? Status() : Status(pushed.error());
}

Status KeyVault::add_to_pool(const std::stop_token& stop) {
  auto key = generate(settings_.key_type, stop);
  if (!key) return key.error();
  auto plain = to_der(key->get());
  if (!plain) return plain.error();
  const std::string placeholder = "pool-" + MessageId::generate(clock_, random_).text() + "@pool.invalid";
  auto wrapped = wrapper_.wrap(Purpose::PrivateKey, pool_context(placeholder), view(*plain));
  if (!wrapped) return wrapped.error();
  auto pushed = redis_.command({"RPUSH", pool_key(settings_.key_type), placeholder + " " + *wrapped});
  return pushed ? Status() : Status(pushed.error());
}

Result<PkeyPtr> KeyVault::generate(KeyType type, const std::stop_token& stop) {
  const auto begun = std::chrono::steady_clock::now();
  auto key = generate_key(type, stop);
  const auto timing = times_.find(type);
  if (key && timing != times_.end()) timing->second.since(begun);
  return key;
}

Result<std::size_t> KeyVault::pool_stock() { return sealpost::pool_stock(redis_, settings_.key_type); }

Result<std::optional<std::size_t>> KeyVault::stock_for(const EmailAddress& address) {
  const KeyType type = type_for(address);
  if (type == KeyType::P256 && type != settings_.key_type) return std::optional<std::size_t>();
  auto stock = sealpost::pool_stock(redis_, type);
  if (!stock) return stock.error();
  return std::optional(*stock);
}

void KeyVault::on_pool_use(std::function<void()> used) {
  const std::lock_guard lock(pool_use_mutex_);
  pool_used_ = std::move(used);
}

void KeyVault::report_pool_use() {
  const std::lock_guard lock(pool_use_mutex_);
  if (pool_used_) pool_used_();
}

Result<Pkcs12File> KeyVault::export_pkcs12(const std::string& address_key, const std::string& fingerprint,
                                           const std::string& certificate_der, const std::string& wrapped_key,
                                           Pkcs12Format format, std::optional<Secret> password) {
  if (password) {
    if (auto fits = check_own_password(format, *password); !fits) return fits.error();
  } else {
    password = random_pkcs12_password(random_);
  }
  auto certificate = parse_certificate(certificate_der);
  if (!certificate) return certificate.error();
  auto plain = wrapper_.unwrap(Purpose::PrivateKey, private_key_context(address_key, fingerprint), wrapped_key);
  if (!plain) return plain.error();
  auto key = parse_private_key(view(*plain));
  if (!key) return key.error();
  const bool belongs = certificate_fingerprint(certificate_der) == fingerprint &&
                       X509_check_private_key(certificate->get(), key->get()) == 1;
  if (!belongs) return Error::permanent("the stored private key does not belong to the certificate", openssl_errors());
  const Pkcs12Content content{key->get(), certificate->get(), {authority_.issuing(), authority_.root()}, address_key};
  auto octets = make_pkcs12(content, format, *password);
  if (!octets) return octets.error();
  return Pkcs12File{std::move(*octets), std::move(*password)};
}

}  // namespace sealpost
