// SPDX-License-Identifier: Apache-2.0
// The session against the golden dialogues in tests/data/smtp, however the client's octets are cut into pieces. After a
// change that is meant,
//   GOLDEN=write build/debug/bin/unit_relay --gtest_filter='*Dialogues*'
// writes the files anew; read the difference before it is committed.
#include "tests/unit/relay/smtp/dialogue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include "tests/support/temp_dir.h"

namespace sealpost::test {
namespace {

const std::string folder = TEST_DATA "/smtp";

std::vector<std::string> names() {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".dialogue") found.push_back(entry.path().stem());
  }
  std::sort(found.begin(), found.end());
  return found;
}

class Dialogues : public testing::TestWithParam<std::string> {
 protected:
  const std::string path = folder + "/" + GetParam() + ".dialogue";
  const std::string golden = read_file(path);
  const Dialogue dialogue = parse_dialogue(GetParam(), golden);
};

TEST_P(Dialogues, GoAsWritten) {
  const std::string played = play(dialogue, {});
  const char* const mode = std::getenv("GOLDEN");
  if (mode != nullptr && std::string(mode) == "write") {
    std::ofstream(path, std::ios::trunc) << played;
    return;
  }
  EXPECT_EQ(played, golden);
}

TEST_P(Dialogues, GoTheSameOctetByOctet) { EXPECT_EQ(play(dialogue, {Cut::Kind::EachOctet}), play(dialogue, {})); }

/// Every offset of short packets; of long ones every offset near their ends, and some between.
TEST_P(Dialogues, GoTheSameCutAnywhere) {
  const std::string whole = play(dialogue, {});
  const std::size_t longest = longest_packet(dialogue);
  for (std::size_t at = 1; at < longest; at += at < 700 || at + 40 > longest ? 1 : 397) {
    ASSERT_EQ(play(dialogue, {Cut::Kind::At, at}), whole) << "cut at " << at;
  }
}

/// RFC 2034: every 2xx, 4xx and 5xx but the greeting and what answers EHLO and HELO; its class is the reply code's (RFC
/// 3463).
TEST_P(Dialogues, CarryEnhancedCodes) {
  static const std::regex enhanced(R"(([245])\d\d[ -]([245])\.\d{1,3}\.\d{1,3} .+)");
  bool in_ehlo = false;
  std::istringstream in(golden);
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with("S: ") || line.starts_with("S: 3")) continue;
    const std::string reply = line.substr(3);
    EXPECT_LE(reply.size(), 510U) << "RFC 5321 section 4.5.3.1.5";
    if (reply == "250 relay.example.org" || reply.starts_with("220 relay.example.org ESMTP")) continue;
    in_ehlo = in_ehlo || reply == "250-relay.example.org";
    if (in_ehlo) {
      in_ehlo = !reply.starts_with("250 ");
      continue;
    }
    std::smatch match;
    EXPECT_TRUE(std::regex_match(reply, match, enhanced) && match[1] == match[2]) << reply;
  }
}

INSTANTIATE_TEST_SUITE_P(All, Dialogues, testing::ValuesIn(names()),
                         [](const auto& info) { return std::regex_replace(info.param, std::regex("-"), "_"); });

}  // namespace
}  // namespace sealpost::test
