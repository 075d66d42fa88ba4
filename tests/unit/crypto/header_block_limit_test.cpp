// SPDX-License-Identifier: Apache-2.0
// How much header block is read, so that no message costs many times its size in fields.
#include <gtest/gtest.h>

#include <string>

#include "crypto/submitted_message.h"

namespace sealpost {
namespace {

constexpr std::size_t mebibyte = 1024UL * 1024;

std::string reason(const std::string& message) {
  const auto split = split_message(message);
  return split ? "read" : split.error().public_text;
}

/// A header block of that many octets, its empty line included.
std::string block_of(std::size_t octets) { return "A:" + std::string(octets - 6, 'x') + "\r\n\r\n"; }

std::string fields(std::size_t count) {
  std::string block;
  for (std::size_t i = 0; i < count; ++i) block += "a:\r\n";
  return block + "\r\n";
}

TEST(HeaderBlockLimit, AMebibyteIsRead) {
  const std::string message = block_of(mebibyte) + std::string(mebibyte, 'b');
  const auto split = split_message(message);
  ASSERT_TRUE(split) << split.error().public_text;
  EXPECT_EQ(split->body.size(), mebibyte) << "the body is not part of it";
}

TEST(HeaderBlockLimit, MoreIsRefusedInWords) {
  EXPECT_EQ(reason(block_of(mebibyte + 1)), "no empty line ends the header block within its first MiB");
  EXPECT_EQ(reason("From: " + std::string(20 * mebibyte, 'x') + "\r\n\r\nbody"),
            "no empty line ends the header block within its first MiB");
}

TEST(HeaderBlockLimit, FieldsAreCountedToo) {
  EXPECT_EQ(reason(fields(10'000)), "read");
  EXPECT_EQ(reason(fields(10'001)), "more than 10,000 fields in the header block");
}

}  // namespace
}  // namespace sealpost
