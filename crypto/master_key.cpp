// SPDX-License-Identifier: Apache-2.0
// Implements master_key.h. File: "version 1", then one line "key ID BASE64" per key, oldest first; blob: version ‖ key
// id ‖ nonce ‖ ciphertext ‖ tag.
#include "crypto/master_key.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/hmac.h"
#include "crypto/aes_gcm.h"
#include "crypto/master_key_file.h"

namespace sealpost {
namespace {

constexpr std::string_view file_version = "version 1";
constexpr std::string_view key_word = "key ";
constexpr char blob_version = 1;
constexpr std::size_t key_size = 32;
constexpr std::size_t id_size = 4;
constexpr std::size_t blob_head = 1 + id_size + gcm_nonce_size;
constexpr std::string_view salt = "sealpost master key 1";
const std::string mark_key = "keys:master";

/// These names are part of every subkey: changing one makes what was wrapped under it unreadable.
std::string_view purpose_name(Purpose purpose) {
  switch (purpose) {
    case Purpose::PrivateKey:
      return "private-key";
    case Purpose::CaKey:
      return "ca-key";
    case Purpose::HeaderBlock:
      return "header-block";
    case Purpose::Notice:
      return "notice";
    case Purpose::ScramVerifier:
      return "scram-verifier";
    case Purpose::DirectoryEntry:
      return "directory-entry";
    case Purpose::PickupToken:
      return "pickup-token";
    case Purpose::PickupLink:
      return "pickup-link";
    case Purpose::PickupCode:
      return "pickup-code";
    case Purpose::PickupSession:
      return "pickup-session";
    case Purpose::ApiToken:
      return "api-token";
    case Purpose::IdempotencyKey:
      return "idempotency-key";
    case Purpose::IdempotencyBody:
      return "idempotency-body";
    case Purpose::UnknownAccount:
      return "unknown-account";
    case Purpose::EnvelopeId:
      return "envelope-id";
    case Purpose::Cursor:
      return "cursor";
    case Purpose::Webhook:
      return "webhook";
    case Purpose::IdempotencyAnswer:
      return "idempotency-answer";
    case Purpose::SignerKey:
      return "signer-key";
    case Purpose::AuditTrail:
      return "audit-trail";
    case Purpose::SenderCode:
      return "sender-code";
    case Purpose::OperatorSession:
      return "operator-session";
  }
  std::abort();  // a purpose without a name would share another one's subkey
}

std::string associated_data(Purpose purpose, std::string_view context) {
  std::string data(purpose_name(purpose));
  data += '\0';
  data += context;
  return data;
}

Result<std::string> id_of(const Secret& secret) {
  auto derived = hkdf_sha256(secret, salt, "id");
  if (!derived) return derived.error();
  return to_hex(derived->reveal().substr(0, id_size));
}

/// Cuts the next line off; CR is not tolerated, the file is written by us.
std::string_view next_line(std::string_view& text) {
  const auto end = text.find('\n');
  const auto line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

}  // namespace

Result<MasterKey::Key> MasterKey::derive(const Secret& secret) {
  Key key;
  auto id = id_of(secret);
  auto check = hkdf_sha256(secret, salt, "check");
  if (!id || !check) return id ? check.error() : id.error();
  key.id = *id;
  key.check = to_hex(check->reveal());
  for (std::size_t i = 0; i < purposes; ++i) {
    const std::string name(purpose_name(static_cast<Purpose>(i)));
    auto wrap_key = hkdf_sha256(secret, salt, "wrap " + name);
    auto mac_key = hkdf_sha256(secret, salt, "mac " + name);
    if (!wrap_key || !mac_key) return wrap_key ? mac_key.error() : wrap_key.error();
    key.wrap_keys.at(i) = std::move(*wrap_key);
    key.mac_keys.at(i) = std::move(*mac_key);
  }
  return key;
}

Result<std::vector<MasterKey::Key>> MasterKey::parse(std::string_view text) {
  if (next_line(text) != file_version) return Error::invalid("its first line must be \"version 1\"");
  std::vector<Key> keys;
  for (int number = 2; !text.empty(); ++number) {
    const auto line = next_line(text);
    const auto bad = [&](const char* why) { return Error::invalid("line " + std::to_string(number) + ": " + why); };
    if (!line.starts_with(key_word) || line.size() < key_word.size() + 2 * id_size + 1) return bad("is no key");
    const auto id = line.substr(key_word.size(), 2 * id_size);
    if (line[key_word.size() + 2 * id_size] != ' ') return bad("is no key");
    auto octets = from_base64_wiped(line.substr(key_word.size() + 2 * id_size + 1));
    if (!octets || octets->size() != key_size) return bad("must hold 32 octets in base64");
    auto key = derive(Secret(std::move(*octets)));
    if (!key) return key.error();
    if (key->id != id) return bad("the key does not fit its id: the file was altered");
    keys.push_back(std::move(*key));
  }
  if (keys.empty()) return Error::invalid("holds no key");
  return keys;
}

Result<MasterKey> MasterKey::load(const std::string& path, Random& random) {
  auto content = read_private_file(path);
  if (!content) return Error::invalid(content.error().public_text);
  auto keys = parse(content->reveal());
  if (!keys) return Error{keys.error().kind, path + ": " + keys.error().public_text, keys.error().internal_detail};
  return MasterKey(path, std::move(*keys), random);
}

Status MasterKey::create(const std::string& path, Random& random) {
  const Secret secret = random.secret(key_size);
  auto id = id_of(secret);
  if (!id) return id.error();
  WipedBuffer text;
  append(text, std::string(file_version) + "\n" + std::string(key_word) + *id + " ");
  // Encoded in pieces of three octets, so that no unwiped string ever holds the whole key.
  for (std::size_t i = 0; i < key_size; i += 3) append(text, to_base64(secret.reveal().substr(i, 3)));
  append(text, "\n");
  return create_private_file(path, Secret(std::move(text)));
}

Result<MasterKey> MasterKey::open(const std::string& path, redis::Client& redis, Random& random) {
  const auto present = read_private_file(path);
  const bool missing = !present && present.error().kind == ErrorKind::NotFound;
  if (missing) {
    auto known = redis.command({"EXISTS", mark_key});
    if (!known) return known.error();
    if (known->integer() != 0) {
      return Error::invalid(path + ": does not exist, but Redis holds secrets under a master key; bring its file back");
    }
    // A node beside this one may have been first with the same file: what stands there then is loaded.
    if (auto made = create(path, random); !made && !read_private_file(path)) return made.error();
  }
  auto key = load(path, random);
  if (!key) return key;
  auto bound = key->bind_to_store(redis);
  if (bound) return key;
  // Another node was first: nothing hangs on the file that was made just now, and it would only stand in the way of the
  // right one.
  if (missing && bound.error().kind == ErrorKind::Invalid) remove_private_file(path);
  return bound.error();
}

Status MasterKey::bind_to_store(redis::Client& redis) const {
  const std::string mark = keys_.front().id + " " + keys_.front().check;
  auto set = redis.command({"SET", mark_key, mark, "NX"});
  if (!set) return set.error();
  return set->is_nil() ? compare_with_store(redis) : Status();
}

Status MasterKey::compare_with_store(redis::Client& redis) const {
  auto stored = redis.command({"GET", mark_key});
  if (!stored) return stored.error();
  if (stored->is_nil()) return Error::temporary("Redis holds nothing of Sealpost yet: start sealpostd first");
  if (stored->text() == keys_.front().id + " " + keys_.front().check) return {};
  return Error::invalid(path_ + ": holds master key " + id() + ", but Redis hangs on master key " +
                        std::string(stored->text().substr(0, stored->text().find(' '))));
}

Result<std::string> MasterKey::wrap(Purpose purpose, std::string_view context, std::string_view plain) {
  const Key& key = keys_.back();
  const std::string nonce = random_.octets(gcm_nonce_size);
  auto sealed =
      gcm_encrypt(key.wrap_keys.at(static_cast<std::size_t>(purpose)), nonce, associated_data(purpose, context), plain);
  if (!sealed) return sealed;
  std::string blob(1, blob_version);
  blob.reserve(blob_head + sealed->size());
  blob += *from_hex(key.id);
  blob += nonce;
  blob += *sealed;
  return blob;
}

Result<WipedBuffer> MasterKey::unwrap(Purpose purpose, std::string_view context, std::string_view blob) {
  if (blob.size() < blob_head + gcm_tag_size || blob.front() != blob_version) {
    return Error::permanent("a stored secret was altered", std::string(purpose_name(purpose)) + ": no wrapped blob");
  }
  const std::string id = to_hex(blob.substr(1, id_size));
  const auto key = std::find_if(keys_.begin(), keys_.end(), [&](const Key& candidate) { return candidate.id == id; });
  if (key == keys_.end()) {
    return Error::permanent("a stored secret hangs on another master key",
                            std::string(purpose_name(purpose)) + ": key " + id);
  }
  return gcm_decrypt(key->wrap_keys.at(static_cast<std::size_t>(purpose)), blob.substr(1 + id_size, gcm_nonce_size),
                     associated_data(purpose, context), blob.substr(blob_head));
}

std::string MasterKey::mac(Purpose purpose, std::string_view data) {
  return hmac_sha256(keys_.front().mac_keys.at(static_cast<std::size_t>(purpose)).reveal(), data);
}

}  // namespace sealpost
