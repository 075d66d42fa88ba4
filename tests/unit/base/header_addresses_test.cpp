// SPDX-License-Identifier: Apache-2.0
// Address lists of header fields: what is read, what is refused because two programs could read it differently, and
// mutations.
#include "base/header_addresses.h"

#include <gtest/gtest.h>

#include "tests/support/fakes.h"

namespace sealpost {
namespace {

/// "key; key", or "refused".
std::string read(std::string_view field_body) {
  const auto list = parse_address_list(field_body);
  if (!list) return "refused";
  std::string text;
  for (const auto& address : *list) text += (text.empty() ? "" : "; ") + address.directory_key();
  return text;
}

struct HeaderAddressesCase {
  const char* name;
  std::string field;
  const char* expected;
};
class AddressList : public ::testing::TestWithParam<HeaderAddressesCase> {};
TEST_P(AddressList, IsRead) { EXPECT_EQ(read(GetParam().field), GetParam().expected); }

INSTANTIATE_TEST_SUITE_P(
    Good, AddressList,
    ::testing::Values(
        HeaderAddressesCase{"bare", "anna@example.com", "anna@example.com"},
        HeaderAddressesCase{"angle", "<anna@example.com>", "anna@example.com"},
        HeaderAddressesCase{"named", " Anna B <Anna@Example.com>", "anna@example.com"},
        HeaderAddressesCase{"quoted_name", "\"B, Anna\" <anna@example.com>", "anna@example.com"},
        HeaderAddressesCase{"escaped_name", "\"a \\\"b\\\" c\" <anna@example.com>", "anna@example.com"},
        HeaderAddressesCase{"at_in_quotes", "\"ceo@example.org\" <anna@example.com>", "anna@example.com"},
        HeaderAddressesCase{"dot_in_phrase", "John Q. Public <jqp@example.com>", "jqp@example.com"},
        HeaderAddressesCase{"encoded_word", "=?utf-8?Q?J=C3=BCrgen?= <j@example.com>", "j@example.com"},
        HeaderAddressesCase{"utf8_name", "J\xc3\xbcrgen <j@example.com>", "j@example.com"},
        HeaderAddressesCase{"latin1_name", "J\xfcrgen <a@example.com>", "a@example.com"},
        HeaderAddressesCase{"latin1_in_quotes", "\"J\xfcrgen\" <a@example.com>", "a@example.com"},
        HeaderAddressesCase{"two", "a@example.com, B <b@example.com>", "a@example.com; b@example.com"},
        HeaderAddressesCase{"comment", "anna@example.com (Anna)", "anna@example.com"},
        HeaderAddressesCase{"nested_comment", "(a (b) \\) c) anna@example.com", "anna@example.com"},
        HeaderAddressesCase{"fold", "a@example.com,\r\n b@example.com", "a@example.com; b@example.com"},
        HeaderAddressesCase{"fold_in_quotes", "\"a\r\n b\" <a@example.com>", "a@example.com"},
        HeaderAddressesCase{"tab_fold_in_quotes", "\"a\r\n\tb\" <a@example.com>", "a@example.com"},
        HeaderAddressesCase{"blanks_in_angles", "A < a@example.com >", "a@example.com"},
        HeaderAddressesCase{"group", "Team: a@example.com, B <b@example.com>;", "a@example.com; b@example.com"},
        HeaderAddressesCase{"empty_group", "undisclosed-recipients:;", ""},
        HeaderAddressesCase{"group_and_more", "Team: a@example.com;, c@example.com", "a@example.com; c@example.com"},
        HeaderAddressesCase{"quoted_local", "\"a b\"@example.com", "a b@example.com"},
        HeaderAddressesCase{"empty", "", ""}, HeaderAddressesCase{"blank", "  ", ""}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Refused, AddressList,
    ::testing::Values(
        HeaderAddressesCase{"two_without_comma", "a@example.com b@example.com", "refused"},
        HeaderAddressesCase{"two_angles", "A <a@example.com> <b@example.com>", "refused"},
        HeaderAddressesCase{"angles_in_angles", "A <<a@example.com>>", "refused"},
        HeaderAddressesCase{"text_behind_angle", "A <a@example.com> b", "refused"},
        HeaderAddressesCase{"address_as_name", "ceo@example.org <a@example.com>", "refused"},
        HeaderAddressesCase{"address_behind", "<a@example.com> ceo@example.org", "refused"},
        HeaderAddressesCase{"source_route", "<@relay.example:a@example.com>", "refused"},
        HeaderAddressesCase{"source_routes", "<@x.example,@y.example:a@example.com>", "refused"},
        HeaderAddressesCase{"empty_angle", "A <>", "refused"}, HeaderAddressesCase{"lone_name", "Anna", "refused"},
        HeaderAddressesCase{"open_angle", "A <a@example.com", "refused"},
        HeaderAddressesCase{"close_angle", "a@example.com>", "refused"},
        HeaderAddressesCase{"open_quote", "\"A <a@example.com>", "refused"},
        HeaderAddressesCase{"open_comment", "a@example.com (x", "refused"},
        HeaderAddressesCase{"close_comment", "a@example.com )", "refused"},
        HeaderAddressesCase{"empty_first", ", a@example.com", "refused"},
        HeaderAddressesCase{"empty_last", "a@example.com,", "refused"},
        HeaderAddressesCase{"empty_middle", "a@example.com,,b@example.com", "refused"},
        HeaderAddressesCase{"lone_comma", ",", "refused"}, HeaderAddressesCase{"semicolon_alone", ";", "refused"},
        HeaderAddressesCase{"semicolon_as_comma", "a@example.com; b@example.com", "refused"},
        HeaderAddressesCase{"open_group", "Team: a@example.com", "refused"},
        HeaderAddressesCase{"nested_group", "A: B: a@example.com;;", "refused"},
        HeaderAddressesCase{"nameless_group", ": a@example.com;", "refused"},
        HeaderAddressesCase{"group_behind_group", "A: a@example.com; B: b@example.com;", "refused"},
        HeaderAddressesCase{"address_names_group", "ceo@example.org: a@example.com;", "refused"},
        HeaderAddressesCase{"blank_at", "a @example.com", "refused"},
        HeaderAddressesCase{"blank_in_domain", "a@example. com", "refused"},
        HeaderAddressesCase{"comment_in_address", "a(x)@example.com", "refused"},
        HeaderAddressesCase{"comment_splits_domain", "a@example.com(.evil.example)x", "refused"},
        HeaderAddressesCase{"literal", "a@[192.0.2.1]", "refused"},
        HeaderAddressesCase{"nul", std::string("a@example.com\0b", 15), "refused"},
        HeaderAddressesCase{"nul_in_quotes", std::string("\"a\0b\" <a@example.com>", 21), "refused"},
        HeaderAddressesCase{"nul_escaped", std::string("\"a\\\0b\" <a@example.com>", 22), "refused"},
        HeaderAddressesCase{"nul_in_comment", std::string("(a\0b) a@example.com", 19), "refused"},
        HeaderAddressesCase{"bare_lf", "a@example.com,\n b@example.com", "refused"},
        HeaderAddressesCase{"bare_cr", "a@example.com,\r b@example.com", "refused"},
        HeaderAddressesCase{"lf_in_quotes", "\"a\n b\" <a@example.com>", "refused"},
        HeaderAddressesCase{"lf_escaped", "\"a\\\nb\" <a@example.com>", "refused"},
        HeaderAddressesCase{"cr_in_quotes", "\"a\rb\" <a@example.com>", "refused"},
        HeaderAddressesCase{"lf_in_comment", "(a\nb) a@example.com", "refused"},
        HeaderAddressesCase{"lf_escaped_in_comment", "(a\\\nb) a@example.com", "refused"},
        HeaderAddressesCase{"crlf_without_blank", "a@example.com,\r\nb@example.com", "refused"},
        HeaderAddressesCase{"header_injection", "\"x\r\nBcc: eve@example.org\" <a@example.com>", "refused"},
        HeaderAddressesCase{"deep_comment", std::string(1000, '(') + std::string(1000, ')') + " a@example.com",
                            "refused"},
        HeaderAddressesCase{"escape_outside", "a\\b@example.com", "refused"}),
    [](const auto& info) { return info.param.name; });

TEST(HeaderAddresses, MutationsNeverCrashAndNeverInventAnAddress) {
  const std::string seed =
      "Team: \"B, Anna\" <anna@example.com>, (c (d)) J. Q. <\"q p\"@example.com>;,\r\n =?utf-8?Q?x?= <j@example.org>";
  const std::string alphabet("\"\\<>()[]:;@,. \t\r\n\0ax\xc3\xa4", 22);
  test::SeededRandom random(3);
  const auto number = [&] { return static_cast<unsigned char>(random.octets(1)[0]); };
  std::size_t accepted = 0;
  for (int i = 0; i < 50'000; ++i) {
    std::string text = seed;
    for (int change = number() % 4; change >= 0; --change) {
      const std::size_t at = number() % text.size();
      switch (number() % 3) {
        case 0:
          text[at] = alphabet[number() % alphabet.size()];
          break;
        case 1:
          text.erase(at, 1 + number() % 5);
          break;
        default:
          text.insert(at, 1, alphabet[number() % alphabet.size()]);
      }
      if (text.empty()) text = "a";
    }
    const auto list = parse_address_list(text);
    if (!list) continue;
    ++accepted;
    for (const auto& address : *list) {
      ASSERT_TRUE(EmailAddress::parse(address.text()));
      ASSERT_NE(text.find(address.text()), std::string::npos) << text;
    }
  }
  EXPECT_GT(accepted, 1000U);
}

}  // namespace
}  // namespace sealpost
