// SPDX-License-Identifier: Apache-2.0
// "Name <address>" as JSON has it: the forms that are taken, and those that two programs could read differently.
#include <gtest/gtest.h>

#include <ostream>

#include "relay/submit/composition_json.h"

namespace sealpost::submit {
namespace {

/// "name|address", or "refused".
std::string read(std::string_view text) {
  const auto mailbox = parse_mailbox(text);
  if (mailbox) return mailbox->name + "|" + mailbox->address.text();
  EXPECT_EQ(mailbox.error().kind, ErrorKind::Invalid);
  EXPECT_FALSE(mailbox.error().public_text.empty());
  return "refused";
}

struct Case {
  const char* name;
  std::string text;
  std::string expected;
};
void PrintTo(const Case& form, std::ostream* out) { *out << form.name; }

class MailboxForm : public testing::TestWithParam<Case> {};
TEST_P(MailboxForm, IsReadOrRefused) { EXPECT_EQ(read(GetParam().text), GetParam().expected); }

const auto name_of = [](const auto& test) { return test.param.name; };

INSTANTIATE_TEST_SUITE_P(
    Good, MailboxForm,
    testing::Values(Case{"Bare", "a@example.com", "|a@example.com"},
                    Case{"Angles", "<a@example.com>", "|a@example.com"},
                    Case{"Named", "Anna B. <a@example.com>", "Anna B.|a@example.com"},
                    Case{"NoBlank", "Anna<a@example.com>", "Anna|a@example.com"},
                    Case{"Blanks", "  Anna  B   <a@example.com>  ", "Anna  B|a@example.com"},
                    Case{"BareBlanks", "  a@example.com ", "|a@example.com"},
                    Case{"Quoted", "\"B, Anna\" <a@example.com>", "B, Anna|a@example.com"},
                    Case{"QuotedEmpty", "\"\" <a@example.com>", "|a@example.com"},
                    Case{"QuotedBlanks", "\" A \" <a@example.com>", " A |a@example.com"},
                    Case{"QuotedEscapes", R"("a \"b\" \\ \c" <a@example.com>)", R"(a "b" \ c|a@example.com)"},
                    Case{"QuotedAddress", "\"x@y <z@w>\" <a@example.com>", "x@y <z@w>|a@example.com"},
                    Case{"Unicode", "J\u00fcrgen <j@b\u00fccher.example>", "J\u00fcrgen|j@b\u00fccher.example"},
                    Case{"UnicodeLocal", "j\u00fcrgen@example.com", "|j\u00fcrgen@example.com"},
                    Case{"QuotedLocal", "\"a b\"@example.com", "|\"a b\"@example.com"},
                    Case{"QuotedLocalInAngles", "A <\"a b\"@example.com>", "A|\"a b\"@example.com"},
                    Case{"CommentIsText", "Anna (CEO) <a@example.com>", "Anna (CEO)|a@example.com"},
                    Case{"LooksEncoded", "=?utf-8?Q?x?= <a@example.com>", "=?utf-8?Q?x?=|a@example.com"},
                    Case{"Brackets", "[x] <a@example.com>", "[x]|a@example.com"},
                    Case{"Plus", "a+b.c=d@example.com", "|a+b.c=d@example.com"},
                    Case{"CaseKept", "Anna@Example.COM", "|Anna@Example.COM"},
                    Case{"LongName", std::string(320, 'x') + " <a@example.com>",
                         std::string(320, 'x') + "|a@example.com"}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    Bad, MailboxForm,
    testing::Values(
        Case{"Empty", "", "refused"}, Case{"Blank", " ", "refused"}, Case{"NoAt", "anna", "refused"},
        Case{"NameOnly", "Anna B", "refused"}, Case{"NoDomain", "a@", "refused"},
        Case{"NoLocal", "@example.com", "refused"}, Case{"AtOnly", "@", "refused"},
        Case{"TwoAts", "a@b@example.com", "refused"}, Case{"DotFirst", ".a@example.com", "refused"},
        Case{"DotLast", "a.@example.com", "refused"}, Case{"TwoDots", "a..b@example.com", "refused"},
        Case{"DomainDots", "a@example..com", "refused"}, Case{"DomainDotLast", "a@example.com.", "refused"},
        Case{"DomainDotFirst", "a@.example.com", "refused"}, Case{"Hyphen", "a@-example.com", "refused"},
        Case{"Underscore", "a@exa_mple.com", "refused"}, Case{"BlankInLocal", "a b@example.com", "refused"},
        Case{"BlankInDomain", "a@exam ple.com", "refused"}, Case{"BlankAtAt", "a @example.com", "refused"},
        Case{"BlankInAngles", "< a@example.com>", "refused"}, Case{"Literal", "a@[192.0.2.1]", "refused"},
        Case{"Ipv4", "a@192.0.2.1", "refused"}, Case{"Ipv6", "a@[IPv6:::1]", "refused"},
        Case{"EmptyAngles", "<>", "refused"}, Case{"NamedEmptyAngles", "Anna <>", "refused"},
        Case{"Open", "Anna <a@example.com", "refused"}, Case{"Close", "a@example.com>", "refused"},
        Case{"CloseOnly", ">", "refused"}, Case{"TwoAngles", "<<a@example.com>>", "refused"},
        Case{"Behind", "<a@example.com> x", "refused"},
        Case{"TwoAddresses", "<a@example.com> <b@example.com>", "refused"},
        Case{"Comma", "a@example.com, b@example.com", "refused"},
        Case{"ListInAngles", "A <a@example.com>, B <b@example.com>", "refused"},
        Case{"ListWithinAngles", "A <a@example.com,b@example.com>", "refused"},
        Case{"Semicolon", "a@example.com; b@example.com", "refused"}, Case{"Group", "team: a@example.com;", "refused"},
        Case{"GroupInAngles", "team: A <a@example.com>", "refused"},
        Case{"Route", "<@relay.example:a@example.com>", "refused"}, Case{"Mailto", "mailto:a@example.com", "refused"},
        Case{"AddressAsName", "ceo@example.org <a@example.com>", "refused"},
        Case{"CommentBehind", "a@example.com (Anna)", "refused"},
        Case{"CommentInAngles", "<a@example.com(x)>", "refused"},
        Case{"QuoteInName", "An\"na <a@example.com>", "refused"},
        Case{"OpenQuote", "\"Anna <a@example.com>", "refused"}, Case{"QuoteOnly", "\" <a@example.com>", "refused"},
        Case{"TextBehindQuote", "\"A\" B <a@example.com>", "refused"},
        Case{"TwoQuoted", "\"A\" \"B\" <a@example.com>", "refused"},
        Case{"EscapedEnd", R"("A\" <a@example.com>)", "refused"},
        Case{"Backslash", R"(A\B <a@example.com>)", "refused"}, Case{"OpenQuotedLocal", "\"a@example.com", "refused"},
        Case{"EmptyQuotedLocal", "\"\"@example.com", "refused"},
        Case{"AngleInQuotedLocal", "<\"a<b\"@example.com>", "refused"},
        Case{"LongLocal", std::string(65, 'x') + "@example.com", "refused"},
        Case{"LongDomain", "a@" + std::string(64, 'x') + ".example", "refused"},
        Case{"VeryLongDomain", "a@" + std::string(300, 'x'), "refused"},
        Case{"LongName", std::string(321, 'x') + " <a@example.com>", "refused"},
        Case{"Fold", "Anna\r\n <a@example.com>", "refused"},
        Case{"Injection", "A\r\nBcc: e@x.example\r\nX: <a@example.com>", "refused"},
        Case{"LineEndBehind", "a@example.com\r\n", "refused"}, Case{"LineEndInDomain", "<a@example.com\n>", "refused"},
        Case{"Nul", std::string("a@example.com\0", 14), "refused"},
        Case{"NulInName", std::string("A\0 <a@example.com>", 18), "refused"}, Case{"Tab", "\ta@example.com", "refused"},
        Case{"TabInName", "A\tB <a@example.com>", "refused"}, Case{"Separator", "A\u2028 <a@example.com>", "refused"},
        Case{"Latin1", "J\xfcrgen@example.com", "refused"}),
    name_of);

}  // namespace
}  // namespace sealpost::submit
