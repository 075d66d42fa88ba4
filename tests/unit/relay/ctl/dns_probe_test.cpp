// SPDX-License-Identifier: Apache-2.0
// Which resolvers the machine names, and addresses that are none. What servers answer is tested through the doctor.
#include "relay/ctl/dns_probe.h"

#include <gtest/gtest.h>

#include "tests/support/temp_dir.h"

namespace sealpost::ctl {
namespace {

TEST(DnsProbe, ReadsTheMachinesResolvers) {
  const test::TempDir directory;
  const std::string file = directory.write(
      "resolv.conf", "# nameserver 9.9.9.9\nsearch example.com\nnameserver 192.0.2.1\nnameserver ::1\noptions x\n");
  EXPECT_EQ(resolvers_of(file), (std::vector<std::string>{"192.0.2.1:53", "[::1]:53"}));
  EXPECT_EQ(resolvers_of(directory / "none"), std::vector<std::string>{"127.0.0.1:53"});
}

TEST(DnsProbe, NamesAServerThatIsNone) {
  const auto verdict = ask_for_address("nowhere", "relay.example.com", std::chrono::seconds(1));
  ASSERT_FALSE(verdict);
  EXPECT_EQ(verdict.error().public_text, "is no address:port");
}

TEST(DnsProbe, NamesANameThatCannotBeAsked) {
  const auto verdict = ask_for_address("127.0.0.1:9", std::string(300, 'a'), std::chrono::seconds(1));
  ASSERT_FALSE(verdict);
  EXPECT_NE(verdict.error().public_text.find("cannot be asked for"), std::string::npos);
}

}  // namespace
}  // namespace sealpost::ctl
