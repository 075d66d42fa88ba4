// SPDX-License-Identifier: Apache-2.0
// Who gets the process' descriptors when there are not enough for all.
#include "relay/descriptors.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace sealpost::test {
namespace {

TEST(Descriptors, EnoughForAllLowersNothing) {
  const auto shares = share_descriptors(8000, {5000, 2000}, 1000);
  EXPECT_EQ(shares.smtp, 5000U);
  EXPECT_EQ(shares.http, 2000U);
}

TEST(Descriptors, TooFewAreSharedInProportionBesideTheReserve) {
  const auto shares = share_descriptors(4500, {5000, 2000}, 1000);
  EXPECT_EQ(shares.smtp, 2500U);
  EXPECT_EQ(shares.http, 1000U);
}

TEST(Descriptors, TheReserveTakesAtMostHalfOfASmallLimit) {
  const auto shares = share_descriptors(140, {5000, 2000}, 1000);
  EXPECT_EQ(shares.smtp, 50U);
  EXPECT_EQ(shares.http, 20U);
}

TEST(Descriptors, WhoListensTakesAtLeastOne) {
  const auto shares = share_descriptors(10, {100'000, 1}, 1000);
  EXPECT_EQ(shares.http, 1U);
  EXPECT_EQ(share_descriptors(10, {100'000, 0}, 1000).http, 0U) << "nobody listens";
}

TEST(Descriptors, TheSoftLimitIsRaisedToTheHardOne) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit low{before.rlim_max / 2, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
  EXPECT_EQ(raise_descriptor_limit(), before.rlim_max);
  rlimit after{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &after), 0);
  EXPECT_EQ(after.rlim_cur, before.rlim_max);
  setrlimit(RLIMIT_NOFILE, &before);
}

}  // namespace
}  // namespace sealpost::test
