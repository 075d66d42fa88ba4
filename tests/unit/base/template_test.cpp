// SPDX-License-Identifier: Apache-2.0
// Templates: what is escaped where, and that one which cannot be filled is an error rather than a page with holes.
#include "base/template.h"

#include <gtest/gtest.h>

#include <ostream>

namespace sealpost {
namespace {

const TemplateValues values = {{"name", "<b>\"A\" & 'B'</b>"}, {"empty", ""}, {"braces", "{{name}}"}};
const Sentences sentences = {
    {"greeting", "Hi & bye, {{name}}!"}, {"lost", "Where is {{nobody}}?"}, {"quote", "{{braces}}"}};

struct TemplateExample {
  const char* name;
  const char* text;
  TemplateKind kind;
  const char* filled;  ///< nothing for an error
};
void PrintTo(const TemplateExample& example, std::ostream* out) { *out << example.name; }

class TemplateCase : public testing::TestWithParam<TemplateExample> {};

TEST_P(TemplateCase, IsFilled) {
  const auto filled = fill(GetParam().text, GetParam().kind, values, sentences);
  ASSERT_EQ(filled.ok(), GetParam().filled != nullptr);
  if (filled) {
    EXPECT_EQ(*filled, GetParam().filled);
  } else {
    EXPECT_EQ(filled.error().kind, ErrorKind::Internal);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Template, TemplateCase,
    testing::Values(TemplateExample{"WithoutNames", "plain } text {", TemplateKind::Html, "plain } text {"},
                    TemplateExample{"TextAsItStands", "Hi {{name}}!", TemplateKind::Text, "Hi <b>\"A\" & 'B'</b>!"},
                    TemplateExample{"HtmlEscaped", "<a title=\"{{name}}\">", TemplateKind::Html,
                                    "<a title=\"&lt;b&gt;&quot;A&quot; &amp; &#39;B&#39;&lt;/b&gt;\">"},
                    TemplateExample{"MarkupAsItStands", "{{{name}}}", TemplateKind::Html, "<b>\"A\" & 'B'</b>"},
                    TemplateExample{"Twice", "{{empty}}{{empty}}|{{empty}}", TemplateKind::Text, "|"},
                    TemplateExample{"ValueIsNoTemplate", "{{braces}}", TemplateKind::Text, "{{name}}"},
                    TemplateExample{"Sentence", "<p>{{_greeting}}</p>", TemplateKind::Html,
                                    "<p>Hi &amp; bye, &lt;b&gt;&quot;A&quot; &amp; &#39;B&#39;&lt;/b&gt;!</p>"},
                    TemplateExample{"SentenceAsText", "{{_greeting}}", TemplateKind::Text,
                                    "Hi & bye, <b>\"A\" & 'B'</b>!"},
                    TemplateExample{"SentencesValueIsNoTemplate", "{{_quote}}", TemplateKind::Text, "{{name}}"},
                    TemplateExample{"NoSuchSentence", "{{_nothing}}", TemplateKind::Text, nullptr},
                    TemplateExample{"SentenceWithoutItsValue", "{{_lost}}", TemplateKind::Text, nullptr},
                    TemplateExample{"SentenceIsNoMarkup", "{{{_greeting}}}", TemplateKind::Html, nullptr},
                    TemplateExample{"MissingValue", "Hi {{nobody}}", TemplateKind::Text, nullptr},
                    TemplateExample{"NoName", "Hi {{}}", TemplateKind::Text, nullptr},
                    TemplateExample{"Unclosed", "Hi {{name", TemplateKind::Text, nullptr},
                    TemplateExample{"MarkupUnclosed", "Hi {{{name}}", TemplateKind::Html, nullptr}),
    [](const auto& test) { return test.param.name; });

TEST(Template, PlaceholdersAreToldWithTheirLines) {
  const auto found = placeholders("a {{one}}\n{{{two}}}\n\n{{_three}} {{one}}").value();
  ASSERT_EQ(found.size(), 4U);
  EXPECT_EQ(found[1].kind, Placeholder::Kind::Markup);
  EXPECT_EQ(found[1].line, 2U);
  EXPECT_EQ(found[2].kind, Placeholder::Kind::Sentence);
  EXPECT_EQ(found[2].name, "three");
  EXPECT_EQ(found[3].line, 4U);
  EXPECT_EQ(placeholders("\n{{one").error().public_text, "line 2: unclosed {{");
  EXPECT_EQ(placeholders("{{one two}}").error().public_text, "line 1: not a name between braces: one two");
}

}  // namespace
}  // namespace sealpost
