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

struct CompositionMailboxCase {
  const char* name;
  std::string text;
  std::string expected;
};
void PrintTo(const CompositionMailboxCase& form, std::ostream* out) { *out << form.name; }

class MailboxForm : public testing::TestWithParam<CompositionMailboxCase> {};
TEST_P(MailboxForm, IsReadOrRefused) { EXPECT_EQ(read(GetParam().text), GetParam().expected); }

const auto mailbox_name_of = [](const auto& test) { return test.param.name; };

INSTANTIATE_TEST_SUITE_P(
    Good, MailboxForm,
    testing::Values(
        CompositionMailboxCase{"Bare", "a@example.com", "|a@example.com"},
        CompositionMailboxCase{"Angles", "<a@example.com>", "|a@example.com"},
        CompositionMailboxCase{"Named", "Anna B. <a@example.com>", "Anna B.|a@example.com"},
        CompositionMailboxCase{"NoBlank", "Anna<a@example.com>", "Anna|a@example.com"},
        CompositionMailboxCase{"Blanks", "  Anna  B   <a@example.com>  ", "Anna  B|a@example.com"},
        CompositionMailboxCase{"BareBlanks", "  a@example.com ", "|a@example.com"},
        CompositionMailboxCase{"Quoted", "\"B, Anna\" <a@example.com>", "B, Anna|a@example.com"},
        CompositionMailboxCase{"QuotedEmpty", "\"\" <a@example.com>", "|a@example.com"},
        CompositionMailboxCase{"QuotedBlanks", "\" A \" <a@example.com>", " A |a@example.com"},
        CompositionMailboxCase{"QuotedEscapes", R"("a \"b\" \\ \c" <a@example.com>)", R"(a "b" \ c|a@example.com)"},
        CompositionMailboxCase{"QuotedAddress", "\"x@y <z@w>\" <a@example.com>", "x@y <z@w>|a@example.com"},
        CompositionMailboxCase{"Unicode", "J\u00fcrgen <j@b\u00fccher.example>", "J\u00fcrgen|j@b\u00fccher.example"},
        CompositionMailboxCase{"UnicodeLocal", "j\u00fcrgen@example.com", "|j\u00fcrgen@example.com"},
        CompositionMailboxCase{"QuotedLocal", "\"a b\"@example.com", "|\"a b\"@example.com"},
        CompositionMailboxCase{"QuotedLocalInAngles", "A <\"a b\"@example.com>", "A|\"a b\"@example.com"},
        CompositionMailboxCase{"CommentIsText", "Anna (CEO) <a@example.com>", "Anna (CEO)|a@example.com"},
        CompositionMailboxCase{"LooksEncoded", "=?utf-8?Q?x?= <a@example.com>", "=?utf-8?Q?x?=|a@example.com"},
        CompositionMailboxCase{"Brackets", "[x] <a@example.com>", "[x]|a@example.com"},
        CompositionMailboxCase{"Plus", "a+b.c=d@example.com", "|a+b.c=d@example.com"},
        CompositionMailboxCase{"CaseKept", "Anna@Example.COM", "|Anna@Example.COM"},
        CompositionMailboxCase{"LongName", std::string(320, 'x') + " <a@example.com>",
                               std::string(320, 'x') + "|a@example.com"}),
    mailbox_name_of);

INSTANTIATE_TEST_SUITE_P(
    Bad, MailboxForm,
    testing::Values(CompositionMailboxCase{"Empty", "", "refused"}, CompositionMailboxCase{"Blank", " ", "refused"},
                    CompositionMailboxCase{"NoAt", "anna", "refused"},
                    CompositionMailboxCase{"NameOnly", "Anna B", "refused"},
                    CompositionMailboxCase{"NoDomain", "a@", "refused"},
                    CompositionMailboxCase{"NoLocal", "@example.com", "refused"},
                    CompositionMailboxCase{"AtOnly", "@", "refused"},
                    CompositionMailboxCase{"TwoAts", "a@b@example.com", "refused"},
                    CompositionMailboxCase{"DotFirst", ".a@example.com", "refused"},
                    CompositionMailboxCase{"DotLast", "a.@example.com", "refused"},
                    CompositionMailboxCase{"TwoDots", "a..b@example.com", "refused"},
                    CompositionMailboxCase{"DomainDots", "a@example..com", "refused"},
                    CompositionMailboxCase{"DomainDotLast", "a@example.com.", "refused"},
                    CompositionMailboxCase{"DomainDotFirst", "a@.example.com", "refused"},
                    CompositionMailboxCase{"Hyphen", "a@-example.com", "refused"},
                    CompositionMailboxCase{"Underscore", "a@exa_mple.com", "refused"},
                    CompositionMailboxCase{"BlankInLocal", "a b@example.com", "refused"},
                    CompositionMailboxCase{"BlankInDomain", "a@exam ple.com", "refused"},
                    CompositionMailboxCase{"BlankAtAt", "a @example.com", "refused"},
                    CompositionMailboxCase{"BlankInAngles", "< a@example.com>", "refused"},
                    CompositionMailboxCase{"Literal", "a@[192.0.2.1]", "refused"},
                    CompositionMailboxCase{"Ipv4", "a@192.0.2.1", "refused"},
                    CompositionMailboxCase{"Ipv6", "a@[IPv6:::1]", "refused"},
                    CompositionMailboxCase{"EmptyAngles", "<>", "refused"},
                    CompositionMailboxCase{"NamedEmptyAngles", "Anna <>", "refused"},
                    CompositionMailboxCase{"Open", "Anna <a@example.com", "refused"},
                    CompositionMailboxCase{"Close", "a@example.com>", "refused"},
                    CompositionMailboxCase{"CloseOnly", ">", "refused"},
                    CompositionMailboxCase{"TwoAngles", "<<a@example.com>>", "refused"},
                    CompositionMailboxCase{"Behind", "<a@example.com> x", "refused"},
                    CompositionMailboxCase{"TwoAddresses", "<a@example.com> <b@example.com>", "refused"},
                    CompositionMailboxCase{"Comma", "a@example.com, b@example.com", "refused"},
                    CompositionMailboxCase{"ListInAngles", "A <a@example.com>, B <b@example.com>", "refused"},
                    CompositionMailboxCase{"ListWithinAngles", "A <a@example.com,b@example.com>", "refused"},
                    CompositionMailboxCase{"Semicolon", "a@example.com; b@example.com", "refused"},
                    CompositionMailboxCase{"Group", "team: a@example.com;", "refused"},
                    CompositionMailboxCase{"GroupInAngles", "team: A <a@example.com>", "refused"},
                    CompositionMailboxCase{"Route", "<@relay.example:a@example.com>", "refused"},
                    CompositionMailboxCase{"Mailto", "mailto:a@example.com", "refused"},
                    CompositionMailboxCase{"AddressAsName", "ceo@example.org <a@example.com>", "refused"},
                    CompositionMailboxCase{"CommentBehind", "a@example.com (Anna)", "refused"},
                    CompositionMailboxCase{"CommentInAngles", "<a@example.com(x)>", "refused"},
                    CompositionMailboxCase{"QuoteInName", "An\"na <a@example.com>", "refused"},
                    CompositionMailboxCase{"OpenQuote", "\"Anna <a@example.com>", "refused"},
                    CompositionMailboxCase{"QuoteOnly", "\" <a@example.com>", "refused"},
                    CompositionMailboxCase{"TextBehindQuote", "\"A\" B <a@example.com>", "refused"},
                    CompositionMailboxCase{"TwoQuoted", "\"A\" \"B\" <a@example.com>", "refused"},
                    CompositionMailboxCase{"EscapedEnd", R"("A\" <a@example.com>)", "refused"},
                    CompositionMailboxCase{"Backslash", R"(A\B <a@example.com>)", "refused"},
                    CompositionMailboxCase{"OpenQuotedLocal", "\"a@example.com", "refused"},
                    CompositionMailboxCase{"EmptyQuotedLocal", "\"\"@example.com", "refused"},
                    CompositionMailboxCase{"AngleInQuotedLocal", "<\"a<b\"@example.com>", "refused"},
                    CompositionMailboxCase{"LongLocal", std::string(65, 'x') + "@example.com", "refused"},
                    CompositionMailboxCase{"LongDomain", "a@" + std::string(64, 'x') + ".example", "refused"},
                    CompositionMailboxCase{"VeryLongDomain", "a@" + std::string(300, 'x'), "refused"},
                    CompositionMailboxCase{"LongName", std::string(321, 'x') + " <a@example.com>", "refused"},
                    CompositionMailboxCase{"Fold", "Anna\r\n <a@example.com>", "refused"},
                    CompositionMailboxCase{"Injection", "A\r\nBcc: e@x.example\r\nX: <a@example.com>", "refused"},
                    CompositionMailboxCase{"LineEndBehind", "a@example.com\r\n", "refused"},
                    CompositionMailboxCase{"LineEndInDomain", "<a@example.com\n>", "refused"},
                    CompositionMailboxCase{"Nul", std::string("a@example.com\0", 14), "refused"},
                    CompositionMailboxCase{"NulInName", std::string("A\0 <a@example.com>", 18), "refused"},
                    CompositionMailboxCase{"Tab", "\ta@example.com", "refused"},
                    CompositionMailboxCase{"TabInName", "A\tB <a@example.com>", "refused"},
                    CompositionMailboxCase{"Separator", "A\u2028 <a@example.com>", "refused"},
                    CompositionMailboxCase{"Latin1", "J\xfcrgen@example.com", "refused"}),
    mailbox_name_of);

}  // namespace
}  // namespace sealpost::submit
