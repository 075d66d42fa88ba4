// SPDX-License-Identifier: Apache-2.0
// What two programs could read differently is refused: malformed requests, each by its name, sent octet for octet.
#include "tests/unit/base/http_fixture.h"

namespace sealpost::http {
namespace {

using test::RawClient;

struct Malformed {
  const char* name;
  int status;
  std::string octets;
};
class HttpMalformedTest : public HttpTest, public testing::WithParamInterface<Malformed> {};

/// A second request stands behind each of them: it must not be answered.
TEST_P(HttpMalformedTest, IsRefusedAndEndsTheConnection) {
  RawClient client(serve());
  ASSERT_TRUE(client.send(GetParam().octets));
  client.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");  // may fail: the connection is closed, or about to be
  const std::string answer = client.read_to_end();
  EXPECT_EQ(status_of(answer), GetParam().status) << answer;
  EXPECT_NE(answer.find("Content-Type: application/problem+json"), std::string::npos);
  EXPECT_NE(answer.find("Connection: close"), std::string::npos);
  EXPECT_EQ(answer.rfind("HTTP/1.1 "), 0U) << "one answer only";
  EXPECT_EQ(handled_, 0);
}

std::string get(const std::string& target) { return "GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n"; }
std::string with_field(const std::string& field) { return "GET /hello HTTP/1.1\r\nHost: x\r\n" + field + "\r\n\r\n"; }
std::string post(const std::string& fields, const std::string& body = "12345") {
  return "POST /echo HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n\r\n" + body;
}
const std::string nul(1, '\0');

INSTANTIATE_TEST_SUITE_P(
    RequestLine, HttpMalformedTest,
    testing::Values(Malformed{"NoVersion", 400, "GET /hello\r\nHost: x\r\n\r\n"},
                    Malformed{"OnlyAMethod", 400, "GET\r\nHost: x\r\n\r\n"},
                    Malformed{"SpaceInTheTarget", 400, "GET /hel lo HTTP/1.1\r\nHost: x\r\n\r\n"},
                    Malformed{"TwoSpaces", 400, "GET  /hello HTTP/1.1\r\nHost: x\r\n\r\n"},
                    Malformed{"TabForASpace", 400, "GET\t/hello\tHTTP/1.1\r\nHost: x\r\n\r\n"},
                    Malformed{"MethodIsNoToken", 400, "G(T /hello HTTP/1.1\r\nHost: x\r\n\r\n"},
                    Malformed{"EmptyLineFirst", 400, "\r\n\r\n"},
                    Malformed{"NotHttp", 400, "GET /hello FTP/1.1\r\nHost: x\r\n\r\n"},
                    Malformed{"LowerCaseHttp", 400, "GET /hello http/1.1\r\nHost: x\r\n\r\n"},
                    Malformed{"Http2", 505, "GET /hello HTTP/2.0\r\nHost: x\r\n\r\n"},
                    Malformed{"Http09", 505, "GET /hello HTTP/0.9\r\nHost: x\r\n\r\n"},
                    Malformed{"RelativeTarget", 400, get("hello")}, Malformed{"AsteriskTarget", 400, get("*")},
                    Malformed{"AuthorityTarget", 400, get("example.com:443")},
                    Malformed{"ForeignScheme", 400, get("ftp://x/hello")},
                    Malformed{"Fragment", 400, get("/hello#there")}, Malformed{"EightBitTarget", 400, get("/hell\xf6")},
                    Malformed{"ControlInTheTarget", 400, get("/hello\x01")},
                    Malformed{"NulInTheTarget", 400, get("/hello" + nul)},
                    Malformed{"EscapedNul", 400, get("/items/a%00b")}, Malformed{"CutEscape", 400, get("/items/a%2")},
                    Malformed{"WrongEscape", 400, get("/items/a%zz")}, Malformed{"DotDot", 400, get("/items/../hello")},
                    Malformed{"DotDotAtTheEnd", 400, get("/items/..")}, Malformed{"Dot", 400, get("/./hello")},
                    Malformed{"EscapedDotDot", 400, get("/items/%2e%2E/hello")},
                    Malformed{"WrongEscapeInTheQuery", 400, get("/hello?a=%zz")},
                    Malformed{"NulInTheQuery", 400, get("/hello?a=%00")},
                    Malformed{"TargetTooLong", 414, get("/" + std::string(5000, 'a'))},
                    Malformed{"RequestLineTooLong", 414, "GET /" + std::string(17000, 'a')}),
    [](const auto& info) { return std::string(info.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Fields, HttpMalformedTest,
    testing::Values(
        Malformed{"NoHost", 400, "GET /hello HTTP/1.1\r\nAccept: x\r\n\r\n"},
        Malformed{"TwoHosts", 400, with_field("Host: y")}, Malformed{"TwoEqualHosts", 400, with_field("Host: x")},
        Malformed{"NoColon", 400, with_field("Accept")}, Malformed{"NoName", 400, with_field(": x")},
        Malformed{"SpaceBeforeTheColon", 400, with_field("Accept : x")},
        Malformed{"TabBeforeTheColon", 400, with_field("Accept\t: x")},
        Malformed{"SpaceBeforeTheName", 400, with_field(" Accept: x")},
        Malformed{"ObsoleteFold", 400, with_field("Accept: x\r\n y")},
        Malformed{"FoldByTab", 400, with_field("Accept: x\r\n\ty")},
        Malformed{"FoldRightAfterTheRequestLine", 400, "GET /hello HTTP/1.1\r\n Host: x\r\n\r\n"},
        Malformed{"NulInAValue", 400, with_field("Accept: a" + nul + "b")},
        Malformed{"NulInAName", 400, with_field("Acc" + nul + "ept: x")},
        Malformed{"BareCarriageReturn", 400, with_field("Accept: a\rContent-Length: 5")},
        Malformed{"BareLineFeed", 400, with_field("Accept: a\nContent-Length: 5")},
        Malformed{"LineFeedsOnly", 400, "GET /hello HTTP/1.1\nHost: x\n\n"},
        Malformed{"EscapeCharacter", 400, with_field("Accept: \x1b[2J")},
        Malformed{"Delete", 400, with_field("Accept: a\x7f")},
        Malformed{"EightBitName", 400, with_field("Acc\xe9pt: x")},
        Malformed{"TwoAuthorizations", 400, with_field("Authorization: Bearer a\r\nAuthorization: Bearer b")},
        Malformed{"UnknownExpectation", 417, with_field("Expect: miracles")},
        Malformed{"HeaderTooLarge", 431, with_field("Accept: " + std::string(17000, 'a'))},
        Malformed{"HeaderTooLargeAndNeverEnding", 431, "GET /hello HTTP/1.1\r\nAccept: " + std::string(17000, 'a')},
        Malformed{"TooManyFields", 431, with_field([] {
                    std::string fields;
                    for (int i = 0; i < 3000; ++i) fields += "A" + std::to_string(i) + ": x\r\n";
                    return fields + "Z: x";
                  }())}),
    [](const auto& info) { return std::string(info.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Framing, HttpMalformedTest,
    testing::Values(Malformed{"Chunked", 411, post("Transfer-Encoding: chunked", "5\r\n12345\r\n0\r\n\r\n")},
                    Malformed{"ChunkedAndALength", 411, post("Transfer-Encoding: chunked\r\nContent-Length: 5")},
                    Malformed{"LengthAndChunked", 411, post("Content-Length: 5\r\nTransfer-Encoding: chunked")},
                    Malformed{"ObscuredChunked", 411, post("Transfer-Encoding: \tidentity, chunked")},
                    Malformed{"TwoLengths", 400, post("Content-Length: 5\r\nContent-Length: 6")},
                    Malformed{"TwoEqualLengths", 400, post("Content-Length: 5\r\nContent-Length: 5")},
                    Malformed{"TwoLengthsInDifferentCase", 400, post("Content-Length: 5\r\ncontent-length: 50")},
                    Malformed{"ListOfLengths", 400, post("Content-Length: 5, 5")},
                    Malformed{"NegativeLength", 400, post("Content-Length: -5")},
                    Malformed{"SignedLength", 400, post("Content-Length: +5")},
                    Malformed{"HexadecimalLength", 400, post("Content-Length: 0x5")},
                    Malformed{"EmptyLength", 400, post("Content-Length:")},
                    Malformed{"LengthAndMore", 400, post("Content-Length: 5 6")},
                    Malformed{"LengthBeyondAnyNumber", 400, post("Content-Length: 99999999999999999999999")},
                    Malformed{"BodyTooLarge", 413, post("Content-Length: 1001", std::string(1001, 'b'))},
                    Malformed{"BodyWhereNoneIsTaken", 413,
                              "GET /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n12345"}),
    [](const auto& info) { return std::string(info.param.name); });

struct WellFormed {
  const char* name;
  std::string octets;
  const char* body;
};
class HttpWellFormedTest : public HttpTest, public testing::WithParamInterface<WellFormed> {};

TEST_P(HttpWellFormedTest, IsAnswered) {
  RawClient client(serve());
  ASSERT_TRUE(client.send(GetParam().octets));
  const std::string answer = read_response(client);
  EXPECT_EQ(status_of(answer), 200) << answer;
  EXPECT_EQ(answer.substr(answer.find("\r\n\r\n") + 4), GetParam().body);
}
INSTANTIATE_TEST_SUITE_P(Cases, HttpWellFormedTest,
                         testing::Values(WellFormed{"Plain", get("/hello"), "<p>hi</p>"},
                                         WellFormed{"AbsoluteForm", get("http://example.com/hello"), "<p>hi</p>"},
                                         WellFormed{"EmptyHost", "GET /hello HTTP/1.1\r\nHost:\r\n\r\n", "<p>hi</p>"},
                                         WellFormed{"Http10WithoutHost", "GET /hello HTTP/1.0\r\n\r\n", "<p>hi</p>"},
                                         WellFormed{"SpaceAroundAValue", with_field("Accept: \t x \t"), "<p>hi</p>"},
                                         WellFormed{"EightBitValue", with_field("Accept: caf\xc3\xa9"), "<p>hi</p>"},
                                         WellFormed{"EscapedSlashIsData", get("/items/a%2Fb"), "a/b"},
                                         WellFormed{"EscapedLiteral", get("/%68ello"), "<p>hi</p>"},
                                         WellFormed{"DotsInAName", get("/items/..a"), "..a"},
                                         WellFormed{"Body", post("Content-Length: 5"), "12345"},
                                         WellFormed{"EmptyBody", post("Content-Length: 0", ""), ""},
                                         WellFormed{"NoLengthNoBody", "POST /echo HTTP/1.1\r\nHost: x\r\n\r\n", ""},
                                         WellFormed{"LengthWithZeros", post("Content-Length: 0005"), "12345"}),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace sealpost::http
