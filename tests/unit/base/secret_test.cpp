// SPDX-License-Identifier: Apache-2.0
// Secret: nothing is copied, printed or compared by accident; randomness that fills it.
#include "base/secret.h"

#include <gtest/gtest.h>

#include <ostream>
#include <type_traits>

#include "base/random.h"
#include "tests/support/fakes.h"

namespace sealpost {
namespace {

template <class T>
concept Printable = requires(std::ostream& out, const T& value) {
  out << value;
};

static_assert(!std::is_copy_constructible_v<Secret> && !std::is_copy_assignable_v<Secret>);
static_assert(!std::is_convertible_v<Secret, std::string_view>);
static_assert(!Printable<Secret>);

TEST(Secret, RevealsWhatItWasGiven) {
  const Secret secret = Secret::copy_of(std::string_view("a\0b", 3));
  EXPECT_EQ(secret.reveal(), std::string_view("a\0b", 3));
  EXPECT_EQ(secret.size(), 3U);
  EXPECT_EQ(secret.data()[2], 'b');
  EXPECT_FALSE(secret.empty());
  EXPECT_TRUE(Secret().empty());
}

TEST(Secret, ComparesLengthAndOctets) {
  const Secret secret = Secret::copy_of("password");
  EXPECT_TRUE(secret.equals("password"));
  EXPECT_FALSE(secret.equals("passwore"));
  EXPECT_FALSE(secret.equals("passwor"));
  EXPECT_FALSE(secret.equals("password "));
  EXPECT_FALSE(secret.equals(""));
}

TEST(WipedBuffer, GrowsAndShows) {
  WipedBuffer buffer;
  append(buffer, "abc");
  append(buffer, std::string(1000, 'x'));
  EXPECT_EQ(view(buffer).substr(0, 4), "abcx");
  EXPECT_EQ(buffer.size(), 1003U);
}

TEST(Random, GivesAsManyOctetsAsAsked) {
  SystemRandom random;
  const std::string first = random.octets(32);
  const std::string second = random.octets(32);
  EXPECT_EQ(first.size(), 32U);
  EXPECT_NE(first, second);
  EXPECT_EQ(random.secret(16).size(), 16U);
  test::SeededRandom one(5);
  test::SeededRandom two(5);
  EXPECT_EQ(one.octets(40), two.octets(40));
}

}  // namespace
}  // namespace sealpost
