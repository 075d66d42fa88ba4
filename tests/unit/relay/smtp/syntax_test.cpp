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

struct SyntaxCase {
  const char* name;
  std::string text;
  std::string expected;
};
void PrintTo(const SyntaxCase& c, std::ostream* out) { *out << c.name; }
std::string name_of(const testing::TestParamInfo<SyntaxCase>& info) { return info.param.name; }

class Mail : public testing::TestWithParam<SyntaxCase> {};
TEST_P(Mail, IsReadAsWritten) { EXPECT_EQ(outcome(parse_mail(GetParam().text)), GetParam().expected); }

const std::string a = "FROM:<a@example.com>";

INSTANTIATE_TEST_SUITE_P(
    Paths, Mail,
    testing::Values(
        SyntaxCase{"Plain", a, "a@example.com"}, SyntaxCase{"Null", "FROM:<>", "<>"},
        SyntaxCase{"AnyCase", "from:<A@Example.COM>", "A@Example.COM"},
        SyntaxCase{"BlankBehindColon", "FROM: <a@example.com>", "a@example.com"},
        SyntaxCase{"BlanksAtTheEnd", a + "  ", "a@example.com"},
        SyntaxCase{"SourceRoute", "FROM:<@one.example,@two.example:a@example.com>", "a@example.com"},
        SyntaxCase{"Quoted", "FROM:<\"a b\"@example.com>", "\"a b\"@example.com"},
        SyntaxCase{"BracketInQuotes", "FROM:<\"a>b\"@example.com>", "\"a>b\"@example.com"},
        SyntaxCase{"EscapedQuote", "FROM:<\"a\\\">b\"@example.com>", "\"a\\\">b\"@example.com"},
        SyntaxCase{"PathOf256",
                   "FROM:<" + std::string(64, 'a') + "@" + std::string(63, 'b') + "." + std::string(63, 'c') + "." +
                       std::string(61, 'd') + ">",
                   std::string(64, 'a') + "@" + std::string(63, 'b') + "." + std::string(63, 'c') + "." +
                       std::string(61, 'd')},
        SyntaxCase{"PathOf257",
                   "FROM:<" + std::string(64, 'a') + "@" + std::string(63, 'b') + "." + std::string(63, 'c') + "." +
                       std::string(62, 'd') + ">",
                   "553 5.1.3"},
        SyntaxCase{"Empty", "", "501 5.5.4"}, SyntaxCase{"OtherKeyword", "TO:<a@example.com>", "501 5.5.4"},
        SyntaxCase{"NoColon", "FROM<a@example.com>", "501 5.5.4"},
        SyntaxCase{"NoBrackets", "FROM:a@example.com", "501 5.5.4"},
        SyntaxCase{"NotClosed", "FROM:<a@example.com", "501 5.5.4"},
        SyntaxCase{"QuoteNotClosed", "FROM:<\"a@example.com>", "501 5.5.4"},
        SyntaxCase{"TextBehind", a + "x", "501 5.5.4"}, SyntaxCase{"TwoPaths", a + "<b@example.com>", "501 5.5.4"},
        SyntaxCase{"DisplayName", "FROM:Alice <a@example.com>", "501 5.5.4"},
        SyntaxCase{"NoDomain", "FROM:<a>", "553 5.1.7"}, SyntaxCase{"NoLocalPart", "FROM:<@example.com>", "553 5.1.7"},
        SyntaxCase{"TwoAts", "FROM:<a@b@example.com>", "553 5.1.7"},
        SyntaxCase{"Literal", "FROM:<a@[192.0.2.1]>", "553 5.1.8"},
        SyntaxCase{"LiteralV6", "FROM:<a@[IPv6:::1]>", "553 5.1.8"},
        SyntaxCase{"DotAtTheEnd", "FROM:<a.@example.com>", "553 5.1.7"},
        SyntaxCase{"TrailingDotDomain", "FROM:<a@example.com.>", "553 5.1.7"},
        SyntaxCase{"UnicodeWithoutParameter", "FROM:<\xc3\xa9@example.com>", "553 5.6.7"},
        SyntaxCase{"UnicodeDomainWithoutParameter", "FROM:<a@b\xc3\xbc.example>", "553 5.6.7"},
        SyntaxCase{"Unicode", "FROM:<\xc3\xa9@b\xc3\xbc.example> SMTPUTF8", "\xc3\xa9@b\xc3\xbc.example utf8"},
        SyntaxCase{"NotUtf8", "FROM:<\xe9@example.com> SMTPUTF8", "553 5.1.7"}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    Parameters, Mail,
    testing::Values(
        SyntaxCase{"Size", a + " SIZE=0", "a@example.com size 0"},
        SyntaxCase{"SizeAnyCase", a + " size=12", "a@example.com size 12"},
        SyntaxCase{"SizeLargest", a + " SIZE=18446744073709551615", "a@example.com size 18446744073709551615"},
        SyntaxCase{"SizeBeyondNumbers", a + " SIZE=18446744073709551616", "552 5.3.4"},
        SyntaxCase{"SizeWithoutValue", a + " SIZE", "501 5.5.4"}, SyntaxCase{"SizeEmpty", a + " SIZE=", "501 5.5.4"},
        SyntaxCase{"SizeSigned", a + " SIZE=+1", "501 5.5.4"}, SyntaxCase{"SizeNegative", a + " SIZE=-1", "501 5.5.4"},
        SyntaxCase{"SizeHex", a + " SIZE=0x10", "501 5.5.4"}, SyntaxCase{"SizeWithUnit", a + " SIZE=1k", "501 5.5.4"},
        SyntaxCase{"Body7Bit", a + " BODY=7BIT", "a@example.com"},
        SyntaxCase{"Body8Bit", a + " body=8bitmime", "a@example.com"},
        SyntaxCase{"BodyBinary", a + " BODY=BINARYMIME", "501 5.5.4"},
        SyntaxCase{"BodyEmpty", a + " BODY=", "501 5.5.4"}, SyntaxCase{"Utf8WithValue", a + " SMTPUTF8=1", "501 5.5.4"},
        SyntaxCase{"RetFull", a + " RET=FULL", "a@example.com"},
        SyntaxCase{"RetHeaders", a + " RET=hdrs", "a@example.com"},
        SyntaxCase{"RetOther", a + " RET=BODY", "501 5.5.4"},
        SyntaxCase{"Envid", a + " ENVID=QQ+2B1", "a@example.com envid QQ+2B1"},
        SyntaxCase{"EnvidEmpty", a + " ENVID=", "501 5.5.4"},
        SyntaxCase{"Envid100", a + " ENVID=" + std::string(100, 'x'), "a@example.com envid " + std::string(100, 'x')},
        SyntaxCase{"Envid101", a + " ENVID=" + std::string(101, 'x'), "501 5.5.4"},
        SyntaxCase{"EnvidBadXtext", a + " ENVID=a+2b", "501 5.5.4"},
        SyntaxCase{"AuthNull", a + " AUTH=<>", "a@example.com"},
        SyntaxCase{"AuthAddress", a + " AUTH=a+40example.com", "a@example.com"},
        SyntaxCase{"AuthBad", a + " AUTH=a=b", "501 5.5.4"},
        SyntaxCase{"All", a + "  RET=FULL   ENVID=x SIZE=1 BODY=8BITMIME SMTPUTF8",
                   "a@example.com size 1 utf8 envid x"},
        SyntaxCase{"Unknown", a + " FUTURE=1", "555 5.5.4"},
        SyntaxCase{"RcptsParameter", a + " NOTIFY=NEVER", "555 5.5.4"}, SyntaxCase{"NoKeyword", a + " =1", "555 5.5.4"},
        SyntaxCase{"Doubled", a + " RET=FULL RET=FULL", "501 5.5.4"},
        SyntaxCase{"DoubledInAnotherCase", a + " SIZE=1 size=1", "501 5.5.4"}),
    name_of);

class Rcpt : public testing::TestWithParam<SyntaxCase> {};
TEST_P(Rcpt, IsReadAsWritten) { EXPECT_EQ(outcome(parse_rcpt(GetParam().text, false)), GetParam().expected); }

const std::string b = "TO:<b@example.net>";

INSTANTIATE_TEST_SUITE_P(
    All, Rcpt,
    testing::Values(SyntaxCase{"Plain", b, "b@example.net failure delay"},
                    SyntaxCase{"AnyCase", "to:<B@Example.NET>", "B@Example.NET failure delay"},
                    SyntaxCase{"SourceRoute", "TO:<@one.example:b@example.net>", "b@example.net failure delay"},
                    SyntaxCase{"Null", "TO:<>", "553 5.1.3"}, SyntaxCase{"Postmaster", "TO:<Postmaster>", "553 5.1.3"},
                    SyntaxCase{"OtherKeyword", "FROM:<b@example.net>", "501 5.5.4"},
                    SyntaxCase{"NoBrackets", "TO:b@example.net", "501 5.5.4"},
                    SyntaxCase{"Literal", "TO:<b@[192.0.2.1]>", "553 5.1.2"},
                    SyntaxCase{"Unicode", "TO:<\xc3\xa9@example.net>", "553 5.6.7"},
                    SyntaxCase{"Never", b + " NOTIFY=NEVER", "b@example.net never said"},
                    SyntaxCase{"AllOthers", b + " NOTIFY=success,Failure,DELAY",
                               "b@example.net success failure delay said"},
                    SyntaxCase{"SuccessAlone", b + " NOTIFY=SUCCESS", "b@example.net success said"},
                    SyntaxCase{"TheDefaultSaid", b + " NOTIFY=FAILURE,DELAY", "b@example.net failure delay said"},
                    SyntaxCase{"NeverWithOthers", b + " NOTIFY=FAILURE,NEVER", "501 5.5.4"},
                    SyntaxCase{"NotifyEmpty", b + " NOTIFY=", "501 5.5.4"},
                    SyntaxCase{"NotifyWithoutValue", b + " NOTIFY", "501 5.5.4"},
                    SyntaxCase{"NotifyEmptyElement", b + " NOTIFY=SUCCESS,", "501 5.5.4"},
                    SyntaxCase{"NotifyOther", b + " NOTIFY=MAYBE", "501 5.5.4"},
                    SyntaxCase{"NotifyTwice", b + " NOTIFY=DELAY NOTIFY=DELAY", "501 5.5.4"},
                    SyntaxCase{"Orcpt", b + " ORCPT=rfc822;B+2Bx@example.net",
                               "b@example.net failure delay orcpt rfc822;B+2Bx@example.net"},
                    SyntaxCase{"Orcpt500", b + " ORCPT=rfc822;" + std::string(493, 'x'),
                               "b@example.net failure delay orcpt rfc822;" + std::string(493, 'x')},
                    SyntaxCase{"Orcpt501", b + " ORCPT=rfc822;" + std::string(494, 'x'), "501 5.5.4"},
                    SyntaxCase{"OrcptWithoutType", b + " ORCPT=b@example.net", "501 5.5.4"},
                    SyntaxCase{"OrcptEmptyType", b + " ORCPT=;b@example.net", "501 5.5.4"},
                    SyntaxCase{"OrcptBadXtext", b + " ORCPT=rfc822;b+4", "501 5.5.4"},
                    SyntaxCase{"OrcptBadType", b + " ORCPT=rfc=822;b", "501 5.5.4"},
                    SyntaxCase{"OrcptTypeIsNoAtom", b + " ORCPT=<rfc822>;b", "501 5.5.4"},
                    SyntaxCase{"OrcptOtherType", b + " ORCPT=x-fax;b", "b@example.net failure delay orcpt x-fax;b"},
                    SyntaxCase{"MailsParameter", b + " SIZE=1", "555 5.5.4"},
                    SyntaxCase{"Unknown", b + " FUTURE", "555 5.5.4"}),
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

class Xtext : public testing::TestWithParam<SyntaxCase> {};
TEST_P(Xtext, IsDecodedStrictly) {
  EXPECT_EQ(decode_xtext(GetParam().text).value_or("malformed"), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    All, Xtext,
    testing::Values(SyntaxCase{"Empty", "", ""}, SyntaxCase{"Plain", "abc<>;@!~", "abc<>;@!~"},
                    SyntaxCase{"Hex", "a+2Bb+3Dc", "a+b=c"}, SyntaxCase{"AnyOctet", "+00+FF", std::string("\0\xff", 2)},
                    SyntaxCase{"LowerHex", "+2b", "malformed"}, SyntaxCase{"HalfHex", "+2", "malformed"},
                    SyntaxCase{"NoHex", "+", "malformed"}, SyntaxCase{"NotHex", "+GG", "malformed"},
                    SyntaxCase{"Equals", "a=b", "malformed"}, SyntaxCase{"Blank", "a b", "malformed"},
                    SyntaxCase{"Control", "a\x01", "malformed"}, SyntaxCase{"EightBit", "\xc3\xa9", "malformed"},
                    SyntaxCase{"Delete", "\x7f", "malformed"}),
    name_of);

}  // namespace
}  // namespace sealpost::smtp
