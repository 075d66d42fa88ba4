// SPDX-License-Identifier: Apache-2.0
// The pickup's calls for programs: every answer that the contract names.
#include <ostream>
#include <set>

#include "notify/codes.h"
#include "tests/unit/notify/routes_fixture.h"

namespace sealpost::test {
namespace {

class PickupApiTest : public RoutesTest {
 protected:
  void SetUp() override {
    RoutesTest::SetUp();
    bob = notified("Bob@example.net");
  }
  SentNotice bob;
};

TEST_F(PickupApiTest, CodeOpensASession) {
  const auto answer = call("POST", session_path(bob), code_body(bob.code));
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.field("Content-Type"), "application/json");
  EXPECT_EQ(answer.field("Cache-Control"), "no-store");
  const auto key = keys->directory.find(address("bob@example.net")).value();
  EXPECT_TRUE(is_token(answer.member("session")));
  EXPECT_EQ(answer.member("address"), "Bob@example.net");
  EXPECT_EQ(answer.member("state"), "interim");
  EXPECT_EQ(answer.member("fingerprint"), key->fingerprint);
  EXPECT_EQ(answer.member("expires"), to_rfc3339(*key->expires));
  EXPECT_TRUE(answer.member("certificate").starts_with("-----BEGIN CERTIFICATE-----"));
  const auto rows = answer.json()->getArray("keys");
  ASSERT_EQ(rows->size(), 1U);
  EXPECT_EQ(rows->getObject(0)->getValue<std::string>("fingerprint"), key->fingerprint);
  EXPECT_EQ(rows->getObject(0)->getValue<std::string>("state"), "interim");
  EXPECT_EQ(rows->getObject(0)->getValue<std::string>("assigned"), to_rfc3339(key->assigned));
  EXPECT_TRUE(rows->getObject(0)->getValue<bool>("available"));
}

TEST_F(PickupApiTest, WrongCodeTellsAttemptsLeftAndTheFifthLocks) {
  for (const unsigned left : {4U, 3U, 2U, 1U, 0U}) {
    const auto answer = patient_call("POST", session_path(bob), code_body(wrong_code(left)));
    EXPECT_EQ(answer.status, 403);
    EXPECT_EQ(answer.field("Content-Type"), "application/problem+json");
    EXPECT_EQ(answer.json()->getValue<unsigned>("attempts_left"), left);
    EXPECT_EQ(answer.json()->getValue<int>("status"), 403);
  }
  EXPECT_EQ(call("POST", session_path(bob), code_body(bob.code)).status, 423);
}

TEST_F(PickupApiTest, ExpiredCodeIsGone) {
  clock.advance(day * 30);
  EXPECT_EQ(call("POST", session_path(bob), code_body(bob.code)).status, 410);
}

TEST_F(PickupApiTest, UnknownLinkIsNotFound) {
  for (const std::string& token : {std::string(make_token(random).reveal()), std::string("x"), bob.token + "%2F.."}) {
    EXPECT_EQ(call("POST", "/v1/pickup/" + token + "/session", code_body(bob.code)).status, 404) << token;
    EXPECT_EQ(call("POST", "/v1/pickup/" + token + "/pkcs12", R"({"format":"modern"})", bearer("x")).status, 404);
  }
}

struct Format {
  const char* name;
  const char* body;
};
void PrintTo(const Format& format, std::ostream* out) { *out << format.name; }

class PickupFormat : public PickupApiTest, public testing::WithParamInterface<Format> {};

TEST_P(PickupFormat, GivesAFileThatItsPasswordOpens) {
  const auto answer = call("POST", pkcs12_path(bob), GetParam().body, session(bob));
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.field("Cache-Control"), "no-store");
  EXPECT_EQ(answer.member("filename"), "mail-key.p12");
  const std::string path = dir.write("key.p12", from_base64(answer.member("pkcs12")).value());
  const auto opened =
      run({"openssl", "pkcs12", "-in", path, "-passin", "stdin", "-nodes"}, answer.member("password") + "\n");
  ASSERT_EQ(opened.status, 0) << opened.err;
  EXPECT_NE(opened.out.find("PRIVATE KEY"), std::string::npos);
  std::size_t certificates = 0;
  for (auto at = opened.out.find("BEGIN CERT"); at != std::string::npos; at = opened.out.find("BEGIN CERT", at + 1)) {
    ++certificates;
  }
  EXPECT_EQ(certificates, 3U) << "its own, the issuing and the root CA's";
}

INSTANTIATE_TEST_SUITE_P(
    Pickup, PickupFormat,
    testing::Values(Format{"Modern", R"({"format":"modern"})"}, Format{"Compatible", R"({"format":"compatible"})"},
                    Format{"OwnPassword", R"({"format":"modern","password":"twelve chars"})"},
                    Format{"NullMembers", R"({"format":"modern","password":null,"fingerprint":null})"}),
    [](const auto& test) { return test.param.name; });

TEST_F(PickupApiTest, OwnPasswordComesBackAsGiven) {
  const auto answer = call("POST", pkcs12_path(bob), R"({"format":"modern","password":"grüße-an-alle"})", session(bob));
  EXPECT_EQ(answer.member("password"), "grüße-an-alle");
}

TEST_F(PickupApiTest, RandomPasswordsDifferAndHave80Bits) {
  std::set<std::string> seen;
  const auto fields = session(bob);
  for (int i = 0; i < 3; ++i) {
    const auto password = call("POST", pkcs12_path(bob), R"({"format":"compatible"})", fields).member("password");
    EXPECT_GE(password.size(), 16U) << "of 5 bits each";
    EXPECT_TRUE(seen.insert(password).second);
  }
}

TEST_F(PickupApiTest, KeyIsChosenByItsFingerprint) {
  const auto key = keys->directory.find(address("bob@example.net")).value();
  const auto fields = session(bob);
  EXPECT_EQ(
      call("POST", pkcs12_path(bob), R"({"format":"modern","fingerprint":")" + key->fingerprint + "\"}", fields).status,
      200);
  EXPECT_EQ(
      call("POST", pkcs12_path(bob), R"({"format":"modern","fingerprint":")" + std::string(64, '0') + "\"}", fields)
          .status,
      404);
}

TEST_F(PickupApiTest, WithoutTheSessionThereIsNoKey) {
  for (const Fields& fields : {Fields{}, bearer(""), bearer(bob.token), bearer(bob.code), bearer("keys"),
                               Fields{{"Authorization", "Basic eDp5"}}, Fields{{"Cookie", "sealpost_pickup=x"}}}) {
    const auto answer = call("POST", pkcs12_path(bob), R"({"format":"modern"})", fields);
    EXPECT_EQ(answer.status, 401);
    EXPECT_EQ(answer.field("WWW-Authenticate"), "Bearer");
  }
  const auto eve = notified("eve@example.net");
  EXPECT_EQ(call("POST", pkcs12_path(bob), R"({"format":"modern"})", session(eve)).status, 401);
}

TEST_F(PickupApiTest, ResendIsAlwaysAccepted) {
  for (const char* body : {R"({"address":"bob@example.net"})", R"({"address":"nobody@example.net"})",
                           R"({"address":"not an address"})", R"({"address":""})"}) {
    const auto answer = call("POST", "/v1/pickup/resend", body);
    EXPECT_EQ(answer.status, 202) << body;
    EXPECT_EQ(answer.body, "{}");
  }
}

TEST_F(PickupApiTest, ResendsOfOneNetworkAreBoundedWhileTheyWait) {
  const auto ask = [&](int number, const std::string& peer) {
    const std::string body = R"({"address":"user)" + std::to_string(number) + R"(@example.net"})";
    EXPECT_EQ(call("POST", "/v1/pickup/resend", body, {}, peer).status, 202) << "which nobody is told";
  };
  for (int i = 0; i < 8; ++i) ask(i, "198.51.100.7");
  ask(8, "198.51.100.8");
  EXPECT_EQ(log_file.text().find("notifier.resends_dropped"), std::string::npos);
  ask(9, "198.51.100.7");
  EXPECT_NE(log_file.text().find("notifier.resends_dropped"), std::string::npos);
}

struct Wrong {
  const char* name;
  const char* path;  ///< behind the token
  std::string body;
  int status;
};
void PrintTo(const Wrong& wrong, std::ostream* out) { *out << wrong.name; }

class WrongRequest : public PickupApiTest, public testing::WithParamInterface<Wrong> {};

TEST_P(WrongRequest, IsRefused) {
  const auto answer = call("POST", "/v1/pickup/" + bob.token + GetParam().path, GetParam().body, session(bob));
  EXPECT_EQ(answer.status, GetParam().status) << answer.body;
  EXPECT_EQ(answer.field("Content-Type"), "application/problem+json");
  EXPECT_EQ(answer.json()->getValue<int>("status"), GetParam().status);
  EXPECT_FALSE(answer.member("title").empty());
}

INSTANTIATE_TEST_SUITE_P(
    Pickup, WrongRequest,
    testing::Values(Wrong{"NoBody", "/session", "", 400}, Wrong{"NotJson", "/session", "code=ABCD", 400},
                    Wrong{"Array", "/session", R"(["ABCD-EFGH-2345"])", 400},
                    Wrong{"Text", "/session", R"("code")", 400},
                    Wrong{"Truncated", "/session", R"({"code":"ABCD)", 400},
                    Wrong{"TrailingOctets", "/session", R"({"code":"ABCD-EFGH-2345"} x)", 400},
                    Wrong{"CodeMissing", "/session", "{}", 400}, Wrong{"CodeNull", "/session", R"({"code":null})", 400},
                    Wrong{"CodeNumber", "/session", R"({"code":1234})", 400},
                    Wrong{"CodeObject", "/session", R"({"code":{}})", 400},
                    Wrong{"UnknownMember", "/session", R"({"code":"ABCD-EFGH-2345","x":"y"})", 400},
                    Wrong{"Deep", "/session", std::string(1000, '[') + std::string(1000, ']'), 400},
                    Wrong{"TooLarge", "/session", std::string(4097, ' '), 413}, Wrong{"NoFormat", "/pkcs12", "{}", 422},
                    Wrong{"UnknownFormat", "/pkcs12", R"({"format":"pem"})", 422},
                    Wrong{"ShortPassword", "/pkcs12", R"({"format":"modern","password":"elevenchars"})", 422},
                    Wrong{"EmptyPassword", "/pkcs12", R"({"format":"modern","password":""})", 422},
                    Wrong{"ControlInPassword", "/pkcs12", R"({"format":"modern","password":"twelve chars\n"})", 422},
                    Wrong{"OwnPasswordForCompatible", "/pkcs12", R"({"format":"compatible","password":"twelve chars"})",
                          422},
                    Wrong{"UnknownPkcs12Member", "/pkcs12", R"({"format":"modern","pasword":"twelve chars"})", 400},
                    Wrong{"TooLargePkcs12", "/pkcs12", std::string(4097, ' '), 413}),
    [](const auto& test) { return test.param.name; });

TEST_F(PickupApiTest, ResendRefusesWhatIsNoRequest) {
  EXPECT_EQ(call("POST", "/v1/pickup/resend", "x").status, 400);
  EXPECT_EQ(call("POST", "/v1/pickup/resend", R"({"address":"bob@example.net","x":"y"})").status, 400);
  EXPECT_EQ(call("POST", "/v1/pickup/resend", std::string(4097, ' ')).status, 413);
}

TEST_F(PickupApiTest, WrongMethodsAreNotAllowed) {
  for (const std::string& path : {session_path(bob), pkcs12_path(bob), std::string("/v1/pickup/resend")}) {
    for (const char* method : {"GET", "HEAD", "PUT", "DELETE"}) {
      const auto answer = call(method, path);
      EXPECT_EQ(answer.status, 405) << method << path;
      EXPECT_EQ(answer.field("Allow"), "POST");
    }
  }
}

TEST_F(PickupApiTest, CodesAreNotTakenOverPlainHttpFromAfar) {
  const std::string afar = "198.51.100.7";
  EXPECT_EQ(call("POST", session_path(bob), code_body(bob.code), {}, afar).status, 403);
  EXPECT_EQ(call("POST", pkcs12_path(bob), R"({"format":"modern"})", session(bob), afar).status, 403);
  const Fields https = {{"X-Forwarded-Proto", "https"}, {"X-Forwarded-For", "203.0.113.5"}};
  EXPECT_EQ(call("POST", session_path(bob), code_body(bob.code), https, afar).status, 403) << "whoever says so";
  EXPECT_EQ(call("POST", session_path(bob), code_body(bob.code), https, "192.0.2.9").status, 200) << "a trusted proxy";
  const Fields http = {{"X-Forwarded-Proto", "http"}, {"X-Forwarded-For", "203.0.113.5"}};
  EXPECT_EQ(call("POST", session_path(bob), code_body(bob.code), http, "192.0.2.9").status, 403);
  EXPECT_EQ(call("POST", "/v1/pickup/resend", R"({"address":"bob@example.net"})", {}, afar).status, 202)
      << "no secret travels";
}

TEST_F(PickupApiTest, DamagedRecordIsTheServersFaultAndLoggedWithTheAddress) {
  const auto fields = session(bob);
  damage_record("bob@example.net");
  const auto answer = call("POST", pkcs12_path(bob), R"({"format":"modern"})", fields);
  EXPECT_EQ(answer.status, 500) << answer.body;
  const std::string log = log_file.text();
  EXPECT_NE(log.find(" pickup.failed address=bob@example.net reason="), std::string::npos) << log;
  EXPECT_NE(log.find(" detail=\"MAC does not fit\""), std::string::npos) << log;
  EXPECT_EQ(log.find("http.handler_failed"), std::string::npos) << "one line is enough";
}

TEST_F(PickupApiTest, RedisAwayIsTemporary) {
  const auto fields = session(bob);
  server.kill();
  const auto answer = call("POST", session_path(bob), code_body(bob.code));
  EXPECT_EQ(answer.status, 503);
  EXPECT_FALSE(answer.field("Retry-After").empty());
  EXPECT_NE(log_file.text().find(" pickup.failed "), std::string::npos);
  EXPECT_EQ(call("POST", pkcs12_path(bob), R"({"format":"modern"})", fields).status, 503);
  EXPECT_EQ(call("POST", "/v1/pickup/resend", R"({"address":"bob@example.net"})").status, 202) << "tells nothing";
}

}  // namespace
}  // namespace sealpost::test
