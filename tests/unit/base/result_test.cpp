// SPDX-License-Identifier: Apache-2.0
// Result and Status: each holds exactly one side, and reading the other one ends the process.
#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>

namespace sealpost {
namespace {

TEST(Result, HoldsAValue) {
  Result<std::string> result(std::string("x"));
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(*result, "x");
  EXPECT_EQ(result->size(), 1U);
  EXPECT_EQ(std::move(result).value(), "x");
}

TEST(Result, HoldsAnError) {
  const Result<int> result(Error::not_found("no such thing", "row 7"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::NotFound);
  EXPECT_EQ(result.error().public_text, "no such thing");
  EXPECT_EQ(result.error().internal_detail, "row 7");
}

TEST(Result, CarriesMoveOnlyValues) {
  Result<std::unique_ptr<int>> result(std::make_unique<int>(3));
  ASSERT_TRUE(result);
  const std::unique_ptr<int> taken = *std::move(result);
  EXPECT_EQ(*taken, 3);
}

TEST(Result, AnInternalErrorTellsThePeerNothing) {
  const Error error = Error::internal("path /secret");
  EXPECT_EQ(error.kind, ErrorKind::Internal);
  EXPECT_EQ(error.public_text, "internal error");
}

TEST(Status, IsSuccessUnlessAnErrorWasGiven) {
  EXPECT_TRUE(Status().ok());
  const Status failed = Error::temporary("later");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::Temporary);
}

TEST(ResultDeathTest, ReadingTheWrongSideAborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH((void)Result<int>(Error::invalid("x")).value(), "");
  EXPECT_DEATH((void)Result<int>(1).error(), "");
  EXPECT_DEATH((void)Status().error(), "");
}

}  // namespace
}  // namespace sealpost
