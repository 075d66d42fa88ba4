// SPDX-License-Identifier: Apache-2.0
// kill -9 between a submission and its answer: repeated with the same Idempotency-Key it is one message, and answered
// as the first time when there was an answer.
#include <Poco/Exception.h>
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <mutex>
#include <thread>

#include "base/encoding.h"
#include "tests/e2e/relay_fixture.h"

namespace sealpost::test {
namespace {

constexpr std::size_t rounds = 12;
constexpr std::size_t senders = 8;
constexpr std::size_t each = 6;

class SubmitCrash : public testing::Test {
 protected:
  /// The answer's body; empty when there was none, or another one than 202.
  std::string submit(const std::string& key) {
    const std::map<std::string, std::string> fields = {
        {"Authorization", "Basic " + to_base64(std::string(RelayFixture::account) + ":" + RelayFixture::password)},
        {"Content-Type", "application/json"},
        {"Idempotency-Key", key}};
    try {
      const auto answer = relay.http("POST", "/v1/messages",
                                     R"({"from":"alice@example.com","to":["bob@example.net"],"subject":")" + key +
                                         R"(","text":")" + std::string(3000, 'x') + "\"}",
                                     fields);
      return answer.status == 202 ? answer.body : std::string();
    } catch (const Poco::Exception&) {
      return {};  // the relay died
    }
  }

  /// All senders at once, each its own keys one after the other; `answered` is called for every answer.
  void submit_all(std::size_t round, const std::function<void(const std::string&, const std::string&)>& answered) {
    std::vector<std::thread> threads;
    for (std::size_t sender = 0; sender < senders; ++sender) {
      threads.emplace_back([&, sender] {
        for (std::size_t i = 0; i < each; ++i) {
          const std::string key = std::to_string(round) + "-" + std::to_string(sender) + "-" + std::to_string(i);
          answered(key, submit(key));
        }
      });
    }
    for (auto& thread : threads) thread.join();
  }

  RelayFixture relay{RelayFixture::Settings{{"crypto.key_type", "p256"}}};
};

TEST_F(SubmitCrash, OneMessageForEachKeyHoweverOftenTheRelayDies) {
  ASSERT_NE(submit("first"), "");
  std::size_t unanswered = 0;
  for (std::size_t round = 0; round < rounds; ++round) {
    std::mutex mutex;
    std::map<std::string, std::string> first;
    std::atomic<std::size_t> answers = 0;
    // After so many answers, while the others are on their way.
    std::thread killer([&] {
      for (std::size_t seen = answers; seen < 1 + round * 3; seen = answers) answers.wait(seen);
      relay.kill();
    });
    submit_all(round, [&](const std::string& key, const std::string& answer) {
      const std::lock_guard lock(mutex);
      if (!answer.empty()) first[key] = answer;
      if (answer.empty()) ++unanswered;
      ++answers;
      answers.notify_all();
    });
    killer.join();
    relay.start();
    submit_all(round, [&](const std::string& key, const std::string& answer) {
      const std::lock_guard lock(mutex);
      EXPECT_NE(answer, "") << key;
      if (first.contains(key)) {
        EXPECT_EQ(answer, first[key]) << key;
      }
    });
  }
  const auto listed = relay.ctl({"queue", "list", "--json", "--limit", "10000", "--sender", "alice@example.com"});
  ASSERT_EQ(listed.status, 0) << listed.err;
  EXPECT_EQ(Poco::JSON::Parser().parse(listed.out).extract<Poco::JSON::Object::Ptr>()->getArray("deliveries")->size(),
            1 + rounds * senders * each);
  EXPECT_GT(unanswered, rounds) << "the relay died in the midst of submissions";
}

}  // namespace
}  // namespace sealpost::test
