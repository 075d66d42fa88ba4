// SPDX-License-Identifier: Apache-2.0
// Tables: columns by characters, and on a terminal no line that is longer than it.
#include "relay/ctl/output.h"

#include <gtest/gtest.h>

#include <sstream>

namespace sealpost::ctl {
namespace {

std::string table(const std::vector<std::vector<std::string>>& rows, const std::optional<ScreenSize>& terminal) {
  std::ostringstream out;
  print_table(out, {"TO", "WITH"}, rows, terminal);
  return out.str();
}

TEST(Table, ColumnsAreAsWideAsTheirCharacters) {
  EXPECT_EQ(table({{"bücher", "a"}, {"abcdef", "b"}}, std::nullopt),
            "TO      WITH\n"
            "bücher  a\n"
            "abcdef  b\n");
}

TEST(Table, OnATerminalTheLastColumnEndsWithTheLine) {
  const std::string reply = "450 4.2.1 später, später";
  EXPECT_EQ(table({{"a", reply}}, ScreenSize{24, 20}), "TO  WITH\na   450 4.2.1 späte…\n");
  EXPECT_EQ(table({{"a", reply}}, ScreenSize{24, 200}), "TO  WITH\na   " + reply + "\n");
  EXPECT_EQ(table({{"a", reply}}, std::nullopt), "TO  WITH\na   " + reply + "\n") << "a file";
  EXPECT_EQ(table({{"a", reply}}, ScreenSize{24, 8}), "TO  WITH\na   " + reply + "\n") << "no room at all";
}

}  // namespace
}  // namespace sealpost::ctl
