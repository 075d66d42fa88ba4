// SPDX-License-Identifier: Apache-2.0
// The sentences of every language: complete, with the variables of English, really translated, without markup; and what
// an operator may put over them.
#include "notify/languages.h"

#include <gtest/gtest.h>

#include <ostream>
#include <set>

#include "base/encoding.h"
#include "notify/language_file.h"
#include "tests/support/temp_dir.h"

namespace sealpost {
namespace {

using Written = std::map<std::string, WrittenSentence>;

Written read(const std::string& tag) {
  const auto parsed = parse_language_file(test::read_file(SOURCE_DIR "/notify/languages/" + tag + ".txt"));
  EXPECT_TRUE(parsed) << tag << ": " << parsed.error().public_text;
  return parsed ? *parsed : Written();
}

std::multiset<std::string> variables_in(const std::string& sentence) {
  std::multiset<std::string> names;
  const auto found = placeholders(sentence);
  EXPECT_TRUE(found) << sentence;
  if (!found) return names;
  for (const auto& placeholder : *found) names.insert(placeholder.name);
  return names;
}

class EveryLanguage : public testing::TestWithParam<const char*> {
 protected:
  const Written english = read("en");
  const Written own = read(GetParam());
};

TEST_P(EveryLanguage, HasEveryNameAndNoOther) {
  std::vector<std::string> wanted;
  std::vector<std::string> found;
  for (const auto& [name, sentence] : english) wanted.push_back(name);
  for (const auto& [name, sentence] : own) found.push_back(name);
  EXPECT_EQ(found, wanted);
}

TEST_P(EveryLanguage, UsesTheVariablesOfEnglish) {
  for (const auto& [name, sentence] : english) {
    EXPECT_EQ(variables_in(own.at(name).text), variables_in(sentence.text)) << name;
  }
}

TEST_P(EveryLanguage, HoldsNoMarkup) {
  for (const auto& [name, sentence] : own) {
    EXPECT_EQ(sentence.text.find_first_of("<>"), std::string::npos) << name;
    EXPECT_EQ(sentence.text.find("&amp;"), std::string::npos) << name;
  }
}

class Translation : public EveryLanguage {};

TEST_P(Translation, LeavesNoSentenceInEnglish) {
  // Names of programs, and words that are the same in both languages.
  const std::set<std::string> same = {"client_thunderbird", "client_evolution", "step_code", "step_import"};
  for (const auto& [name, sentence] : own) {
    if (!same.contains(name)) {
      EXPECT_NE(sentence.text, english.at(name).text) << name;
    }
  }
}

TEST_P(EveryLanguage, BeginsNoSentenceLikeTheLinesThatProgramsLookFor) {
  for (const auto& [name, sentence] : own) {
    EXPECT_FALSE(sentence.text.starts_with("Link:")) << name;
    EXPECT_FALSE(sentence.text.starts_with("Authentication code:")) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Languages, EveryLanguage, testing::Values("en", "de", "fr", "es", "ja"),
                         [](const auto& test) { return std::string(test.param); });

INSTANTIATE_TEST_SUITE_P(Languages, Translation, testing::Values("de", "fr", "es", "ja"),
                         [](const auto& test) { return std::string(test.param); });

TEST(Languages, OfEnglishMailsIsAscii) {
  for (const auto& [name, sentence] : read("en")) {
    const bool in_mails = name.starts_with("notification_") || name.starts_with("picked_up_") ||
                          name.starts_with("receipt_") || name.starts_with("somebody");
    if (in_mails) {
      EXPECT_TRUE(is_ascii(sentence.text)) << name;
    }
  }
}

TEST(Languages, AreFoundWhateverTheirCase) {
  const auto languages = Languages::load({}).value();
  EXPECT_EQ(languages.tags(), (std::vector<std::string>{"de", "en", "es", "fr", "ja"}));
  EXPECT_TRUE(languages.has("JA"));
  EXPECT_FALSE(languages.has("it"));
  EXPECT_EQ(languages.of("De").sentences.at("code_button"), "Weiter");
  EXPECT_EQ(languages.of("it").tag, "en");
}

TEST(Languages, TakeSingleSentencesOfTheOperator) {
  const auto languages =
      Languages::load({{"languages/de.txt", "code_button = Los"}, {"languages/en.txt", "code_button = Go"}}).value();
  EXPECT_EQ(languages.of("de").sentences.at("code_button"), "Los");
  EXPECT_EQ(languages.of("de").sentences.at("title_code"), "Ihre verschlüsselte E-Mail öffnen");
  EXPECT_EQ(languages.of("en").sentences.at("code_button"), "Go");
  EXPECT_EQ(languages.of("fr").sentences.at("code_button"), "Continuer");
}

TEST(Languages, MayBeNewAndAreThenEnglishWhereWordsAreMissing) {
  const auto languages = Languages::load({{"languages/pt-BR.txt", "code_button = Continuar"}}).value();
  EXPECT_EQ(languages.of("pt-br").tag, "pt-BR");
  EXPECT_EQ(languages.of("pt-BR").sentences.at("code_button"), "Continuar");
  EXPECT_EQ(languages.of("pt-BR").sentences.at("title_code"), "Open your encrypted mail");
}

struct LanguagesBad {
  const char* name;
  const char* file;
  const char* content;
  const char* why;
};
void PrintTo(const LanguagesBad& bad, std::ostream* out) { *out << bad.name; }

class BadLanguage : public testing::TestWithParam<LanguagesBad> {};

TEST_P(BadLanguage, IsRefusedWithFileAndLine) {
  const auto languages = Languages::load({{GetParam().file, GetParam().content}});
  ASSERT_FALSE(languages);
  EXPECT_EQ(languages.error().public_text, GetParam().why);
}

INSTANTIATE_TEST_SUITE_P(
    Languages, BadLanguage,
    testing::Values(LanguagesBad{"UnknownName", "languages/de.txt", "#\ncode_buton = x",
                                 "languages/de.txt: line 2: unknown name: code_buton"},
                    LanguagesBad{"UnknownVariable", "languages/de.txt", "footer = {{host}}",
                                 "languages/de.txt: line 1: unknown variable: host"},
                    LanguagesBad{"UnclosedBrace", "languages/it.txt", "#\n\nfooter = {{hostname",
                                 "languages/it.txt: line 3: unclosed {{"},
                    LanguagesBad{"Markup", "languages/it.txt", "footer = {{{hostname}}}",
                                 "languages/it.txt: line 1: only {{name}} may stand in a sentence"},
                    LanguagesBad{"Sentence", "languages/it.txt", "footer = {{_steps}}",
                                 "languages/it.txt: line 1: only {{name}} may stand in a sentence"},
                    LanguagesBad{"Malformed", "languages/it.txt", "footer",
                                 "languages/it.txt: line 1: not name = sentence"},
                    LanguagesBad{"OddFile", "languages/readme.md", "",
                                 "languages/readme.md: not the name of a language's file, such as languages/pt-BR.txt"},
                    LanguagesBad{"FolderInside", "languages/x/de.txt", "",
                                 "languages/x/de.txt: not the name of a language's file, such as languages/pt-BR.txt"}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace sealpost
