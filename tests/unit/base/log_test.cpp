// SPDX-License-Identifier: Apache-2.0
// The log: one line per event whatever the values hold, valid JSON, levels, and whole lines from many threads.
#include "base/log.h"

#include <Poco/JSON/Parser.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <thread>
#include <type_traits>

#include "base/encoding.h"
#include "base/secret.h"
#include "tests/support/fakes.h"
#include "tests/support/temp_dir.h"

namespace sealpost {
namespace {

static_assert(!std::is_constructible_v<LogField, std::string_view, Secret>);
static_assert(!std::is_constructible_v<LogField, std::string_view, WipedBuffer>);

class LogTest : public ::testing::Test {
 protected:
  LogTest() : descriptor_(open((dir_ / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600)) {}
  ~LogTest() override { close(descriptor_); }

  std::string text() { return test::read_file(dir_ / "log"); }

  test::TempDir dir_;
  test::ManualClock clock_{1'769'851'800'123};
  int descriptor_;
};

TEST_F(LogTest, WritesATextLine) {
  Log out(LogLevel::Info, LogFormat::Text, clock_, descriptor_);
  out.info("smtp.accepted", {{"message", "01ARYZ6S410000000000000000"}, {"recipients", 3}, {"reply", "250 ok"}});
  EXPECT_EQ(text(),
            "2026-01-31T09:30:00.123Z info smtp.accepted message=01ARYZ6S410000000000000000 recipients=3 "
            "reply=\"250 ok\"\n");
}

TEST_F(LogTest, WritesNothingBelowItsLevel) {
  Log out(LogLevel::Warning, LogFormat::Text, clock_, descriptor_);
  out.debug("a");
  out.info("b");
  EXPECT_EQ(text(), "");
  out.warning("c");
  out.error("d");
  EXPECT_EQ(text(), "2026-01-31T09:30:00.123Z warning c\n2026-01-31T09:30:00.123Z error d\n");
}

TEST_F(LogTest, AFailureNamesReasonAndDetail) {
  Log out(LogLevel::Info, LogFormat::Text, clock_, descriptor_);
  out.failure("x", Error::internal("row 7"), {{"message", "m"}});
  out.failure("y", Error::temporary("later"));
  EXPECT_EQ(text(),
            "2026-01-31T09:30:00.123Z error x message=m reason=\"internal error\" detail=\"row 7\"\n"
            "2026-01-31T09:30:00.123Z warning y reason=later\n");
}

struct LoggedValue {
  const char* name;
  std::string value;
  const char* text;
};
class LogValue : public LogTest, public ::testing::WithParamInterface<LoggedValue> {};

TEST_P(LogValue, StaysOneFieldOfOneTextLine) {
  Log out(LogLevel::Info, LogFormat::Text, clock_, descriptor_);
  out.info("e", {{"v", GetParam().value}});
  EXPECT_EQ(text(), std::string("2026-01-31T09:30:00.123Z info e v=") + GetParam().text + "\n");
}

TEST_P(LogValue, StaysOneJsonLine) {
  Log out(LogLevel::Info, LogFormat::Json, clock_, descriptor_);
  out.info("e", {{"v", GetParam().value}, {"n", -5}});
  const std::string line = text();
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  EXPECT_TRUE(is_utf8(line));
  const auto object = Poco::JSON::Parser().parse(line).extract<Poco::JSON::Object::Ptr>();
  EXPECT_EQ(object->getValue<std::string>("time"), "2026-01-31T09:30:00.123Z");
  EXPECT_EQ(object->getValue<std::string>("level"), "info");
  EXPECT_EQ(object->getValue<std::string>("event"), "e");
  EXPECT_EQ(object->getValue<int>("n"), -5);
  const auto value = object->getValue<std::string>("v");
  EXPECT_EQ(value, is_utf8(GetParam().value) ? GetParam().value : GetParam().text);
}

INSTANTIATE_TEST_SUITE_P(Values, LogValue,
                         ::testing::Values(LoggedValue{"plain", "abc", "abc"}, LoggedValue{"empty", "", "\"\""},
                                           LoggedValue{"blank", "a b", "\"a b\""},
                                           LoggedValue{"newline", "a\nb", "\"a\\x0ab\""},
                                           LoggedValue{"forged_line", "x\r\n2026-01-31T09:30:00.123Z error root",
                                                       "\"x\\x0d\\x0a2026-01-31T09:30:00.123Z error root\""},
                                           LoggedValue{"quote", "a\"b", "\"a\\\"b\""},
                                           LoggedValue{"backslash", "a\\b", "\"a\\\\b\""},
                                           LoggedValue{"equals", "a=b", "\"a=b\""},
                                           LoggedValue{"nul", std::string("a\0b", 3), "\"a\\x00b\""},
                                           LoggedValue{"escape", "\x1b[31m", "\"\\x1b[31m\""},
                                           LoggedValue{"c1_escape",
                                                       "a\xc2\x9b"
                                                       "2J",
                                                       "\"a\\xc2\\x9b2J\""},
                                           LoggedValue{"line_separator", "a\xe2\x80\xa8", "\"a\\xe2\\x80\\xa8\""},
                                           LoggedValue{"delete", "a\x7f", "\"a\\x7f\""},
                                           LoggedValue{"utf8", "j\xc3\xbcrgen", "j\xc3\xbcrgen"},
                                           LoggedValue{"latin1", "caf\xe9", "\"caf\\xe9\""}),
                         [](const auto& info) { return info.param.name; });

TEST_F(LogTest, LinesOfManyThreadsNeverMix) {
  Log out(LogLevel::Info, LogFormat::Text, clock_, descriptor_);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&out, t] {
        for (int i = 0; i < 200; ++i) out.info("e", {{"v", std::string(300, static_cast<char>('a' + t))}});
      });
    }
  }
  std::istringstream lines(text());
  std::string line;
  int count = 0;
  for (; std::getline(lines, line); ++count) {
    ASSERT_EQ(line.size(), std::string("2026-01-31T09:30:00.123Z info e v=").size() + 300);
    ASSERT_EQ(line.find_first_not_of(line.back(), line.size() - 300), std::string::npos);
  }
  EXPECT_EQ(count, 800);
}

}  // namespace
}  // namespace sealpost
