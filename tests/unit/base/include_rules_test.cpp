// SPDX-License-Identifier: Apache-2.0
// The shape of the source tree: includes follow the table of folders, raw frees stand in the adapters only, files say
// whose they are and stay of a size that is read in one go.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>

namespace sealpost {
namespace {

namespace fs = std::filesystem;

using Rules = std::map<std::string, std::set<std::string>>;

/// Whom each folder may include besides itself.
const Rules& rules() {
  static const Rules table = {{"base", {}},
                              {"conf", {"base"}},
                              {"crypto", {"base", "conf"}},
                              {"queue", {"base", "conf"}},
                              {"notify", {"base", "conf", "crypto", "queue"}},
                              {"relay", {"base", "conf", "crypto", "queue", "notify"}}};
  return table;
}

/// The folders that lines of the form #include "folder/..." name.
std::set<std::string> included_folders(const std::string& line) {
  static const std::regex include(R"re(^\s*#\s*include\s+"([A-Za-z_]+)/)re");
  std::smatch match;
  if (std::regex_search(line, match, include)) return {match[1]};
  return {};
}

/// A raw free that is not the one call inside a deleter's operator().
bool frees_by_hand(const std::string& line) {
  static const std::regex free(
      R"(\b[A-Z][A-Za-z0-9_]*_free(_all)?\s*\(|\bidn2_free\b|\bfreeReplyObject\b|\bredisFree\b)");
  static const std::regex deleter(R"(^\s*void operator\(\)\()");
  return std::regex_search(line, free) && !std::regex_search(line, deleter);
}

template <class Visit>
std::size_t for_each_line(const std::string& folder, Visit visit) {
  std::size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(SOURCE_DIR) / folder)) {
    const auto extension = entry.path().extension();
    if (!entry.is_regular_file() || (extension != ".cpp" && extension != ".h")) continue;
    ++files;
    std::ifstream file(entry.path());
    const std::string name = fs::relative(entry.path(), SOURCE_DIR).string();
    std::string line;
    for (int number = 1; std::getline(file, line); ++number) visit(name, number, line);
  }
  return files;
}

class SourceFolder : public ::testing::TestWithParam<Rules::value_type> {};

TEST_P(SourceFolder, IncludesOnlyWhatItMay) {
  const auto& [folder, allowed] = GetParam();
  const auto files = for_each_line(folder, [&](const std::string& name, int number, const std::string& line) {
    for (const auto& other : included_folders(line)) {
      EXPECT_TRUE(other == folder || allowed.contains(other))
          << name << ":" << number << ": " << folder << "/ must not include " << other << "/";
    }
  });
  EXPECT_GT(files, 3U);
}

TEST_P(SourceFolder, FreesNothingByHand) {
  for_each_line(GetParam().first, [&](const std::string& name, int number, const std::string& line) {
    const bool adapter = name == "base/openssl.h" || name.starts_with("base/redis/");
    EXPECT_TRUE(adapter || !frees_by_hand(line)) << name << ":" << number << ": " << line;
  });
}

TEST_P(SourceFolder, EachFileBeginsWithItsLicence) {
  for_each_line(GetParam().first, [&](const std::string& name, int number, const std::string& line) {
    if (number == 1) {
      EXPECT_EQ(line, "// SPDX-License-Identifier: Apache-2.0") << name;
    }
    if (number == 2) {
      EXPECT_TRUE(line.starts_with("// ")) << name << ": says nothing of its purpose";
    }
  });
}

INSTANTIATE_TEST_SUITE_P(Folders, SourceFolder, ::testing::ValuesIn(rules().begin(), rules().end()),
                         [](const auto& info) { return info.param.first; });

constexpr int longest_file = 600;

TEST(SourceRules, NoFileIsLongerThanIsReadInOneGo) {
  for (const char* folder : {"base", "conf", "crypto", "queue", "notify", "relay", "tests"}) {
    for_each_line(folder, [](const std::string& name, int number, const std::string&) {
      EXPECT_NE(number, longest_file + 1) << name << " has more than " << longest_file << " lines";
    });
  }
}

TEST(SourceRules, TestsAndScriptsBeginWithTheirLicence) {
  const auto files = for_each_line("tests", [](const std::string& name, int number, const std::string& line) {
    if (number == 1) {
      EXPECT_EQ(line, "// SPDX-License-Identifier: Apache-2.0") << name;
    }
    if (number == 2) {
      EXPECT_TRUE(line.starts_with("// ")) << name << ": says nothing of its purpose";
    }
  });
  EXPECT_GT(files, 30U);
  for (const char* name : {".ci/run", "conf/bootstrap.sh", "conf/demo.sh", "conf/pickup.sh", "tests/run.sh",
                           "tests/tidy.sh", "tests/e2e/demo_test.sh"}) {
    std::ifstream file(fs::path(SOURCE_DIR) / name);
    std::string shebang;
    std::string licence;
    std::getline(file, shebang);
    std::getline(file, licence);
    EXPECT_EQ(shebang, "#!/usr/bin/env bash") << name;
    EXPECT_EQ(licence, "# SPDX-License-Identifier: Apache-2.0") << name;
  }
}

TEST(SourceRules, SeeWhatTheyLookFor) {
  EXPECT_EQ(included_folders("#include \"relay/daemon.h\""), std::set<std::string>{"relay"});
  EXPECT_EQ(included_folders("  # include \"queue/keys.h\"  // why"), std::set<std::string>{"queue"});
  EXPECT_TRUE(included_folders("#include <openssl/evp.h>").empty());
  EXPECT_TRUE(frees_by_hand("  X509_free(certificate);"));
  EXPECT_TRUE(frees_by_hand("BIO_free_all (bio);"));
  EXPECT_TRUE(frees_by_hand("freeReplyObject(reply);"));
  EXPECT_FALSE(frees_by_hand("bool is_free() const;"));
  EXPECT_FALSE(frees_by_hand("  void operator()(char* text) const { idn2_free(text); }"));
}

}  // namespace
}  // namespace sealpost
