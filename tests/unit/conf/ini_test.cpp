// SPDX-License-Identifier: Apache-2.0
// The syntax of a settings file, above all what could be misread in silence.
#include "conf/ini.h"

#include <gtest/gtest.h>

namespace sealpost {
namespace {

/// "key=value;..." or "refused".
std::string read(const std::string& content) {
  const auto entries = parse_ini(content);
  if (!entries) return "refused";
  std::string text;
  for (const auto& entry : *entries) text += entry.key + "=" + entry.value + ";";
  return text;
}

struct Case {
  const char* name;
  const char* content;
  const char* expected;
};
class Ini : public ::testing::TestWithParam<Case> {};
TEST_P(Ini, IsRead) { EXPECT_EQ(read(GetParam().content), GetParam().expected); }
INSTANTIATE_TEST_SUITE_P(
    Forms, Ini,
    ::testing::Values(
        Case{"empty", "", ""}, Case{"section", "[a]\nb = c\n", "a.b=c;"}, Case{"no_blanks", "[a]\nb=c", "a.b=c;"},
        Case{"crlf", "[a]\r\nb = c\r\n", "a.b=c;"}, Case{"indented", "[a]\n  b = c\n", "a.b=c;"},
        Case{"comment", "# x\n[a]\n  # b = d\nb = c\n", "a.b=c;"},
        Case{"dotted_section", "[a.b.C]\nd = e", "a.b.C.d=e;"}, Case{"equals_in_value", "[a]\nb = c=d", "a.b=c=d;"},
        Case{"empty_value", "[a]\nb =\n", "a.b=;"}, Case{"quoted", "[a]\nb = \"c d\"\n", "a.b=c d;"},
        Case{"quoted_hash", "[a]\nb = \"c # d#\"\n", "a.b=c # d#;"},
        Case{"inner_quotes", "[a]\nb = \"X, Y\" <x@y>\n", "a.b=\"X, Y\" <x@y>;"},
        Case{"twice", "[a]\nb = c\nb = d\n", "a.b=c;a.b=d;"}, Case{"hash_behind_value", "[a]\nb = c # d\n", "refused"},
        Case{"hash_in_value", "[a]\nb = c#d\n", "refused"}, Case{"hash_as_value", "[a]\nb = #\n", "refused"},
        Case{"half_quoted_hash", "[a]\nb = \"c # d\n", "refused"},
        Case{"hash_behind_quotes", "[a]\nb = \"c\" # d\n", "refused"}, Case{"no_assignment", "[a]\nb\n", "refused"},
        Case{"control", "[a]\nb = c\x01\n", "refused"}),
    [](const auto& info) { return info.param.name; });

TEST(IniError, NamesTheLine) {
  const auto entries = parse_ini("[a]\n\nb = c # d\n");
  ASSERT_FALSE(entries);
  EXPECT_TRUE(entries.error().public_text.starts_with("line 3: a # behind a value")) << entries.error().public_text;
}

}  // namespace
}  // namespace sealpost
