// SPDX-License-Identifier: Apache-2.0
// How long an address list may be, so that none costs many times its size in memory.
#include <gtest/gtest.h>

#include <string>

#include "base/header_addresses.h"

namespace sealpost {
namespace {

std::string list_of(std::size_t count) {
  std::string text = "a@example.com";
  for (std::size_t i = 1; i < count; ++i) text += ",a@example.com";
  return text;
}

std::string reason(const std::string& text) {
  const auto list = parse_address_list(text);
  return list ? "read" : list.error().public_text;
}

TEST(AddressListLimits, AThousandAddressesAreRead) {
  const auto list = parse_address_list(list_of(1000));
  ASSERT_TRUE(list);
  EXPECT_EQ(list->size(), 1000U);
}

TEST(AddressListLimits, MoreAreRefusedInWords) {
  EXPECT_EQ(reason(list_of(1001)), "more than 1000 addresses");
  EXPECT_EQ(reason("Team: " + list_of(1001) + ";"), "more than 1000 addresses");
}

TEST(AddressListLimits, ANameHasAtMostAThousandWords) {
  std::string words;
  for (int i = 0; i < 996; ++i) words += "w ";
  EXPECT_EQ(reason(words + "<a@b.example>"), "not a well-formed address list") << "996 words and seven parts";
  EXPECT_EQ(reason(words.substr(8) + "<a@b.example>"), "read");
}

}  // namespace
}  // namespace sealpost
