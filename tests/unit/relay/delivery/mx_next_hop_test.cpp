// SPDX-License-Identifier: Apache-2.0
// Which of a domain's hosts gets the mail, what becomes of it when none does, and what is remembered of them.
#include <algorithm>

#include "tests/support/eventually.h"
#include "tests/unit/relay/delivery/mx_fixture.h"

namespace sealpost {
namespace {

using test::Answer;
using test::enhanced_of;
using test::kind_of;
using test::MxTest;
using test::PiecesBody;

TEST_F(MxTest, TheBestHostGetsTheMail) {
  auto& second = serve(2);
  auto& first = serve(3);
  resolve("unequal MX 20 2.host\nunequal MX 10 3.host\n");
  const Attempt done = attempt("unequal.example.com");
  EXPECT_EQ(kind_of(done.outcome), "delivered");
  EXPECT_TRUE(done.reached);
  EXPECT_EQ(done.trace.host, "3.host.example.com");
  EXPECT_EQ(done.trace.address, "127.0.0.3:" + std::to_string(policy.port));
  EXPECT_EQ(first.messages().size(), 1U);
  EXPECT_EQ(second.connections(), 0U);
}

TEST_F(MxTest, EqualHostsShareTheMail) {
  auto& one = serve(2);
  auto& other = serve(3);
  connections.max_idle = std::chrono::milliseconds(0);
  resolve("equal MX 10 2.host\nequal MX 10 3.host\n");
  for (int i = 0; i < 64; ++i) ASSERT_EQ(kind_of(attempt("equal.example.com").outcome), "delivered");
  EXPECT_GT(one.messages().size(), 0U);
  EXPECT_GT(other.messages().size(), 0U);
}

TEST_F(MxTest, ADeadFirstHostIsPassedAndNotAskedAgainAtOnce) {
  auto& second = serve(2);
  resolve("dead MX 10 9.host\ndead MX 20 2.host\n");
  EXPECT_EQ(kind_of(attempt("dead.example.com").outcome), "delivered");
  second.disconnect();
  // Only now does the first host come back: within the minute nobody looks.
  auto& first = serve(9);
  EXPECT_EQ(kind_of(attempt("dead.example.com").outcome), "delivered");
  EXPECT_EQ(second.messages().size(), 2U);
  EXPECT_EQ(first.connections(), 0U);
}

TEST_F(MxTest, AHostThatTurnsUsAwayIsPassed) {
  auto& first = serve(2);
  auto& second = serve(3);
  first.answer("CONNECT", {Answer("554 5.3.2 go away", Answer::Then::Close)});
  resolve("busy MX 10 2.host\nbusy MX 20 3.host\n");
  EXPECT_EQ(kind_of(attempt("busy.example.com").outcome), "delivered");
  EXPECT_EQ(second.messages().size(), 1U);
}

TEST_F(MxTest, ARefusalOfTheRecipientIsFinal) {
  auto& first = serve(2);
  auto& second = serve(3);
  first.answer("RCPT", {"550 5.1.1 unknown"});
  resolve("refuses MX 10 2.host\nrefuses MX 20 3.host\n");
  const Attempt done = attempt("refuses.example.com");
  EXPECT_EQ(kind_of(done.outcome), "failed");
  EXPECT_TRUE(done.reached);
  EXPECT_EQ(second.connections(), 0U);
}

TEST_F(MxTest, AllAddressesOfAHostAreTriedInTurn) {
  auto& server = serve(4);
  resolve("many MX 10 many.host\nmany.host A 127.0.0.8\nmany.host A 127.0.0.9\nmany.host A 127.0.0.4\n");
  EXPECT_EQ(kind_of(attempt("many.example.com").outcome), "delivered");
  EXPECT_EQ(server.messages().size(), 1U);
}

TEST_F(MxTest, WithoutMxTheDomainIsItsOwnHostAndAnAliasIsFollowed) {
  auto& server = serve(2);
  resolve("plain A 127.0.0.2\nalias CNAME plain\nmx-alias MX 10 alias\n");
  EXPECT_EQ(kind_of(attempt("plain.example.com").outcome), "delivered");
  EXPECT_EQ(kind_of(attempt("alias.example.com").outcome), "delivered");
  EXPECT_EQ(kind_of(attempt("mx-alias.example.com").outcome), "delivered");
  EXPECT_EQ(server.messages().size(), 3U);
}

TEST_F(MxTest, AHostWithIpv6Only) {
  test::SmtpServerOptions options;
  options.address = "::1";
  std::unique_ptr<test::SmtpServer> server;
  try {
    server = std::make_unique<test::SmtpServer>(options);
  } catch (const std::exception&) {
    GTEST_SKIP() << "this machine has no IPv6";
  }
  policy.port = server->port();
  resolve("six MX 10 six.host\nsix.host AAAA ::1\n");
  const Attempt done = attempt("six.example.com");
  EXPECT_EQ(kind_of(done.outcome), "delivered");
  EXPECT_EQ(done.trace.address, "[::1]:" + std::to_string(policy.port));
}

struct HopelessCase {
  const char* name;
  const char* domain;
  const char* kind;
  const char* enhanced;
  bool reached;
};
void PrintTo(const HopelessCase& c, std::ostream* out) { *out << c.name; }
class MxHopeless : public MxTest, public ::testing::WithParamInterface<HopelessCase> {};

TEST_P(MxHopeless, EndsAsDnsSays) {
  serve(2);
  resolve(
      "null MX 0 .\ntext TXT x\nnowhere MX 10 nobody.host\nself MX 10 relay.example.org.\n"
      "behind MX 10 RELAY.example.org.\nbehind MX 10 2.host\nbehind MX 20 2.host\nlost MX 10 x.example.net.\n");
  const Attempt done = attempt(GetParam().domain);
  EXPECT_EQ(kind_of(done.outcome), GetParam().kind) << response_of(done.outcome);
  EXPECT_EQ(enhanced_of(done.outcome), GetParam().enhanced);
  EXPECT_EQ(test::code_of(done.outcome), 0) << "these are our words";
  EXPECT_EQ(done.reached, GetParam().reached);
  EXPECT_EQ(servers.front()->connections(), 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Domains, MxHopeless,
    ::testing::Values(HopelessCase{"NullMx", "null.example.com", "failed", "5.1.10", true},
                      HopelessCase{"NoSuchDomain", "nobody.example.com", "failed", "5.1.2", true},
                      HopelessCase{"NoAddress", "text.example.com", "failed", "5.1.2", true},
                      HopelessCase{"HostsWithoutAddress", "nowhere.example.com", "failed", "5.4.4", true},
                      HopelessCase{"Ourselves", "self.example.com", "failed", "5.4.6", true},
                      HopelessCase{"BehindOurselves", "behind.example.com", "failed", "5.4.6", true},
                      HopelessCase{"DomainThatDnsIsSilentOf", "elsewhere.example.net", "deferred", "4.4.3", false},
                      HopelessCase{"HostThatDnsIsSilentOf", "lost.example.com", "deferred", "4.4.3", false}),
    [](const auto& info) { return info.param.name; });

TEST_F(MxTest, HostsBeforeOurselvesGetTheMail) {
  auto& server = serve(2);
  resolve("backup MX 10 2.host\nbackup MX 20 relay.example.org.\nbackup MX 30 3.host\n");
  EXPECT_EQ(kind_of(attempt("backup.example.com").outcome), "delivered");
  EXPECT_EQ(server.messages().size(), 1U);
}

TEST_F(MxTest, AnAddressWhereWeListenIsOurselves) {
  auto& server = serve(2);
  own = OwnAddresses({Poco::Net::SocketAddress("0.0.0.0", policy.port)});
  resolve("self MX 10 2.host\n");
  const Attempt done = attempt("self.example.com");
  EXPECT_EQ(enhanced_of(done.outcome), "5.4.6");
  EXPECT_EQ(server.connections(), 0U);
}

TEST_F(MxTest, ABetterHostThatDnsIsSilentOfIsWaitedFor) {
  serve(2);
  own = OwnAddresses({Poco::Net::SocketAddress("0.0.0.0", policy.port)});
  resolve("backup MX 10 x.example.net.\nbackup MX 20 2.host\n");
  EXPECT_EQ(enhanced_of(attempt("backup.example.com").outcome), "4.4.3");
}

TEST_F(MxTest, AServerThatGreetsWithOurNameIsOurselves) {
  serve(2).answer("CONNECT", {"220 Relay.Example.org ESMTP"});
  resolve("self MX 10 2.host\n");
  EXPECT_EQ(enhanced_of(attempt("self.example.com").outcome), "5.4.6");
}

TEST_F(MxTest, OurselvesBehindAHostThatIsAwayBouncesNothing) {
  serve(2).answer("CONNECT", {"220 relay.example.org ESMTP"});
  resolve("backup MX 10 9.host\nbackup MX 20 2.host\n");
  const Attempt done = attempt("backup.example.com");
  EXPECT_EQ(kind_of(done.outcome), "deferred") << response_of(done.outcome);
  EXPECT_EQ(done.trace.host, "9.host.example.com");
  EXPECT_FALSE(done.reached);
}

TEST_F(MxTest, AHostWithManyAddressesLeavesTimeForTheOthers) {
  auto& second = serve(2);
  std::string records = "many MX 10 many.host\nmany MX 20 2.host\n";
  for (int i = 10; i < 30; ++i) records += "many.host A 127.0.3." + std::to_string(i) + "\n";
  resolve(records);
  EXPECT_EQ(kind_of(attempt("many.example.com").outcome), "delivered");
  EXPECT_EQ(second.messages().size(), 1U);
}

TEST_F(MxTest, PrivateAddressesAreRefusedUnlessTheOperatorAllowsThem) {
  auto& server = serve(2);
  policy.allow_private = false;
  std::string records = "loop MX 10 2.host\nmapped MX 10 mapped.host\nmapped.host AAAA ::ffff:127.0.0.2\n";
  const std::vector<std::string> refused = {"10.1.2.3",    "100.64.0.1",     "169.254.1.1",   "172.31.0.1",
                                            "192.168.1.1", "0.0.0.0",        "224.0.0.1",     "::1",
                                            "::",          "fe80::1",        "fd00::1",       "ff02::1",
                                            "198.18.0.1",  "192.0.2.1",      "2001:db8::1",   "255.255.255.255",
                                            "::127.0.0.1", "64:ff9b::a00:1", "2002:a00:1::1", "2001:0:1::1"};
  for (std::size_t i = 0; i < refused.size(); ++i) {
    const bool six = refused[i].find(':') != std::string::npos;
    records += "p" + std::to_string(i) + (six ? " AAAA " : " A ") + refused[i] + "\n";
  }
  resolve(records);
  std::vector<std::string> names = {"loop", "mapped"};
  for (std::size_t i = 0; i < refused.size(); ++i) names.push_back("p" + std::to_string(i));
  for (const auto& name : names) {
    const Attempt done = attempt(name + ".example.com");
    EXPECT_EQ(kind_of(done.outcome), "deferred") << name;
    EXPECT_NE(response_of(done.outcome).find("delivery.allow_private"), std::string::npos) << name;
  }
  EXPECT_EQ(server.connections(), 0U);
}

TEST_F(MxTest, OneConnectionServesAllDomainsOfAHost) {
  auto& server = serve(2);
  resolve("one MX 10 2.host\nother MX 10 2.host\n");
  EXPECT_EQ(kind_of(attempt("one.example.com").outcome), "delivered");
  EXPECT_EQ(kind_of(attempt("other.example.com").outcome), "delivered");
  EXPECT_EQ(server.connections(), 1U);
  hop->tidy();
  EXPECT_EQ(kind_of(attempt("one.example.com").outcome), "delivered");
  EXPECT_EQ(server.connections(), 1U) << "what was used lately is kept";
}

TEST_F(MxTest, IdleConnectionsAreClosedInTime) {
  auto& server = serve(2);
  connections.max_idle = std::chrono::milliseconds(20);
  resolve("one MX 10 2.host\n");
  ASSERT_EQ(kind_of(attempt("one.example.com").outcome), "delivered");
  EXPECT_TRUE(test::eventually([&] {
    hop->tidy();
    return !server.line("QUIT").empty();
  }));
}

TEST_F(MxTest, NoTimeIsSpentOnHostsBeyondTheSearch) {
  serve(2);
  policy.search = std::chrono::milliseconds(0);
  resolve("one MX 10 2.host\n");
  const Attempt done = attempt("one.example.com");
  EXPECT_EQ(kind_of(done.outcome), "deferred");
  EXPECT_FALSE(done.reached);
}

}  // namespace
}  // namespace sealpost
