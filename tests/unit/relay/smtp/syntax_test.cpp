// SPDX-License-Identifier: Apache-2.0
// MAIL and RCPT as tables: what is taken, and which reply refuses the rest.
#include "relay/smtp/syntax.h"

#include <gtest/gtest.h>

#include <ostream>

#include "base/encoding.h"

namespace sealpost::smtp {
namespace {

/// What was taken, or the reply, as one line.
std::string outcome(const Result<MailArguments, Reply>& result) {
  if (!result) return std::to_string(result.error().code) + " " + std::string(result.error().enhanced);
  std::string text = result->from ? result->from->text() : "<>";
  if (result->size) text += " size " + std::to_string(*result->size);
  if (result->smtputf8) text += " utf8";
  if (!result->envid.empty()) text += " envid " + result->envid;
  return text;
}

std::string outcome(const Result<RcptArguments, Reply>& result) {
  if (!result) return std::to_string(result.error().code) + " " + std::string(result.error().enhanced);
  const DsnRequest& dsn = result->dsn;
  std::string text = result->to.text();
  if (dsn.never) text += " never";
  if (dsn.success) text += " success";
  if (dsn.failure) text += " failure";
  if (dsn.delay) text += " delay";
  if (!dsn.is_default()) text += " said";
  if (!dsn.orcpt.empty()) text += " orcpt " + dsn.orcpt;
  return text;
}

struct Case {
  const char* name;
  std::string text;
  std::string expected;
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }
std::string name_of(const testing::TestParamInfo<Case>& info) { return info.param.name; }

class Mail : public testing::TestWithParam<Case> {};
TEST_P(Mail, IsReadAsWritten) { EXPECT_EQ(outcome(parse_mail(GetParam().text)), GetParam().expected); }

const std::string a = "FROM:<a@example.com>";

INSTANTIATE_TEST_SUITE_P(
    Paths, Mail,
    testing::Values(
        Case{"Plain", a, "a@example.com"}, Case{"Null", "FROM:<>", "<>"},
        Case{"AnyCase", "from:<A@Example.COM>", "A@Example.COM"},
        Case{"BlankBehindColon", "FROM: <a@example.com>", "a@example.com"},
        Case{"BlanksAtTheEnd", a + "  ", "a@example.com"},
        Case{"SourceRoute", "FROM:<@one.example,@two.example:a@example.com>", "a@example.com"},
        Case{"Quoted", "FROM:<\"a b\"@example.com>", "\"a b\"@example.com"},
        Case{"BracketInQuotes", "FROM:<\"a>b\"@example.com>", "\"a>b\"@example.com"},
        Case{"EscapedQuote", "FROM:<\"a\\\">b\"@example.com>", "\"a\\\">b\"@example.com"},
        Case{"PathOf256",
             "FROM:<" + std::string(64, 'a') + "@" + std::string(63, 'b') + "." + std::string(63, 'c') + "." +
                 std::string(61, 'd') + ">",
             std::string(64, 'a') + "@" + std::string(63, 'b') + "." + std::string(63, 'c') + "." +
                 std::string(61, 'd')},
        Case{"PathOf257",
             "FROM:<" + std::string(64, 'a') + "@" + std::string(63, 'b') + "." + std::string(63, 'c') + "." +
                 std::string(62, 'd') + ">",
             "553 5.1.3"},
        Case{"Empty", "", "501 5.5.4"}, Case{"OtherKeyword", "TO:<a@example.com>", "501 5.5.4"},
        Case{"NoColon", "FROM<a@example.com>", "501 5.5.4"}, Case{"NoBrackets", "FROM:a@example.com", "501 5.5.4"},
        Case{"NotClosed", "FROM:<a@example.com", "501 5.5.4"},
        Case{"QuoteNotClosed", "FROM:<\"a@example.com>", "501 5.5.4"}, Case{"TextBehind", a + "x", "501 5.5.4"},
        Case{"TwoPaths", a + "<b@example.com>", "501 5.5.4"},
        Case{"DisplayName", "FROM:Alice <a@example.com>", "501 5.5.4"}, Case{"NoDomain", "FROM:<a>", "553 5.1.7"},
        Case{"NoLocalPart", "FROM:<@example.com>", "553 5.1.7"}, Case{"TwoAts", "FROM:<a@b@example.com>", "553 5.1.7"},
        Case{"Literal", "FROM:<a@[192.0.2.1]>", "553 5.1.8"}, Case{"LiteralV6", "FROM:<a@[IPv6:::1]>", "553 5.1.8"},
        Case{"DotAtTheEnd", "FROM:<a.@example.com>", "553 5.1.7"},
        Case{"TrailingDotDomain", "FROM:<a@example.com.>", "553 5.1.7"},
        Case{"UnicodeWithoutParameter", "FROM:<\xc3\xa9@example.com>", "553 5.6.7"},
        Case{"UnicodeDomainWithoutParameter", "FROM:<a@b\xc3\xbc.example>", "553 5.6.7"},
        Case{"Unicode", "FROM:<\xc3\xa9@b\xc3\xbc.example> SMTPUTF8", "\xc3\xa9@b\xc3\xbc.example utf8"},
        Case{"NotUtf8", "FROM:<\xe9@example.com> SMTPUTF8", "553 5.1.7"}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    Parameters, Mail,
    testing::Values(
        Case{"Size", a + " SIZE=0", "a@example.com size 0"},
        Case{"SizeAnyCase", a + " size=12", "a@example.com size 12"},
        Case{"SizeLargest", a + " SIZE=18446744073709551615", "a@example.com size 18446744073709551615"},
        Case{"SizeBeyondNumbers", a + " SIZE=18446744073709551616", "552 5.3.4"},
        Case{"SizeWithoutValue", a + " SIZE", "501 5.5.4"}, Case{"SizeEmpty", a + " SIZE=", "501 5.5.4"},
        Case{"SizeSigned", a + " SIZE=+1", "501 5.5.4"}, Case{"SizeNegative", a + " SIZE=-1", "501 5.5.4"},
        Case{"SizeHex", a + " SIZE=0x10", "501 5.5.4"}, Case{"SizeWithUnit", a + " SIZE=1k", "501 5.5.4"},
        Case{"Body7Bit", a + " BODY=7BIT", "a@example.com"}, Case{"Body8Bit", a + " body=8bitmime", "a@example.com"},
        Case{"BodyBinary", a + " BODY=BINARYMIME", "501 5.5.4"}, Case{"BodyEmpty", a + " BODY=", "501 5.5.4"},
        Case{"Utf8WithValue", a + " SMTPUTF8=1", "501 5.5.4"}, Case{"RetFull", a + " RET=FULL", "a@example.com"},
        Case{"RetHeaders", a + " RET=hdrs", "a@example.com"}, Case{"RetOther", a + " RET=BODY", "501 5.5.4"},
        Case{"Envid", a + " ENVID=QQ+2B1", "a@example.com envid QQ+2B1"},
        Case{"EnvidEmpty", a + " ENVID=", "501 5.5.4"},
        Case{"Envid100", a + " ENVID=" + std::string(100, 'x'), "a@example.com envid " + std::string(100, 'x')},
        Case{"Envid101", a + " ENVID=" + std::string(101, 'x'), "501 5.5.4"},
        Case{"EnvidBadXtext", a + " ENVID=a+2b", "501 5.5.4"}, Case{"AuthNull", a + " AUTH=<>", "a@example.com"},
        Case{"AuthAddress", a + " AUTH=a+40example.com", "a@example.com"},
        Case{"AuthBad", a + " AUTH=a=b", "501 5.5.4"},
        Case{"All", a + "  RET=FULL   ENVID=x SIZE=1 BODY=8BITMIME SMTPUTF8", "a@example.com size 1 utf8 envid x"},
        Case{"Unknown", a + " FUTURE=1", "555 5.5.4"}, Case{"RcptsParameter", a + " NOTIFY=NEVER", "555 5.5.4"},
        Case{"NoKeyword", a + " =1", "555 5.5.4"}, Case{"Doubled", a + " RET=FULL RET=FULL", "501 5.5.4"},
        Case{"DoubledInAnotherCase", a + " SIZE=1 size=1", "501 5.5.4"}),
    name_of);

class Rcpt : public testing::TestWithParam<Case> {};
TEST_P(Rcpt, IsReadAsWritten) { EXPECT_EQ(outcome(parse_rcpt(GetParam().text, false)), GetParam().expected); }

const std::string b = "TO:<b@example.net>";

INSTANTIATE_TEST_SUITE_P(
    All, Rcpt,
    testing::Values(
        Case{"Plain", b, "b@example.net failure delay"},
        Case{"AnyCase", "to:<B@Example.NET>", "B@Example.NET failure delay"},
        Case{"SourceRoute", "TO:<@one.example:b@example.net>", "b@example.net failure delay"},
        Case{"Null", "TO:<>", "553 5.1.3"}, Case{"Postmaster", "TO:<Postmaster>", "553 5.1.3"},
        Case{"OtherKeyword", "FROM:<b@example.net>", "501 5.5.4"}, Case{"NoBrackets", "TO:b@example.net", "501 5.5.4"},
        Case{"Literal", "TO:<b@[192.0.2.1]>", "553 5.1.2"}, Case{"Unicode", "TO:<\xc3\xa9@example.net>", "553 5.6.7"},
        Case{"Never", b + " NOTIFY=NEVER", "b@example.net never said"},
        Case{"AllOthers", b + " NOTIFY=success,Failure,DELAY", "b@example.net success failure delay said"},
        Case{"SuccessAlone", b + " NOTIFY=SUCCESS", "b@example.net success said"},
        Case{"TheDefaultSaid", b + " NOTIFY=FAILURE,DELAY", "b@example.net failure delay said"},
        Case{"NeverWithOthers", b + " NOTIFY=FAILURE,NEVER", "501 5.5.4"},
        Case{"NotifyEmpty", b + " NOTIFY=", "501 5.5.4"}, Case{"NotifyWithoutValue", b + " NOTIFY", "501 5.5.4"},
        Case{"NotifyEmptyElement", b + " NOTIFY=SUCCESS,", "501 5.5.4"},
        Case{"NotifyOther", b + " NOTIFY=MAYBE", "501 5.5.4"},
        Case{"NotifyTwice", b + " NOTIFY=DELAY NOTIFY=DELAY", "501 5.5.4"},
        Case{"Orcpt", b + " ORCPT=rfc822;B+2Bx@example.net",
             "b@example.net failure delay orcpt rfc822;B+2Bx@example.net"},
        Case{"Orcpt500", b + " ORCPT=rfc822;" + std::string(493, 'x'),
             "b@example.net failure delay orcpt rfc822;" + std::string(493, 'x')},
        Case{"Orcpt501", b + " ORCPT=rfc822;" + std::string(494, 'x'), "501 5.5.4"},
        Case{"OrcptWithoutType", b + " ORCPT=b@example.net", "501 5.5.4"},
        Case{"OrcptEmptyType", b + " ORCPT=;b@example.net", "501 5.5.4"},
        Case{"OrcptBadXtext", b + " ORCPT=rfc822;b+4", "501 5.5.4"},
        Case{"OrcptBadType", b + " ORCPT=rfc=822;b", "501 5.5.4"},
        Case{"OrcptTypeIsNoAtom", b + " ORCPT=<rfc822>;b", "501 5.5.4"},
        Case{"OrcptOtherType", b + " ORCPT=x-fax;b", "b@example.net failure delay orcpt x-fax;b"},
        Case{"MailsParameter", b + " SIZE=1", "555 5.5.4"}, Case{"Unknown", b + " FUTURE", "555 5.5.4"}),
    name_of);

TEST(RcptWithSmtputf8, TakesUnicode) {
  EXPECT_EQ(outcome(parse_rcpt("TO:<\xc3\xa9@b\xc3\xbc.example>", true)), "\xc3\xa9@b\xc3\xbc.example failure delay");
}

TEST(UnknownParameters, AreNamedOnlyWhenTheyMayStandInAReply) {
  EXPECT_EQ(parse_mail(a + " future-1=x").error().text, "unknown parameter FUTURE-1");
  EXPECT_EQ(parse_mail(a + " " + std::string(33, 'x')).error().text, "unknown parameter");
  EXPECT_EQ(parse_mail(a + " f\xc3\xa9").error().text, "unknown parameter");
  EXPECT_EQ(parse_mail(a + " " + std::string(40, 'x') + " " + std::string(41, 'x')).error().text, "unknown parameter");
}

class Xtext : public testing::TestWithParam<Case> {};
TEST_P(Xtext, IsDecodedStrictly) {
  EXPECT_EQ(decode_xtext(GetParam().text).value_or("malformed"), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    All, Xtext,
    testing::Values(Case{"Empty", "", ""}, Case{"Plain", "abc<>;@!~", "abc<>;@!~"}, Case{"Hex", "a+2Bb+3Dc", "a+b=c"},
                    Case{"AnyOctet", "+00+FF", std::string("\0\xff", 2)}, Case{"LowerHex", "+2b", "malformed"},
                    Case{"HalfHex", "+2", "malformed"}, Case{"NoHex", "+", "malformed"},
                    Case{"NotHex", "+GG", "malformed"}, Case{"Equals", "a=b", "malformed"},
                    Case{"Blank", "a b", "malformed"}, Case{"Control", "a\x01", "malformed"},
                    Case{"EightBit", "\xc3\xa9", "malformed"}, Case{"Delete", "\x7f", "malformed"}),
    name_of);

}  // namespace
}  // namespace sealpost::smtp
