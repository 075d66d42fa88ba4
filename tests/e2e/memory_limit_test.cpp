// SPDX-License-Identifier: Apache-2.0
// relay.memory_limit bounds what the process takes, not only what it counts.
#include <gtest/gtest.h>

#include <array>
#include <barrier>
#include <string>
#include <thread>
#include <vector>

#include "tests/e2e/peak_memory.h"
#include "tests/e2e/relay_fixture.h"
#include "tests/e2e/submitter.h"
#include "tests/support/build.h"

namespace sealpost::test {
namespace {

// Sanitizers keep freed memory and shadows of their own, and take their time.
const std::size_t message_megabytes = sanitized() ? 4 : 20;
/// Fewer than six messages fit at once.
const std::size_t limit_megabytes = 15 * message_megabytes;
/// Program, libraries, thread stacks, TLS, deliveries.
constexpr std::size_t constant_megabytes = 64;

/// Sends a message up to its final dot, which waits for the other senders; the reply to the dot, or to what came first.
std::string send_but_the_dot(const RelayFixture& relay, const std::string& text, std::barrier<>& all_sent) {
  std::string answer;
  try {
    auto sender = Submitter::logged_in(relay);
    for (const char* command : {"MAIL FROM:<alice@example.com>", "RCPT TO:<bob@example.net>", "DATA"}) {
      answer = sender.say(command);
    }
    if (answer.starts_with("354")) sender.send(text);
    all_sent.arrive_and_wait();
    if (answer.starts_with("354")) answer = sender.say(".");
  } catch (const std::runtime_error& why) {
    all_sent.arrive_and_drop();
    answer = why.what();
  }
  return answer;
}

TEST(MemoryLimit, BoundsTheProcessWhileManySendLargeMailAtOnce) {
  RelayFixture relay(RelayFixture::Settings{{"relay.memory_limit", std::to_string(limit_megabytes) + "m"}});
  std::string text;
  while (text.size() < message_megabytes * 1'000'000) text += std::string(76, 'x') + "\r\n";
  const std::string large = message("x", text);
  std::array<std::string, 6> answers;
  {
    std::barrier all_sent(static_cast<std::ptrdiff_t>(answers.size()));
    std::vector<std::jthread> senders;
    for (auto& answer : answers) senders.emplace_back([&] { answer = send_but_the_dot(relay, large, all_sent); });
  }
  std::size_t accepted = 0;
  for (const auto& answer : answers) {
    EXPECT_TRUE(answer.starts_with("250") || answer.starts_with("452 4.3.1")) << answer;
    accepted += answer.starts_with("250") ? 1 : 0;
  }
  EXPECT_GT(accepted, 0U);
  EXPECT_LT(accepted, answers.size()) << "they do not fit all at once";
  EXPECT_EQ(relay.sealed_mail("bob@example.net", accepted).size(), accepted);
  const std::size_t peak = peak_megabytes(relay.pid());
  RecordProperty("peak_megabytes", std::to_string(peak));
  EXPECT_GT(peak, 0U);
  if (!sanitized()) {
    EXPECT_LT(peak, limit_megabytes + constant_megabytes);
  }
}

TEST(MemoryLimit, ThatIsTooSmallForTheLargestMessageIsToldAtTheStart) {
  RelayFixture relay(RelayFixture::Settings{{"relay.memory_limit", "20m"}, {"smtp.max_message_size", "10m"}});
  EXPECT_NE(relay.log().find("memory.limit_is_small"), std::string::npos);
}

}  // namespace
}  // namespace sealpost::test
