// SPDX-License-Identifier: Apache-2.0
// Whether broken destinations slow a healthy one: the rate at which a domain gets its mail alone, and while thousands
// of deliveries wait for one that refuses connections, accepts them and stays silent, or hangs behind its greeting, and
// while hundreds of domains are silent that nobody has tried before. Usage: fairness [healthy=2000]
// [waiting=5000]. Prints; asserts nothing.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/e2e/relay_fixture.h"
#include "tests/e2e/submitter.h"
#include "tests/support/nsd.h"
#include "tests/support/smtp_server.h"

namespace {

using namespace sealpost::test;
using std::chrono::steady_clock;

constexpr int senders = 10;

/// `count` messages to one address, over a few connections at once.
void submit(const RelayFixture& relay, const std::string& to, int count) {
  const std::string content = message("fairness", std::string(4000, 'x'));
  std::vector<std::jthread> threads;
  for (int sender = 0; sender < senders; ++sender) {
    threads.emplace_back([&, share = count / senders + (sender < count % senders ? 1 : 0)] {
      auto connection = Submitter::logged_in(relay);
      for (int i = 0; i < share; ++i) {
        const std::string answer = connection.submit("alice@example.com", {to}, content);
        if (!answer.starts_with("250")) throw std::runtime_error("refused: " + answer);
      }
    });
  }
}

SmtpServerOptions at(const std::string& address, std::uint16_t port) {
  SmtpServerOptions options;
  options.address = address;
  options.port = port;
  return options;
}

/// A message each to as many domains as there are: none of them has ever answered.
void submit_to_domains(const RelayFixture& relay, int count) {
  auto connection = Submitter::logged_in(relay);
  for (int i = 0; i < count; ++i) {
    const std::string to = "bob@d" + std::to_string(i) + ".silent.example.com";
    const std::string answer = connection.submit("alice@example.com", {to}, message("fairness", "text"));
    if (!answer.starts_with("250")) throw std::runtime_error("refused: " + answer);
  }
}

/// Messages per second, from the first that is handed in to the last that has arrived.
double rate(const RelayFixture& relay, SmtpServer& server, std::size_t& arrived, int count) {
  const auto begun = steady_clock::now();
  submit(relay, "bob@healthy.example.com", count);
  arrived += static_cast<std::size_t>(count);
  while (!server.wait_for(".", arrived)) std::puts("still waiting");
  return count / std::chrono::duration<double>(steady_clock::now() - begun).count();
}

}  // namespace

int main(int argc, char** argv) {
  const int healthy = argc > 1 ? std::atoi(argv[1]) : 2000;
  const int waiting = argc > 2 ? std::atoi(argv[2]) : 5000;
  SmtpServer good(at("127.0.0.2", 0));
  SmtpServer silent(at("127.0.0.3", good.port()));
  silent.answer("CONNECT", {Answer::silence()});
  SmtpServer hanging(at("127.0.0.5", good.port()));
  hanging.answer("EHLO", {Answer::silence()});
  const Nsd dns("example.com",
                "healthy A 127.0.0.2\nsilent A 127.0.0.3\n*.silent A 127.0.0.3\nrefusing A 127.0.0.4\n"
                "hanging A 127.0.0.5\n@ A 127.0.0.2\n");
  RelayFixture relay({{"delivery.route", "mx"},
                      {"delivery.port", std::to_string(good.port())},
                      {"delivery.allow_private", "yes"},
                      {"delivery.workers", "128"},
                      {"delivery.retry", "1m,5m"},
                      {"dns.server", dns.place()},
                      {"relay.drain_timeout", "1s"},
                      {"crypto.key_type", "p256"}});
  std::size_t arrived = 1;                  // the notification to the first recipient
  rate(relay, good, arrived, healthy / 4);  // keys are assigned, connections are there
  const double alone = rate(relay, good, arrived, healthy);
  std::printf("alone                                  %7.0f msg/s\n", alone);
  const auto beside = [&](const std::string& what) {
    const double now = rate(relay, good, arrived, healthy);
    std::printf("beside %-31s %7.0f msg/s, %3.0f %% of alone\n", what.c_str(), now, 100 * now / alone);
  };
  for (const std::string kind : {"refusing", "silent", "hanging"}) {
    submit(relay, "bob@" + kind + ".example.com", waiting);
    beside(std::to_string(waiting) + " for a " + kind + " host");
  }
  submit_to_domains(relay, waiting / 10);
  beside(std::to_string(waiting / 10) + " for as many silent domains");
  const double again = rate(relay, good, arrived, healthy);
  std::printf("once more, the same                    %7.0f msg/s, %3.0f %% of alone\n", again, 100 * again / alone);
  return 0;
}
