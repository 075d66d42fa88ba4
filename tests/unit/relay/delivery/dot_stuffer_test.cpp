// SPDX-License-Identifier: Apache-2.0
// Dot-stuffing must not depend on where the message is cut into pieces.
#include "relay/delivery/dot_stuffer.h"

#include <gtest/gtest.h>

#include <ostream>

namespace sealpost {
namespace {

struct DotStufferCase {
  const char* name;
  std::string message;
  std::string sent;
};
void PrintTo(const DotStufferCase& c, std::ostream* out) { *out << c.name; }

class DotStuffing : public ::testing::TestWithParam<DotStufferCase> {};

TEST_P(DotStuffing, IsTheSameWhereverTheMessageIsCut) {
  const auto& [name, message, sent] = GetParam();
  for (std::size_t first = 0; first <= message.size(); ++first) {
    for (std::size_t second = first; second <= message.size(); ++second) {
      DotStuffer stuffer;
      const std::string_view whole = message;
      std::string out = stuffer.update(whole.substr(0, first));
      out += stuffer.update(whole.substr(first, second - first));
      out += stuffer.update(whole.substr(second));
      ASSERT_EQ(out + stuffer.finish(), sent) << first << " " << second;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Messages, DotStuffing,
    ::testing::Values(DotStufferCase{"Plain", "a\r\nb\r\n", "a\r\nb\r\n.\r\n"}, DotStufferCase{"Empty", "", ".\r\n"},
                      DotStufferCase{"NoLastLineEnd", "a", "a\r\n.\r\n"},
                      DotStufferCase{"DotAlone", ".", "..\r\n.\r\n"},
                      DotStufferCase{"DotLine", "a\r\n.\r\nb\r\n", "a\r\n..\r\nb\r\n.\r\n"},
                      DotStufferCase{"DotFirst", ".a\r\n", "..a\r\n.\r\n"},
                      DotStufferCase{"TwoDots", "..\r\n", "...\r\n.\r\n"},
                      DotStufferCase{"DotInside", "a.b.\r\n", "a.b.\r\n.\r\n"},
                      DotStufferCase{"EmptyLines", "\r\n\r\n", "\r\n\r\n.\r\n"},
                      // What sealing never makes, but a server with lax line ends would read as the end of data.
                      DotStufferCase{"BareLineFeed", "a\n.\nb\r\n", "a\n..\nb\r\n.\r\n"}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace sealpost
