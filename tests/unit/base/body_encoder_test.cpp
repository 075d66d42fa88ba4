// SPDX-License-Identifier: Apache-2.0
// BodyEncoder: the same lines however the octets arrive, and those lines are what openssl's base64 writes.
#include "base/body_encoder.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "tests/support/fakes.h"
#include "tests/support/process.h"

namespace sealpost {
namespace {

/// to_base64 (tested with RFC 4648's vectors) cut into lines of 76.
std::string expected_lines(const std::string& octets) {
  const std::string text = to_base64(octets);
  std::string lines;
  for (std::size_t at = 0; at < text.size(); at += 76) lines += text.substr(at, 76) + "\r\n";
  return lines;
}

std::string encode_in_pieces(const std::string& octets, std::size_t piece) {
  BodyEncoder encoder;
  std::string out;
  for (std::size_t at = 0; at < octets.size(); at += piece) {
    const std::string lines = encoder.update(octets.substr(at, piece));
    EXPECT_TRUE(lines.empty() || lines.ends_with("\r\n")) << "a line was cut";
    out += lines;
  }
  out += encoder.finish();
  return out;
}

TEST(BodyEncoder, GivesTheSameLinesForEveryPieceSize) {
  test::SeededRandom random;
  const std::string octets = random.octets(57 * 5 + 20);
  const std::string expected = expected_lines(octets);
  for (std::size_t piece = 1; piece <= octets.size() + 1; ++piece) {
    ASSERT_EQ(encode_in_pieces(octets, piece), expected) << "pieces of " << piece;
  }
}

TEST(BodyEncoder, GivesTheSameLinesForEveryLength) {
  test::SeededRandom random;
  for (std::size_t size = 0; size < 57 * 4; ++size) {
    const std::string octets = random.octets(size);
    const std::string expected = expected_lines(octets);
    ASSERT_EQ(encode_in_pieces(octets, 13), expected) << size;
    ASSERT_EQ(encoded_size(size), expected.size()) << size;
  }
}

TEST(BodyEncoder, IsReadBackByOpenssl) {
  test::SeededRandom random;
  const std::string octets = random.octets(100'000);
  const auto decoded = test::run({"openssl", "base64", "-d"}, encode_in_pieces(octets, 4096));
  ASSERT_EQ(decoded.status, 0) << decoded.err;
  EXPECT_EQ(decoded.out, octets);
}

TEST(BodyEncoder, CanBeUsedAgainAfterItFinished) {
  BodyEncoder encoder;
  EXPECT_EQ(encoder.update("foo"), "");
  EXPECT_EQ(encoder.finish(), "Zm9v\r\n");
  EXPECT_EQ(encoder.finish(), "");
  EXPECT_EQ(encoder.update("foob"), "");
  EXPECT_EQ(encoder.finish(), "Zm9vYg==\r\n");
}

TEST(EncodedSize, DoesNotOverflowForLargeBodies) {
  EXPECT_EQ(encoded_size(57), 78U);
  EXPECT_EQ(encoded_size(57ULL * 1'000'000'000), 78ULL * 1'000'000'000);
}

}  // namespace
}  // namespace sealpost
