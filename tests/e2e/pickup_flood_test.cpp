// SPDX-License-Identifier: Apache-2.0
// Ten thousand wrong codes from as many networks, against one link and against many: none opens anything, the honest
// recipient gets in by a new code, and mail is taken as before.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <iostream>
#include <thread>

#include "tests/e2e/relay_fixture.h"
#include "tests/e2e/submitter.h"
#include "tests/support/build.h"

namespace sealpost::test {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int links = 20;
constexpr int guessers = 8;
/// Under a sanitizer many times slower, and nothing that it sees hangs on the number.
const int guesses_each = sanitized() ? 125 : 1250;
constexpr int mails = 60;

std::string mailbox(int number) { return "bob" + std::to_string(number) + "@example.net"; }

/// A client network of its own for each guess, as a trusted proxy would tell it.
std::map<std::string, std::string> from_network(int number) {
  const std::string address = "11." + std::to_string(number >> 16) + "." + std::to_string((number >> 8) & 255) + "." +
                              std::to_string(number & 255);
  return {{"X-Forwarded-For", address}, {"X-Forwarded-Proto", "https"}};
}

std::string code_body(const std::string& code) { return R"({"code":")" + code + "\"}"; }

/// In the form of a code, and none that was given out.
std::string guess(int number) {
  std::string digits = std::to_string(number);
  digits.insert(0, 8 - digits.size(), '0');
  return "ZZZZ-" + digits.substr(0, 4) + "-" + digits.substr(4);
}

class PickupFlood : public testing::Test {
 protected:
  void SetUp() override {
    auto sender = Submitter::logged_in(relay);
    for (int i = 0; i < links; ++i) {
      ASSERT_TRUE(sender.submit("alice@example.com", {mailbox(i)}, message("x", "y")).starts_with("250"));
    }
    for (int i = 0; i < links; ++i) {
      const auto notices = relay.notifications(mailbox(i), 1);
      ASSERT_EQ(notices.size(), 1U) << i;
      tokens.push_back(read_notification(notices[0]).token);
    }
  }

  /// How long it takes to have so many messages accepted.
  std::chrono::milliseconds submit_mails() {
    auto sender = Submitter::logged_in(relay);
    const auto begin = Clock::now();
    for (int i = 0; i < mails; ++i) {
      EXPECT_TRUE(sender.submit("alice@example.com", {mailbox(0)}, message("x", "y")).starts_with("250"));
    }
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin);
  }

  /// The same while as many clients are busy.
  template <class Work>
  std::chrono::milliseconds submit_mails_beside(Work work) {
    std::vector<std::jthread> threads;
    for (int i = 0; i < guessers; ++i) threads.emplace_back([i, work] { work(i); });
    return submit_mails();
  }

  /// As many calls as there are guesses, that ask for nothing.
  void ask_for_nothing() {
    for (int i = 0; i < guesses_each; ++i) EXPECT_EQ(relay.http("GET", "/healthz").status, 200);
  }

  /// Half of the guesses go to the first link, the others to all.
  void guess_all(int guesser) {
    for (int i = 0; i < guesses_each; ++i) {
      const int number = guesser * guesses_each + i;
      const auto& token = tokens[i % 2 == 0 ? 0 : static_cast<std::size_t>(number) % tokens.size()];
      const auto answer =
          relay.http("POST", "/v1/pickup/" + token + "/session", code_body(guess(number)), from_network(number));
      switch (answer.status) {
        case 403:
          ++looked_at;
          break;
        case 423:
        case 429:
          ++turned_away;
          break;
        default:
          ++others;
      }
    }
  }

  /// Goes on at the first link, waiting as told: a short flood ends before the delays let five codes be looked at.
  int guess_until_locked() {
    const auto patience = Clock::now() + std::chrono::seconds(60);
    for (int number = guessers * guesses_each;; ++number) {
      const auto answer =
          relay.http("POST", "/v1/pickup/" + tokens[0] + "/session", code_body(guess(number)), from_network(number));
      if (answer.status == 423 || Clock::now() > patience) return answer.status;
      if (answer.status == 429) {
        std::this_thread::sleep_for(std::chrono::seconds(std::stoi(answer.fields.at("retry-after"))));
      }
    }
  }

  RelayFixture relay{RelayFixture::Settings{{"crypto.key_type", "p256"},
                                            {"http.public_url", "https://relay.example.org"},
                                            {"http.trusted_proxies", "127.0.0.1"}}};
  std::vector<std::string> tokens;
  std::atomic<int> looked_at{0};
  std::atomic<int> turned_away{0};
  std::atomic<int> others{0};
};

TEST_F(PickupFlood, OpensNothingAndHoldsNobodyUp) {
  const auto alone = submit_mails();
  const auto beside_nothing = submit_mails_beside([this](int) { ask_for_nothing(); });
  const auto begin = Clock::now();
  const auto beside = submit_mails_beside([this](int guesser) { guess_all(guesser); });
  const auto flood = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin);
  std::cout << guessers * guesses_each << " wrong codes in " << flood.count() << " ms: " << looked_at
            << " were looked at; " << mails << " mails in " << alone.count() << " ms alone, in "
            << beside_nothing.count() << " ms beside as many GET /healthz, in " << beside.count()
            << " ms beside them\n";
  EXPECT_EQ(others, 0);
  EXPECT_EQ(looked_at + turned_away, guessers * guesses_each);
  EXPECT_LE(looked_at, links * 5);
  // Whoever asks takes the machine's time; a code costs mail no more than a question that asks for nothing.
  EXPECT_LT(beside, beside_nothing * 3 + std::chrono::milliseconds(500));

  ASSERT_EQ(guess_until_locked(), 423);
  EXPECT_EQ(relay.http("GET", "/pickup/" + tokens[0], {}, from_network(1)).status, 423);
  // A new code is asked for, and works from a network that nobody has seen.
  ASSERT_EQ(relay.http("POST", "/v1/pickup/resend", R"({"address":")" + mailbox(0) + "\"}", from_network(2)).status,
            202);
  std::string newest;
  for (const auto& file : relay.notifications(mailbox(0), 2)) {
    if (read_notification(file).token != tokens[0]) newest = file;
  }
  const auto [token, code] = read_notification(newest);
  auto honest = std::map<std::string, std::string>{{"X-Forwarded-For", "203.0.113.9"}, {"X-Forwarded-Proto", "https"}};
  auto opened = relay.http("POST", "/v1/pickup/" + token + "/session", code_body(code), honest);
  // The address's wrong codes are forgiven one by one; until then a right one waits as long as the answer says.
  const auto patience = Clock::now() + std::chrono::seconds(60);
  while (opened.status == 429 && Clock::now() < patience) {
    std::this_thread::sleep_for(std::chrono::seconds(std::stoi(opened.fields.at("retry-after"))));
    opened = relay.http("POST", "/v1/pickup/" + token + "/session", code_body(code), honest);
  }
  EXPECT_EQ(opened.status, 200) << opened.body;
}

}  // namespace
}  // namespace sealpost::test
