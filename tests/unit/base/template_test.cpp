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

struct Case {
  const char* name;
  const char* text;
  TemplateKind kind;
  const char* filled;  ///< nothing for an error
};
void PrintTo(const Case& example, std::ostream* out) { *out << example.name; }

class TemplateCase : public testing::TestWithParam<Case> {};

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
    testing::Values(Case{"WithoutNames", "plain } text {", TemplateKind::Html, "plain } text {"},
                    Case{"TextAsItStands", "Hi {{name}}!", TemplateKind::Text, "Hi <b>\"A\" & 'B'</b>!"},
                    Case{"HtmlEscaped", "<a title=\"{{name}}\">", TemplateKind::Html,
                         "<a title=\"&lt;b&gt;&quot;A&quot; &amp; &#39;B&#39;&lt;/b&gt;\">"},
                    Case{"MarkupAsItStands", "{{{name}}}", TemplateKind::Html, "<b>\"A\" & 'B'</b>"},
                    Case{"Twice", "{{empty}}{{empty}}|{{empty}}", TemplateKind::Text, "|"},
                    Case{"ValueIsNoTemplate", "{{braces}}", TemplateKind::Text, "{{name}}"},
                    Case{"Sentence", "<p>{{_greeting}}</p>", TemplateKind::Html,
                         "<p>Hi &amp; bye, &lt;b&gt;&quot;A&quot; &amp; &#39;B&#39;&lt;/b&gt;!</p>"},
                    Case{"SentenceAsText", "{{_greeting}}", TemplateKind::Text, "Hi & bye, <b>\"A\" & 'B'</b>!"},
                    Case{"SentencesValueIsNoTemplate", "{{_quote}}", TemplateKind::Text, "{{name}}"},
                    Case{"NoSuchSentence", "{{_nothing}}", TemplateKind::Text, nullptr},
                    Case{"SentenceWithoutItsValue", "{{_lost}}", TemplateKind::Text, nullptr},
                    Case{"SentenceIsNoMarkup", "{{{_greeting}}}", TemplateKind::Html, nullptr},
                    Case{"MissingValue", "Hi {{nobody}}", TemplateKind::Text, nullptr},
                    Case{"NoName", "Hi {{}}", TemplateKind::Text, nullptr},
                    Case{"Unclosed", "Hi {{name", TemplateKind::Text, nullptr},
                    Case{"MarkupUnclosed", "Hi {{{name}}", TemplateKind::Html, nullptr}),
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
