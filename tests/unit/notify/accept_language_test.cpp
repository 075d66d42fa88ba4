// SPDX-License-Identifier: Apache-2.0
// Which language a reader gets, case by case (RFC 9110 section 12.5.4).
#include "notify/accept_language.h"

#include <gtest/gtest.h>

#include <ostream>

namespace sealpost {
namespace {

struct Wish {
  const char* name;
  const char* field;
  const char* chosen;
};
void PrintTo(const Wish& wish, std::ostream* out) { *out << wish.name; }

class AcceptLanguage : public testing::TestWithParam<Wish> {};

TEST_P(AcceptLanguage, Chooses) {
  EXPECT_EQ(choose_language(GetParam().field, {"de", "en", "es", "fr", "ja", "pt-BR"}, "es"), GetParam().chosen);
}

INSTANTIATE_TEST_SUITE_P(
    AcceptLanguage, AcceptLanguage,
    testing::Values(Wish{"Nothing", "", "es"}, Wish{"One", "de", "de"}, Wish{"Region", "ja-JP", "ja"},
                    Wish{"ScriptAndRegion", "de-Latn-CH", "de"}, Wish{"OtherCase", "DE-at", "de"},
                    Wish{"LanguageWithRegion", "pt-br", "pt-BR"}, Wish{"RegionThatIsNone", "pt-PT", "es"},
                    Wish{"OrderCounts", "fr,de", "fr"}, Wish{"WeightCountsMore", "fr;q=0.3, de;q=0.8, en;q=0.5", "de"},
                    Wish{"AsBrowsersSend", "nl-NL,nl;q=0.9,en-US;q=0.8,en;q=0.7", "en"},
                    Wish{"Zero", "de;q=0, fr;q=0.1", "fr"}, Wish{"OnlyZero", "de;q=0.000", "es"},
                    Wish{"Any", "nl, *;q=0.5", "es"}, Wish{"AnyAfterOne", "*;q=0.1, fr;q=0.2", "fr"},
                    Wish{"Spaces", " ja ; q=1.0 , de ; q=0.9", "ja"}, Wish{"BadWeight", "de;q=2, fr;q=0.1", "fr"},
                    Wish{"LongWeight", "de;q=0.1234, fr;q=0.1", "fr"}, Wish{"NoWeight", "de;q=, fr", "fr"},
                    Wish{"OtherParameter", "de;x=1, fr", "fr"}, Wish{"EmptyItems", ",,de,,", "de"},
                    Wish{"Rubbish", ";;;=,-,--", "es"}, Wish{"Prefix", "d", "es"}, Wish{"LongerWord", "deu", "es"}),
    [](const auto& test) { return test.param.name; });

TEST(AcceptLanguages, WithoutEndIsNotReadToItsEnd) {
  std::string field;
  for (int i = 0; i < 100; ++i) field += "nl,";
  EXPECT_EQ(choose_language(field + "de", {"de", "en"}, "en"), "en");
}

}  // namespace
}  // namespace sealpost
