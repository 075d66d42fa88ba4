// SPDX-License-Identifier: Apache-2.0
// Addresses: what is no address, and the forms of those that are one.
#include "base/email_address.h"

#include <gtest/gtest.h>

#include <unordered_set>

#include "tests/support/fakes.h"

namespace sealpost {
namespace {

struct Wrong {
  const char* name;
  std::string text;
};
class WrongAddress : public ::testing::TestWithParam<Wrong> {};

TEST_P(WrongAddress, IsRefused) {
  const auto parsed = EmailAddress::parse(GetParam().text);
  ASSERT_FALSE(parsed) << parsed->directory_key();
  EXPECT_EQ(parsed.error().kind, ErrorKind::Invalid);
  EXPECT_FALSE(parsed.error().public_text.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Forms, WrongAddress,
    ::testing::Values(
        Wrong{"empty", ""}, Wrong{"no_at", "anna"}, Wrong{"only_at", "@"}, Wrong{"no_local", "@example.com"},
        Wrong{"ipv4_without_brackets", "anna@127.0.0.1"}, Wrong{"numeric_top", "anna@example.123"},
        Wrong{"no_domain", "anna@"}, Wrong{"two_ats", "anna@b@example.com"}, Wrong{"leading_dot", ".anna@example.com"},
        Wrong{"trailing_dot", "anna.@example.com"}, Wrong{"two_dots", "an..na@example.com"},
        Wrong{"blank_in_local", "an na@example.com"}, Wrong{"blank_before", " anna@example.com"},
        Wrong{"blank_behind", "anna@example.com "}, Wrong{"blank_in_domain", "anna@exam ple.com"},
        Wrong{"tab", "an\tna@example.com"}, Wrong{"cr_lf", "anna@example.com\r\nRCPT TO:<eve@example.org>"},
        Wrong{"lf_in_local", "an\nna@example.com"}, Wrong{"nul_in_local", std::string("an\0na@example.com", 17)},
        Wrong{"nul_in_domain", std::string("anna@example.com\0.evil.example", 30)},
        Wrong{"del", "an\x7fna@example.com"}, Wrong{"angles", "<anna@example.com>"},
        Wrong{"open_angle", "anna<@example.com"}, Wrong{"comma", "anna,eve@example.com"},
        Wrong{"semicolon", "anna;@example.com"}, Wrong{"colon", "anna:@example.com"},
        Wrong{"source_route", "@relay.example:anna@example.com"}, Wrong{"comment", "anna(x)@example.com"},
        Wrong{"comment_in_domain", "anna@example.com(x)"}, Wrong{"backslash", "an\\na@example.com"},
        Wrong{"bracket_local", "[anna]@example.com"}, Wrong{"ipv4_literal", "anna@[192.0.2.1]"},
        Wrong{"ipv6_literal", "anna@[IPv6:2001:db8::1]"}, Wrong{"trailing_domain_dot", "anna@example.com."},
        Wrong{"empty_label", "anna@example..com"}, Wrong{"leading_domain_dot", "anna@.example.com"},
        Wrong{"hyphen_first", "anna@-example.com"}, Wrong{"hyphen_last", "anna@example-.com"},
        Wrong{"underscore_domain", "anna@ex_ample.com"}, Wrong{"slash_domain", "anna@example.com/x"},
        Wrong{"percent_domain", "anna@example%2ecom"}, Wrong{"long_label", "anna@" + std::string(64, 'a') + ".example"},
        Wrong{"long_domain", "anna@" + std::string(63, 'a') + "." + std::string(63, 'b') + "." + std::string(63, 'c') +
                                 "." + std::string(62, 'd')},
        Wrong{"long_local", std::string(65, 'a') + "@example.com"}, Wrong{"open_quote", "\"anna@example.com"},
        Wrong{"empty_quote", "\"\"@example.com"}, Wrong{"text_behind_quote", "\"an\"na@example.com"},
        Wrong{"quote_in_middle", "an\"na\"@example.com"}, Wrong{"escaped_close", "\"anna\\\"@example.com"},
        Wrong{"control_in_quote", "\"an\rna\"@example.com"}, Wrong{"escaped_lf", "\"an\\\nna\"@example.com"},
        Wrong{"c1_control", "an\xc2\x85na@example.com"},
        Wrong{"c1_in_quotes",
              "\"an\xc2\x9b"
              "2Jna\"@example.com"},
        Wrong{"line_separator", "an\xe2\x80\xa8na@example.com"}, Wrong{"latin1", "ann\xe4@example.com"},
        Wrong{"overlong_utf8", "ann\xc0\xaf@example.com"}, Wrong{"bad_a_label", "anna@xn--\xc3\xa4.example"},
        Wrong{"idna_symbol", "anna@\xe2\x98\x83\xef\xbf\xbd.example"}),
    [](const auto& info) { return info.param.name; });

struct Form {
  const char* name;
  const char* text;
  const char* key;
  const char* ascii_domain;
  const char* san;
  bool utf8_san;
  bool fits;
  bool smtputf8;
  const char* folder;
};
class AddressForm : public ::testing::TestWithParam<Form> {};

TEST_P(AddressForm, AllForms) {
  const auto& form = GetParam();
  const auto parsed = EmailAddress::parse(form.text);
  ASSERT_TRUE(parsed) << parsed.error().public_text;
  EXPECT_EQ(parsed->text(), form.text);
  EXPECT_EQ(parsed->directory_key(), form.key);
  EXPECT_EQ(parsed->ascii_domain_form(), form.ascii_domain);
  EXPECT_EQ(parsed->san_value(), form.san);
  EXPECT_EQ(parsed->san_form() == EmailAddress::SanForm::SmtpUtf8Mailbox, form.utf8_san);
  EXPECT_EQ(parsed->fits_certificate(), form.fits);
  EXPECT_EQ(parsed->needs_smtputf8(), form.smtputf8);
  EXPECT_EQ(parsed->folder_name(), form.folder);
}

INSTANTIATE_TEST_SUITE_P(
    Forms, AddressForm,
    ::testing::Values(Form{"plain", "anna@example.com", "anna@example.com", "anna@example.com", "anna@example.com",
                           false, true, false, "anna@example.com"},
                      Form{"case", "Anna.B+Tag@EXAMPLE.Com", "anna.b+tag@example.com", "Anna.B+Tag@example.com",
                           "Anna.B+Tag@example.com", false, true, false, "Anna.B+Tag@example.com"},
                      Form{"needless_quotes", "\"Anna\"@example.com", "anna@example.com", "\"Anna\"@example.com",
                           "Anna@example.com", false, true, false, "Anna@example.com"},
                      Form{"needless_escapes", "\"\\A\\nna\"@example.com", "anna@example.com",
                           "\"\\A\\nna\"@example.com", "Anna@example.com", false, true, false, "Anna@example.com"},
                      Form{"blank", "\"Anna B\"@example.com", "anna b@example.com", "\"Anna B\"@example.com",
                           "Anna B@example.com", false, false, false, "Anna%20B@example.com"},
                      Form{"quoted_at", "\"a@b\"@example.com", "a@b@example.com", "\"a@b\"@example.com",
                           "a@b@example.com", false, false, false, "a@b@example.com"},
                      Form{"quoted_path", "\"../x\"@example.com", "../x@example.com", "\"../x\"@example.com",
                           "../x@example.com", false, false, false, "%2E.%2Fx@example.com"},
                      Form{"slash", "a/b@example.com", "a/b@example.com", "a/b@example.com", "a/b@example.com", false,
                           true, false, "a%2Fb@example.com"},
                      Form{"unicode_domain",
                           "anna@B\xc3\xbc"
                           "cher.example",
                           "anna@xn--bcher-kva.example", "anna@xn--bcher-kva.example", "anna@xn--bcher-kva.example",
                           false, true, true, "anna@xn--bcher-kva.example"},
                      Form{"a_label_domain", "anna@XN--BCHER-kva.example", "anna@xn--bcher-kva.example",
                           "anna@xn--bcher-kva.example", "anna@xn--bcher-kva.example", false, true, false,
                           "anna@xn--bcher-kva.example"},
                      Form{"unicode_local",
                           "J\xc3\xbcrgen@b\xc3\xbc"
                           "cher.example",
                           "j\xc3\xbcrgen@xn--bcher-kva.example", "J\xc3\xbcrgen@xn--bcher-kva.example",
                           "J\xc3\xbcrgen@b\xc3\xbc"
                           "cher.example",
                           true, true, true, "J%C3%BCrgen@xn--bcher-kva.example"},
                      Form{"sharp_s",
                           "anna@stra\xc3\x9f"
                           "e.example",
                           "anna@xn--strae-oqa.example", "anna@xn--strae-oqa.example", "anna@xn--strae-oqa.example",
                           false, true, true, "anna@xn--strae-oqa.example"},
                      Form{"symbols", "!#$%&'*+-/=?^_`{|}~@example.com", "!#$%&'*+-/=?^_`{|}~@example.com",
                           "!#$%&'*+-/=?^_`{|}~@example.com", "!#$%&'*+-/=?^_`{|}~@example.com", false, true, false,
                           "%21%23%24%25%26%27%2A+-%2F%3D%3F%5E_%60%7B%7C%7D%7E@example.com"},
                      Form{"one_label", "root@localhost", "root@localhost", "root@localhost", "root@localhost", false,
                           true, false, "root@localhost"}),
    [](const auto& info) { return info.param.name; });

TEST(EmailAddress, TakesTheLongestParts) {
  EXPECT_TRUE(EmailAddress::parse(std::string(64, 'a') + "@" + std::string(63, 'b') + ".example"));
}

TEST(EmailAddress, EqualityIsOfAddressesNotSpellings) {
  const auto address = [](const char* text) { return EmailAddress::parse(text).value(); };
  EXPECT_EQ(address("Anna@Example.com"), address("\"anna\"@EXAMPLE.COM"));
  EXPECT_EQ(address("a@b\xc3\xbc"
                    "cher.example"),
            address("a@xn--bcher-kva.example"));
  EXPECT_FALSE(address("anna@example.com") == address("an.na@example.com"));
  EXPECT_FALSE(address("anna+x@example.com") == address("anna@example.com"));
  EXPECT_FALSE(address("\xc3\x84@example.com") == address("\xc3\xa4@example.com"));  // ASCII case only
}

TEST(EmailAddress, TheKeyReadsBackToItself) {
  for (const auto* text : {"Anna@Example.com",
                           "J\xc3\xbcrgen@b\xc3\xbc"
                           "cher.example",
                           "a+b.c@example.com"}) {
    const auto once = EmailAddress::parse(text);
    ASSERT_TRUE(once);
    const auto twice = EmailAddress::parse(once->directory_key());
    ASSERT_TRUE(twice) << once->directory_key();
    EXPECT_EQ(twice->directory_key(), once->directory_key());
  }
}

/// What the parser accepts never carries octets that could end an SMTP command, a header field or a path component.
TEST(EmailAddress, NeverAcceptsWhatEndsALineOrAPath) {
  test::SeededRandom random(11);
  const std::string alphabet("ab.@\"\\ <>()[]\r\n\0/%\xc3\xa4\x7f-", 22);
  std::size_t accepted = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string text;
    for (const char c : random.octets(1 + static_cast<unsigned char>(random.octets(1)[0]) % 12)) {
      text += alphabet[static_cast<unsigned char>(c) % alphabet.size()];
    }
    if (i % 2 == 0) text += "@b.a";
    const auto parsed = EmailAddress::parse(text);
    if (!parsed) continue;
    ++accepted;
    ASSERT_EQ(parsed->text().find_first_of(std::string("\r\n\0\x7f", 4)), std::string::npos);
    ASSERT_EQ(parsed->folder_name().find('/'), std::string::npos);
    ASSERT_FALSE(parsed->folder_name().starts_with('.'));
    ASSERT_EQ(EmailAddress::parse(parsed->ascii_domain_form())->directory_key(), parsed->directory_key());
  }
  EXPECT_GT(accepted, 100U);
}

TEST(EmailAddress, PlainLocalPartsHaveNoRoomForASentence) {
  for (const char* text : {"anna@example.com", "a.b+c@example.com", "jürgen@example.com", "\"anna\"@example.com"}) {
    EXPECT_TRUE(EmailAddress::parse(text)->has_plain_local()) << text;
  }
  for (const char* text : {"\"a b\"@example.com", "\"a,b\"@example.com", "\"a..b\"@example.com", "a\u00a0b@example.com",
                           "a\u1680b@example.com", "a\u2000b@example.com", "a\u200ab@example.com",
                           "a\u202fb@example.com", "a\u205fb@example.com", "a\u3000b@example.com"}) {
    EXPECT_FALSE(EmailAddress::parse(text)->has_plain_local()) << text;
  }
}

}  // namespace
}  // namespace sealpost
