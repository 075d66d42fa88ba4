// SPDX-License-Identifier: Apache-2.0
// Several senders without a pause, and kill -9 of sealpostd and redis-server at random moments: whatever was answered
// 250 has arrived, has bounced, or waits. LEDGER_SECONDS makes the run longer (120 for a release), LEDGER_SEED repeats
// its choices.
#include "tests/e2e/ledger.h"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <poll.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <set>
#include <thread>

#include "base/encoding.h"
#include "base/openssl.h"
#include "tests/e2e/ledger_sink.h"
#include "tests/support/eventually.h"

namespace sealpost::test {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr int workers = 8;
/// Runs from this length on wait until the leases of the dead have come back, so that nothing may wait at the end.
constexpr long long_run = 60;

long from_environment(const char* name, long otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtol(text, nullptr, 10);
}

/// A recipient's key and certificate, to open what arrived with OpenSSL.
class Reader final {
 public:
  explicit Reader(const std::string& pem_file) {
    const BioPtr file(BIO_new_file(pem_file.c_str(), "r"));
    certificate_.reset(PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr));
    const BioPtr again(BIO_new_file(pem_file.c_str(), "r"));
    key_.reset(PEM_read_bio_PrivateKey(again.get(), nullptr, nullptr, nullptr));
  }
  /// The inner entity; empty when it cannot be opened.
  [[nodiscard]] std::string open(const std::string& message) const {
    std::string base64 = body_of(message);
    std::erase_if(base64, [](char c) { return c == '\r' || c == '\n'; });
    const std::string der = from_base64(base64).value_or("");
    const BioPtr in(BIO_new_mem_buf(der.data(), static_cast<int>(der.size())));
    const CmsPtr cms(d2i_CMS_bio(in.get(), nullptr));
    const BioPtr out(BIO_new(BIO_s_mem()));
    if (!cms || CMS_decrypt(cms.get(), key_.get(), certificate_.get(), nullptr, out.get(), CMS_BINARY) != 1) return {};
    char* octets = nullptr;
    const auto size = BIO_get_mem_data(out.get(), &octets);
    return {octets, static_cast<std::size_t>(size)};
  }

 private:
  X509Ptr certificate_;
  PkeyPtr key_;
};

struct Listed {
  std::string recipient;
  std::string state;
};

bool is_waiting(const std::string& state) {
  return state == "queued" || state == "sending" || state == "deferred" || state == "held";
}

class Ledger : public ::testing::Test {
 protected:
  Ledger()
      : sink([](const std::string& recipient) { return recipient == ledger_nobody; }),
        relay(RelayFixture::Settings{{"delivery.route", "smtp://127.0.0.1:" + std::to_string(sink.port())},
                                     {"delivery.workers", std::to_string(workers)},
                                     {"delivery.retry", "1s"},
                                     {"delivery.suppress_after", "off"},  // one address bounces all the time
                                     {"crypto.key_type", "p256"},
                                     {"log.level", "info"}}) {}

  /// Every recipient has a key and has picked it up before the first crash.
  void introduce() {
    auto sender = Submitter::logged_in(relay);
    for (unsigned i = 0; i <= ledger_recipients; ++i) {
      const std::string who = i < ledger_recipients ? ledger_recipient(i) : ledger_nobody;
      ASSERT_TRUE(sender.submit(ledger_sender, {who}, message("hello", "hello")).starts_with("250"));
    }
    for (unsigned i = 0; i < ledger_recipients; ++i) {
      std::string notification;
      ASSERT_TRUE(sink.wait_for([&](const auto& all) {
        const auto found = std::find_if(all.begin(), all.end(), [&](const auto& one) {
          return one.recipient == ledger_recipient(i) &&
                 one.message.find("\nAuthentication code:") != std::string::npos;
        });
        if (found != all.end()) notification = found->message;
        return found != all.end();
      }));
      readers.emplace(ledger_recipient(i),
                      Reader(relay.pick_up(relay.directory().write("notification", notification)).pem_file));
    }
  }

  void kill_redis() {
    if (const int pid = relay.redis_pid(); pid > 1) {
      ::kill(pid, SIGKILL);
      ++redis_kills;
    }
  }
  void kill_daemon() {
    relay.kill();
    ++daemon_kills;
    relay.start();
    port = relay.port("smtps");
  }

  /// Kills after a random number of further answers, or after three seconds without enough of them.
  void crash_until(steady_clock::time_point end) {
    while (steady_clock::now() < end) {
      const std::size_t wanted = answers + 1 + random() % 150;
      const auto patience = std::min(end, steady_clock::now() + seconds(3));
      while (answers < wanted && steady_clock::now() < patience) poll(nullptr, 0, 1);
      const unsigned dice = random() % 5;
      if (dice < 2) kill_redis();  // its supervisor brings it back
      if (dice > 0) kill_daemon();
    }
  }

  Poco::JSON::Object::Ptr ctl_json(std::vector<std::string> arguments) const {
    arguments.emplace_back("--json");
    const auto done = relay.ctl(arguments);
    if (done.status != 0) return nullptr;  // Redis is on its way back
    return Poco::JSON::Parser().parse(done.out).extract<Poco::JSON::Object::Ptr>();
  }

  /// Waits until nothing is due any more; in a long run also until no dead process' lease is left.
  void calm_down(bool all_leases) const {
    const auto look = [&] {
      const auto summary = ctl_json({"queue", "summary"});
      if (!summary) return false;
      const auto states = summary->getObject("states");
      const int due = states->getValue<int>("queued") + states->getValue<int>("deferred");
      return due == 0 && (!all_leases || states->getValue<int>("sending") == 0);
    };
    ASSERT_TRUE(eventually(look, seconds(240))) << "the queue does not calm down";
  }

  std::map<std::string, Listed> list_all() const {
    std::map<std::string, Listed> all;
    std::string cursor;
    do {
      std::vector<std::string> arguments = {"queue", "list", "--limit", "10000"};
      if (!cursor.empty()) arguments.insert(arguments.end(), {"--cursor", cursor});
      const auto page = ctl_json(arguments);
      if (!page) throw std::runtime_error("queue list failed");
      const auto rows = page->getArray("deliveries");
      for (unsigned i = 0; i < rows->size(); ++i) {
        const auto row = rows->getObject(i);
        all[row->getValue<std::string>("id")] = {row->getValue<std::string>("recipient"),
                                                 row->getValue<std::string>("state")};
      }
      cursor = page->isNull("cursor") ? "" : page->getValue<std::string>("cursor");
    } while (!cursor.empty());
    return all;
  }

  LedgerSink sink;
  RelayFixture relay;
  std::map<std::string, Reader> readers;
  std::mt19937 random;
  std::atomic<int> port{0};
  std::atomic<std::size_t> answers{0};
  int daemon_kills = 0;
  int redis_kills = 0;
};

/// What arrived, by token: sealed copies by recipient, and reports to the sender.
struct Arrived {
  std::map<std::string, std::map<std::string, std::size_t>> copies;
  std::map<std::string, std::size_t> reports;
};

std::string token_in(const std::string& text) {
  constexpr std::string_view end_mark = "@ledger.example.com>";
  const auto end = text.find(end_mark);
  const auto begin = end == std::string::npos ? end : text.rfind('<', end);
  return begin == std::string::npos ? std::string() : text.substr(begin + 1, end - begin - 1);
}

struct Totals {
  std::size_t accepted = 0, refused = 0, doubtful = 0, deliveries = 0, delivered = 0, bounced = 0, waiting = 0;
  std::size_t duplicates = 0, doubtful_arrived = 0, missing_reports = 0;
  std::vector<std::string> doubled;  ///< ids of deliveries that arrived more than once
};

/// Sorts what arrived, and opens every sealed message.
Arrived sort_out(const std::vector<LedgerSink::Taken>& taken, const std::map<std::string, Reader>& readers) {
  Arrived arrived;
  for (const auto& one : taken) {
    const std::string token = token_in(one.message);
    if (token.empty()) continue;  // introductions and notifications
    if (one.recipient == ledger_sender) {
      ++arrived.reports[token];
      continue;
    }
    ++arrived.copies[token][one.recipient];
    const auto reader = readers.find(one.recipient);
    if (reader == readers.end()) {
      ADD_FAILURE() << token << " arrived at " << one.recipient;
      continue;
    }
    const std::string entity = reader->second.open(one.message);
    EXPECT_EQ(body_of(entity), ledger_body(token)) << "to " << one.recipient;
  }
  return arrived;
}

/// One delivery of an accepted message.
void check_delivery(const LedgerEntry& entry, const std::string& id, const std::string& recipient,
                    const std::map<std::string, Listed>& listed, Arrived& arrived, Totals& totals) {
  ++totals.deliveries;
  const auto found = listed.find(id);
  ASSERT_NE(found, listed.end()) << entry.token << ": " << id << " is lost";
  EXPECT_EQ(found->second.recipient, recipient) << id;
  const std::string& state = found->second.state;
  const std::size_t copies = arrived.copies[entry.token][recipient];
  if (is_waiting(state)) {
    ++totals.waiting;
  } else if (recipient == ledger_nobody) {
    EXPECT_EQ(state, "bounced") << id;
    ++totals.bounced;
    if (arrived.reports[entry.token] == 0) ++totals.missing_reports;
  } else {
    EXPECT_EQ(state, "delivered") << id;
    EXPECT_GE(copies, 1U) << id << " is said to be delivered, but did not arrive";
    ++totals.delivered;
  }
  if (copies < 2) return;
  totals.duplicates += copies - 1;
  totals.doubled.push_back(id);
}

Totals check(const std::vector<LedgerEntry>& entries, const std::map<std::string, Listed>& listed, Arrived& arrived) {
  Totals totals;
  for (const auto& entry : entries) {
    std::size_t copies = 0;
    for (const auto& [recipient, count] : arrived.copies[entry.token]) copies += count;
    if (entry.told == Told::Accepted) {
      ++totals.accepted;
      for (std::size_t i = 0; i < entry.recipients.size(); ++i) {
        check_delivery(entry, entry.id + "-" + std::to_string(i + 1), entry.recipients[i], listed, arrived, totals);
      }
    } else if (entry.told == Told::Refused) {
      ++totals.refused;
      EXPECT_EQ(copies + arrived.reports[entry.token], 0U) << entry.token << " was refused: " << entry.answer;
    } else {
      ++totals.doubtful;
      if (copies > 0) ++totals.doubtful_arrived;
    }
  }
  return totals;
}

TEST_F(Ledger, WhateverWasAnswered250HasArrivedOrBouncedOrWaits) {
  const long length = from_environment("LEDGER_SECONDS", 10);
  const long seed = from_environment("LEDGER_SEED", static_cast<long>(std::random_device()() % 1'000'000));
  std::cout << "ledger: " << length << " s, LEDGER_SEED=" << seed << std::endl;
  random.seed(static_cast<std::uint32_t>(seed));
  ASSERT_NO_FATAL_FAILURE(introduce());
  port = relay.port("smtps");
  std::vector<std::unique_ptr<LedgerSender>> senders;
  for (int i = 0; i < 5; ++i) {
    senders.push_back(std::make_unique<LedgerSender>("s" + std::to_string(i), random(), port, answers));
  }
  std::atomic<bool> stop{false};
  {
    std::vector<std::jthread> threads;
    for (auto& sender : senders) threads.emplace_back([&] { sender->run(stop); });
    try {
      crash_until(steady_clock::now() + seconds(length));
    } catch (const std::exception& why) {
      ADD_FAILURE() << why.what();
    }
    stop = true;
  }
  ASSERT_FALSE(HasFailure());
  ASSERT_NO_FATAL_FAILURE(calm_down(length >= long_run));
  const auto listed = list_all();  // before the look at what arrived: what is delivered here must be there
  auto arrived = sort_out(sink.taken(), readers);
  std::vector<LedgerEntry> entries;
  for (const auto& sender : senders) entries.insert(entries.end(), sender->entries().begin(), sender->entries().end());
  const Totals totals = check(entries, listed, arrived);

  std::cout << "ledger: kill -9 of sealpostd " << daemon_kills << ", of redis-server " << redis_kills
            << "; messages: " << totals.accepted << " accepted, " << totals.refused << " refused, " << totals.doubtful
            << " without a clear answer (" << totals.doubtful_arrived
            << " of them arrived); deliveries: " << totals.deliveries << ", " << totals.delivered << " delivered, "
            << totals.bounced << " bounced, " << totals.waiting << " waiting; " << totals.duplicates << " duplicates"
            << std::endl;
  EXPECT_GT(totals.accepted, 20U);
  EXPECT_GT(totals.refused, 0U);
  EXPECT_GT(totals.bounced, 0U);
  EXPECT_GT(daemon_kills, 0);
  EXPECT_LE(totals.duplicates, static_cast<std::size_t>(workers * daemon_kills))
      << "more than attempts that a crash cut";
  for (const auto& id : totals.doubled) {
    EXPECT_NE(relay.ctl({"queue", "show", id}).out.find("taken back from a relay that died"), std::string::npos)
        << id << " arrived twice, but no crash fell between its delivery and its record";
  }
  const auto waiting_reports = std::count_if(listed.begin(), listed.end(), [](const auto& row) {
    return row.second.recipient == ledger_sender && is_waiting(row.second.state);
  });
  EXPECT_LE(totals.missing_reports, static_cast<std::size_t>(waiting_reports)) << "bounced without a report";
  EXPECT_TRUE(length < long_run || totals.waiting == 0);
}

}  // namespace
}  // namespace sealpost::test
