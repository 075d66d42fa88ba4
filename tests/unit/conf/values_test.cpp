// SPDX-License-Identifier: Apache-2.0
// How values are written: tables of what each parser takes and refuses.
#include "conf/values.h"

#include <gtest/gtest.h>

namespace sealpost {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

TEST(Duration, TakesUnits) {
  const std::vector<std::pair<const char*, milliseconds>> cases = {{"0", 0ms},   {"250ms", 250ms}, {"30s", 30s},
                                                                   {"5m", 5min}, {"4h", 4h},       {"7d", 168h},
                                                                   {"0s", 0ms},  {"3660d", 87840h}};
  for (const auto& [text, expected] : cases) {
    const auto parsed = parse_duration(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(*parsed, expected) << text;
  }
}

TEST(Duration, RefusesTheRest) {
  for (const auto* text : {"", "5", "-5s", "+5s", "5 s", " 5s", "5s ", "5S", "5w", "1.5h", "s", "1h30m", "0x5s",
                           "3661d", "99999999999999999999d", "18446744073709551615ms", "9223372036854775807d"}) {
    const auto parsed = parse_duration(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().kind, ErrorKind::Invalid);
    EXPECT_NE(parsed.error().public_text.find("not a duration: "), std::string::npos);
  }
}

TEST(Durations, AreAListWithoutZeros) {
  const auto parsed = parse_durations("1m, 5m,15m");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(*parsed, (std::vector<milliseconds>{1min, 5min, 15min}));
  for (const auto* text : {"", ",", "1m,,x", "1m;5m", "0,1m", "1m,0s"}) EXPECT_FALSE(parse_durations(text)) << text;
}

TEST(Size, TakesUnitsAndPercentages) {
  const std::vector<std::pair<const char*, std::uint64_t>> cases = {{"0", 0},
                                                                    {"26214400", 26214400},
                                                                    {"1k", 1024},
                                                                    {"1K", 1024},
                                                                    {"64m", 64ULL << 20U},
                                                                    {"2g", 2ULL << 30U},
                                                                    {"1G", 1ULL << 30U},
                                                                    {"25%", 250'000},
                                                                    {"100%", 1'000'000}};
  for (const auto& [text, expected] : cases) {
    const auto parsed = parse_size(text, 1'000'000);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(*parsed, expected) << text;
  }
}

TEST(Size, RefusesTheRest) {
  for (const auto* text :
       {"", "-1", "1 m", "1mb", "1t", "0%", "101%", "%", "m", "1.5g", "9223372036854775807g", "99999999999999999999"}) {
    EXPECT_FALSE(parse_size(text, 1'000'000)) << text;
  }
}

TEST(Count, KeepsItsBounds) {
  EXPECT_EQ(parse_count("1", 1, 10).value(), 1U);
  EXPECT_EQ(parse_count("10", 1, 10).value(), 10U);
  for (const auto* text : {"", "0", "11", "-1", "+1", "1x", " 1", "1 ", "0x1", "1e1", "99999999999999999999"}) {
    EXPECT_FALSE(parse_count(text, 1, 10)) << text;
  }
}

TEST(RateValue, IsACountPerTime) {
  const auto parsed = parse_rate("1000/h");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->count, 1000U);
  EXPECT_EQ(parsed->period, 1h);
  for (const auto* text : {"", "1000", "1000/", "/h", "0/h", "1000/2h", "1000 / h", "1000h", "-1/h", "1000/w"}) {
    EXPECT_FALSE(parse_rate(text)) << text;
  }
}

TEST(YesNo, HasThreeWordsEach) {
  for (const auto* text : {"yes", "true", "on"}) EXPECT_TRUE(parse_yes_no(text).value()) << text;
  for (const auto* text : {"no", "false", "off"}) EXPECT_FALSE(parse_yes_no(text).value()) << text;
  for (const auto* text : {"", "1", "0", "YES", "y"}) EXPECT_FALSE(parse_yes_no(text)) << text;
}

TEST(HostAndPort, TakesNamesAndBothFamilies) {
  const auto v6 = parse_host_port("[2001:db8::1]:25");
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->host, "2001:db8::1");
  EXPECT_EQ(v6->port, 25);
  EXPECT_EQ(parse_host_port("mail.example.com:587")->host, "mail.example.com");
  EXPECT_EQ(parse_host_port("127.0.0.1:0")->port, 0);
  for (const auto* text : {"", ":25", "host", "host:", "host:x", "host:65536", "2001:db8::1:25", "[2001:db8::1]",
                           "[host]:25", "[]:25", "[::1:25", "a b:25", "a/b:25", "host:-1", "host: 25"}) {
    EXPECT_FALSE(parse_host_port(text)) << text;
  }
}

TEST(Listen, TakesNumericAddressesAndOff) {
  EXPECT_EQ(parse_listen("off").value(), "");
  for (const auto* text : {"0.0.0.0:587", "[::]:587", "localhost:0", "127.0.0.1:65535"}) {
    EXPECT_EQ(parse_listen(text).value(), text);
  }
  for (const auto* text : {"", "587", "on", "mail.example.com:587", "*:587", "0.0.0.0", "OFF"}) {
    EXPECT_FALSE(parse_listen(text)) << text;
  }
}

struct RouteCase {
  const char* text;
  Route::Kind kind;
  const char* host;
  std::uint16_t port;
  const char* path;
};
class Routes : public ::testing::TestWithParam<RouteCase> {};
TEST_P(Routes, AreRead) {
  const auto& param = GetParam();
  const auto route = parse_route(param.text);
  ASSERT_TRUE(route) << route.error().public_text;
  EXPECT_EQ(route->kind, param.kind);
  EXPECT_EQ(route->host, param.host);
  EXPECT_EQ(route->port, param.port);
  EXPECT_EQ(route->path, param.path);
}
INSTANTIATE_TEST_SUITE_P(
    Forms, Routes,
    ::testing::Values(RouteCase{"mx", Route::Kind::Mx, "", 0, ""},
                      RouteCase{"smtp://hub.example.com", Route::Kind::Smtp, "hub.example.com", 25, ""},
                      RouteCase{"smtp://hub.example.com:2525/", Route::Kind::Smtp, "hub.example.com", 2525, ""},
                      RouteCase{"smtps://[::1]", Route::Kind::Smtps, "::1", 465, ""},
                      RouteCase{"smtps://[::1]:10465", Route::Kind::Smtps, "::1", 10465, ""},
                      RouteCase{"lmtp://127.0.0.1:24", Route::Kind::Lmtp, "127.0.0.1", 24, ""},
                      RouteCase{"maildir:/srv/mail", Route::Kind::Maildir, "", 0, "/srv/mail"}));

TEST(Routes, RefuseTheRest) {
  for (const auto* text : {"", "MX", "smtp:", "smtp://", "smtp://:25", "smtp://host:0", "smtp://host:x", "smtp://a b",
                           "smtp://host/path", "http://host:25", "hub.example.com:25", "maildir:", "maildir:srv"}) {
    const auto route = parse_route(text);
    EXPECT_FALSE(route) << text;
    if (!route) {
      EXPECT_NE(route.error().public_text.find("not a route: "), std::string::npos);
    }
  }
}

TEST(PublicUrl, IsHttpsUnlessLoopback) {
  const std::vector<std::pair<const char*, const char*>> good = {
      {"http://127.0.0.1:8080", "http://127.0.0.1:8080"},
      {"http://localhost/", "http://localhost"},
      {"http://[::1]:80", "http://[::1]:80"},
      {"https://mail.example.com/", "https://mail.example.com"},
      {"https://mail.example.com/sealpost//", "https://mail.example.com/sealpost"}};
  for (const auto& [text, expected] : good) EXPECT_EQ(parse_public_url(text).value(), expected) << text;
  for (const auto* text :
       {"", "mail.example.com", "http://mail.example.com", "http://127.0.0.1.example.com",
        "http://localhost.example.com", "ftp://127.0.0.1", "https://", "https://a/?x=1", "https://a/#x",
        "https://user@a/", "https://user:pw@a/", "javascript:alert(1)", "https://a:99999"}) {
    EXPECT_FALSE(parse_public_url(text)) << text;
  }
}

TEST(PublicUrl, CannotBreakALineOfTheNotification) {
  for (const auto* text : {"https://a/x\r\ny", "https://a/x y", "https://a/\"x", "https://a/<x>", "https://a/x\x7f"}) {
    EXPECT_FALSE(parse_public_url(text)) << text;
  }
}

TEST(MailboxValue, TakesNamesAndBareAddresses) {
  const auto named = parse_mailbox("Sealpost Relay <post@example.com>");
  ASSERT_TRUE(named);
  EXPECT_EQ(named->name, "Sealpost Relay");
  EXPECT_EQ(named->address, "post@example.com");
  EXPECT_EQ(parse_mailbox("\"Relay, The\" <post@example.com>")->name, "Relay, The");
  EXPECT_EQ(parse_mailbox("post@example.com")->name, "");
  for (const auto* text : {"", "post", "Relay <post@example.com", "Relay <>", "Relay <post@example.com> x",
                           "Relay post@example.com", "a\r\nBcc: b <post@example.com>", "a\nb <post@example.com>"}) {
    EXPECT_FALSE(parse_mailbox(text)) << text;
  }
}

TEST(Words, StandBetweenCommasAndBlanks) {
  EXPECT_EQ(parse_words(" a,b ,\tc,, d "), (std::vector<std::string>{"a", "b", "c", "d"}));
  EXPECT_TRUE(parse_words(" , ").empty());
}

TEST(NumericAddress, IsStrict) {
  for (const auto* text : {"0.0.0.0", "192.0.2.1", "::", "::1", "2001:db8::1", "fe80::1%eth0", "::ffff:192.0.2.1"}) {
    EXPECT_TRUE(is_numeric_address(text)) << text;
  }
  for (const auto* text : {"", "10", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.4%x", " ::1", "[::1]", "::1%", "host"}) {
    EXPECT_FALSE(is_numeric_address(text)) << text;
  }
}

TEST(LoopbackHost, IsTold) {
  for (const auto* host : {"localhost", "127.0.0.1", "127.8.9.10", "::1", "[::1]"})
    EXPECT_TRUE(is_loopback_host(host)) << host;
  for (const auto* host : {"", "example.com", "10.0.0.1", "::", "0.0.0.0", "localhost.example.com"}) {
    EXPECT_FALSE(is_loopback_host(host)) << host;
  }
}

}  // namespace
}  // namespace sealpost
