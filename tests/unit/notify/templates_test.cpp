// SPDX-License-Identifier: Apache-2.0
// Layouts and words together: what an operator may put in their place, what stops the start, and that docs/templates.md
// tells of all of them.
#include "notify/templates.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <ostream>

#include "notify/template_table.h"
#include "tests/support/temp_dir.h"

namespace sealpost {
namespace {

NotifySettings settings(const std::string& language, const std::string& folder = {}) {
  NotifySettings settings;
  settings.language = language;
  settings.templates = folder;
  return settings;
}

class OperatorFolder : public testing::Test {
 protected:
  void write(const std::string& file, const std::string& content) {
    const auto path = dir.path() / file;
    std::filesystem::create_directories(path.parent_path());
    dir.write(file, content);
  }
  std::string folder() { return dir.path().string(); }
  test::TempDir dir;
};

TEST_F(OperatorFolder, ReplacesLayoutsStyleLogoAndWords) {
  write("button.html", "<b>{{label}} {{_try_again}} {{target}}</b>");
  write("style.css", "b { color: red; }");
  write("logo.svg", "<svg/>");
  write("languages/it.txt", "try_again = Riprovi");
  const auto templates = Templates::load(folder());
  ASSERT_TRUE(templates) << templates.error().public_text;
  EXPECT_EQ(templates->in("it").fill("button.html", {{"label", "<x>"}, {"target", "/t"}}).value(),
            "<b>&lt;x&gt; Riprovi /t</b>");
  EXPECT_EQ(templates->style(), "b { color: red; }");
  EXPECT_EQ(templates->logo()->content_type, "image/svg+xml");
  EXPECT_EQ(templates->logo()->octets, "<svg/>");
}

TEST_F(OperatorFolder, MayBeEmpty) {
  const auto templates = Templates::load(folder());
  ASSERT_TRUE(templates) << templates.error().public_text;
  EXPECT_FALSE(templates->logo());
  EXPECT_NE(templates->style().find("body {"), std::string::npos);
}

TEST_F(OperatorFolder, MustBeThere) {
  EXPECT_EQ(Templates::load(folder() + "/none").error().public_text, folder() + "/none: No such file or directory");
}

TEST_F(OperatorFolder, HasOneLogo) {
  write("logo.svg", "<svg/>");
  write("logo.png", "png");
  EXPECT_EQ(Templates::load(folder()).error().public_text, folder() + "/logo.svg: there is another logo beside it");
}

TEST_F(OperatorFolder, HoldsNoHugeFiles) {
  write("logo.png", std::string(1024 * 1024 + 1, 'x'));
  EXPECT_EQ(Templates::load(folder()).error().public_text, folder() + "/logo.png: larger than 1 MiB");
}

struct TemplatesBad {
  const char* name;
  const char* file;
  const char* content;
  const char* why;
};
void PrintTo(const TemplatesBad& bad, std::ostream* out) { *out << bad.name; }

class BadTemplate : public OperatorFolder, public testing::WithParamInterface<TemplatesBad> {};

TEST_P(BadTemplate, StopsTheStartWithFileLineAndReason) {
  write(GetParam().file, GetParam().content);
  const auto templates = load_templates(settings("en", folder()), {});
  ASSERT_FALSE(templates);
  EXPECT_EQ(templates.error().kind, ErrorKind::Invalid);
  EXPECT_EQ(templates.error().public_text, "notify.templates: " + folder() + "/" + GetParam().why);
}

INSTANTIATE_TEST_SUITE_P(
    Templates, BadTemplate,
    testing::Values(
        TemplatesBad{"UnknownFile", "notice.html", "", "notice.html: not the name of a template"},
        TemplatesBad{"HiddenFile", ".code.html.swp", "", ".code.html.swp: not the name of a template"},
        TemplatesBad{"UnknownVariable", "code.html", "\n\n{{adress}}", "code.html: line 3: unknown variable: adress"},
        TemplatesBad{"VariableOfAnotherLayout", "code.html", "{{password}}",
                     "code.html: line 1: unknown variable: password"},
        TemplatesBad{"VariableOfAnotherMail", "receipt.txt", "{{address}}\n{{code}}",
                     "receipt.txt: line 2: unknown variable: code"},
        TemplatesBad{"UnknownSentence", "code.html", "\n{{_nothing}}", "code.html: line 2: unknown sentence: _nothing"},
        TemplatesBad{"SentenceWithoutItsVariable", "code.html", "{{_key_intro}}",
                     "code.html: line 1: the sentence _key_intro needs {{address}}, unknown here"},
        TemplatesBad{"ValueAsMarkup", "key.html", "{{{address}}}",
                     "key.html: line 1: address is no markup: {{address}}"},
        TemplatesBad{"MarkupAsValue", "key.html", "{{problem}}", "key.html: line 1: problem is markup: {{{problem}}}"},
        TemplatesBad{"Unclosed", "code.html", "\n{{action", "code.html: line 2: unclosed {{"},
        TemplatesBad{"NoUtf8", "code.html", "\xff", "code.html: holds octets that are no UTF-8"},
        TemplatesBad{"Word", "languages/de.txt", "\nx = y", "languages/de.txt: line 2: unknown name: x"}),
    [](const auto& test) { return test.param.name; });

TEST(TemplateSettings, NameLanguagesThatThereAre) {
  EXPECT_TRUE(load_templates(settings("fr"), {{"example.com", {"JA"}}, {"example.net", {}}}));
  EXPECT_EQ(load_templates(settings("it"), {}).error().public_text,
            "notify.language: there are no words in this language: it");
  EXPECT_EQ(load_templates(settings("en"), {{"example.com", {"it"}}}).error().public_text,
            "recipient.domain.example.com.language: there are no words in this language: it");
}

TEST(Wordings, FillOnlyWithWhatTheTableNames) {
  const Templates templates = Templates::load({}).value();
  const Wording english = templates.in("en");
  EXPECT_TRUE(english.fill("button.html", {{"label", "x"}, {"target", "/"}}));
  for (const TemplateValues& values :
       {TemplateValues{{"label", "x"}}, TemplateValues{{"label", "x"}, {"target", "/"}, {"other", "y"}},
        TemplateValues{{"label", "x"}, {"other", "y"}}}) {
    const auto filled = english.fill("button.html", values);
    ASSERT_FALSE(filled);
    EXPECT_EQ(filled.error().kind, ErrorKind::Internal);
  }
  EXPECT_FALSE(english.fill("none.html", {}));
  EXPECT_FALSE(english.sentence("none"));
  EXPECT_FALSE(english.sentence("footer")) << "its variable has no value";
}

TEST(TemplateTable, HasARowForEveryFile) {
  std::set<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(SOURCE_DIR "/notify/templates")) {
    if (entry.path().extension() != ".css") files.insert(entry.path().filename());
  }
  std::set<std::string> rows;
  for (const auto& row : template_table()) rows.emplace(row.file);
  EXPECT_EQ(files, rows);
}

/// `| file | values | markup |`, each name in back-ticks.
std::string row_of(const TemplateRow& row) {
  const auto names = [](const std::vector<std::string_view>& all) {
    std::string text;
    for (const auto name : all) text += (text.empty() ? "`" : ", `") + std::string(name) + "`";
    return text.empty() ? std::string() : text + " ";
  };
  return "| `" + std::string(row.file) + "` | " + names(row.values) + "| " + names(row.markup) + "|";
}

TEST(TemplateDocuments, TellOfEveryLayoutAndItsVariables) {
  const std::string page = test::read_file(SOURCE_DIR "/docs/templates.md");
  std::size_t rows = 0;
  for (const auto& row : template_table()) {
    EXPECT_NE(page.find("\n" + row_of(row) + "\n"), std::string::npos) << row_of(row);
  }
  for (auto at = page.find("\n| `"); at != std::string::npos; at = page.find("\n| `", at + 1)) ++rows;
  const auto languages = Languages::load({}).value();
  std::size_t with_variables = 0;
  for (const auto& [name, variables] : languages.variables()) {
    if (variables.empty()) continue;
    ++with_variables;
    std::string list;
    for (const auto& variable : variables) list += (list.empty() ? "`" : ", `") + variable + "`";
    const std::string row = "| `" + name + "` | " + list + " |";
    EXPECT_NE(page.find("\n" + row + "\n"), std::string::npos) << row;
  }
  EXPECT_EQ(rows, template_table().size() + with_variables) << "and of no others";
}

}  // namespace
}  // namespace sealpost
