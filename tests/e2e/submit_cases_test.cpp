// SPDX-License-Identifier: Apache-2.0
// Messages that come as JSON, read again at the other end: submit_cases.py sends, decrypts and compares.
#include <gtest/gtest.h>

#include <regex>

#include "base/encoding.h"
#include "tests/e2e/relay_fixture.h"

namespace sealpost::test {
namespace {

TEST(SubmitCases, WhatIsPutInComesOut) {
  // Room for 20 MB in base64. A pair is assigned to each of the crowd beforehand.
  RelayFixture relay(RelayFixture::Settings{{"smtp.max_message_size", "32m"}, {"keys.pool_size", "64"}});
  const std::string login = std::string(RelayFixture::account) + ":" + RelayFixture::password;
  const auto assigned =
      relay.http("PUT", "/v1/keys/reader@example.net", {}, {{"Authorization", "Basic " + to_base64(login)}});
  ASSERT_EQ(assigned.status, 201) << assigned.body;
  const auto key = relay.pick_up(relay.notifications("reader@example.net", 1).at(0));
  const auto told = run({"/usr/bin/python3", "-B", SOURCE_DIR "/tests/e2e/submit_cases.py"}, {},
                        {{"RELAY", "127.0.0.1:" + std::to_string(relay.port("http"))},
                         {"ACCOUNT", RelayFixture::account},
                         {"PASSWORD", RelayFixture::password},
                         {"MAIL", relay.directory() / "mail"},
                         {"KEY", key.pem_file}},
                        std::chrono::seconds(240));
  EXPECT_EQ(told.status, 0) << told.out << told.err;
  std::smatch count;
  ASSERT_TRUE(std::regex_search(told.out, count, std::regex("(\\d+) cases, 0 failed\n"))) << told.out << told.err;
  EXPECT_GE(std::stoi(count[1]), 45);
}

}  // namespace
}  // namespace sealpost::test
