// SPDX-License-Identifier: Apache-2.0
// The contract's table of settings, written out: a key that the program, the sample file or the README forgets is found
// here.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "conf/keys.h"
#include "tests/support/temp_dir.h"

namespace sealpost {
namespace {

const std::vector<std::string>& contract() {
  static const std::vector<std::string> keys = {"relay.hostname",
                                                "relay.state_dir",
                                                "relay.memory_limit",
                                                "relay.drain_timeout",
                                                "smtp.listen",
                                                "smtp.listen_tls",
                                                "smtp.max_message_size",
                                                "smtp.max_recipients",
                                                "smtp.max_connections",
                                                "smtp.max_connections_per_client",
                                                "smtp.idle_timeout",
                                                "tls.certificate",
                                                "tls.private_key",
                                                "http.listen",
                                                "http.listen_tls",
                                                "http.public_url",
                                                "http.trusted_proxies",
                                                "http.max_calls_per_account",
                                                "redis.url",
                                                "redis.username",
                                                "redis.password_file",
                                                "redis.maxmemory",
                                                "delivery.route",
                                                "delivery.port",
                                                "delivery.tls",
                                                "dns.server",
                                                "delivery.allow_private",
                                                "delivery.username",
                                                "delivery.password_file",
                                                "delivery.workers",
                                                "delivery.destination_concurrency",
                                                "delivery.retry",
                                                "delivery.max_age",
                                                "delivery.warn_after",
                                                "delivery.suppress_after",
                                                "delivery.suppress_for",
                                                "queue.history",
                                                "crypto.key_type",
                                                "crypto.content_cipher",
                                                "keys.pool_size",
                                                "keys.policy",
                                                "keys.interim_lifetime",
                                                "keys.master_key_file",
                                                "keys.accepted_roots",
                                                "keys.accept_self_signed",
                                                "notify.from",
                                                "notify.mode",
                                                "notify.code_to",
                                                "notify.code_lifetime",
                                                "notify.tls",
                                                "notify.max_new_per_account",
                                                "notify.language",
                                                "notify.templates",
                                                "log.level",
                                                "log.format"};
  return keys;
}

TEST(ContractsSettings, AreTheProgramsKeysInTheSameOrder) {
  std::vector<std::string> names;
  for (const auto& key : setting_keys()) names.push_back(key.name);
  EXPECT_EQ(names, contract());
}

TEST(ContractsSettings, StandInTheSampleFile) {
  std::istringstream lines(test::read_file(SOURCE_DIR "/conf/sealpost.conf"));
  std::set<std::string> found;
  std::string section;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('[')) section = line.substr(1, line.find(']') - 1);
    if (line.starts_with('#') && line.size() > 1 && line[1] != ' ')
      found.insert(section + "." + line.substr(1, line.find(' ') - 1));
  }
  for (const auto& key : contract()) EXPECT_TRUE(found.contains(key)) << key;
}

/// A row of the README's table: | `key` | default | meaning |
TEST(ContractsSettings, HaveARowWithTheirDefaultInTheReadme) {
  const std::string readme = test::read_file(SOURCE_DIR "/README.md");
  for (const auto& key : setting_keys()) {
    const auto at = readme.find("\n| `" + key.name + "` | ");
    ASSERT_NE(at, std::string::npos) << key.name;
    const std::string row = readme.substr(at + 1, readme.find('\n', at + 1) - at - 1);
    if (key.default_value.empty() || key.name == "relay.hostname") continue;  // told in words
    EXPECT_NE(row.find("` | " + key.default_value + " | "), std::string::npos) << row;
  }
}

}  // namespace
}  // namespace sealpost
