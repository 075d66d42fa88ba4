// SPDX-License-Identifier: Apache-2.0
// A node's key parts over a real Redis: master key, CA, vault and directory, as many nodes as a test wants on one
// store.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "base/log.h"
#include "base/random.h"
#include "crypto/certificate_authority.h"
#include "crypto/key_directory.h"
#include "crypto/key_life.h"
#include "crypto/key_vault.h"
#include "crypto/master_key.h"
#include "crypto/relay_identity.h"
#include "tests/support/address.h"
#include "tests/support/fakes.h"
#include "tests/support/log_file.h"
#include "tests/support/redis_server.h"
#include "tests/support/temp_dir.h"

namespace sealpost::test {

inline constexpr std::chrono::hours day{24};

/// One process of the relay as far as keys go. Small keys: what is tested here does not hang on their size.
struct Node {
  Node(const RedisServer& server, const std::string& key_file, const Clock& clock, Log& log, KeysSettings settings,
       KeyType key_type, const RecipientDomains& domains)
      : redis(server.endpoint(), std::chrono::seconds(20)),
        master(MasterKey::open(key_file, redis, random).value()),
        authority(CertificateAuthority::open(redis, master, clock, random, log, {KeyType::P256}).value()),
        vault(redis, master, authority, clock, random, {key_type, ContentCipher::Aes256Cbc}, log, domains),
        identity(RelayIdentity::open(redis, master, authority, address("relay@example.org"), clock, log).value()),
        audit(redis, master, log),
        directory(redis, master, vault, audit, clock, random, std::move(settings), log, domains),
        life(redis, master, clock, audit, log) {}

  SystemRandom random;
  redis::Client redis;
  MasterKey master;
  CertificateAuthority authority;
  KeyVault vault;
  RelayIdentity identity;
  AuditTrail audit;
  KeyDirectory directory;
  KeyLife life;
};

class KeyTest : public ::testing::Test {
 protected:
  KeyTest() { settings.interim_lifetime = std::chrono::hours(24 * 90); }

  std::unique_ptr<Node> node(KeyType key_type = KeyType::P256) {
    return std::make_unique<Node>(server, dir / "master.key", clock, log, settings, key_type, key_domains);
  }

  ManualClock clock;
  LogFile log_file{clock};
  Log& log = log_file.log;
  TempDir dir;
  RedisServer server;
  KeysSettings settings;
  RecipientDomains key_domains;
  const Introduction introduction{"crm", "sender@example.com"};
};

}  // namespace sealpost::test
