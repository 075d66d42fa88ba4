// SPDX-License-Identifier: Apache-2.0
// End to end: senders with AUTH and TLS on kept connections, into sealpostd, into a sink. Prints messages and megabytes
// per second and CPU seconds per 1,000 messages of sealpostd with its redis-server. Usage: throughput [messages of 4
// KB=5000] [of 1 MB=200] [postfix|rest]. With `postfix` the same messages go through a Postfix that relays plaintext,
// too (as root); with `rest` those of 4 KB go over 64 connections, by SMTP and by REST in turn. Asserts nothing.
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <mutex>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <tuple>

#include "tests/e2e/relay_fixture.h"
#include "tests/e2e/submitter.h"
#include "tests/support/eventually.h"
#include "tests/support/postfix.h"
#include "tests/support/raw_client.h"

namespace {

using namespace sealpost::test;
using std::chrono::steady_clock;

constexpr int usual_connections = 20;

/// Takes every message and forgets it. A thread per connection, gone with the process.
class Sink final {
 public:
  Sink() : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener_, 256) != 0 ||
        getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      std::abort();
    }
    port_ = ntohs(address.sin_port);
    std::thread([this] { accept_all(); }).detach();
  }
  [[nodiscard]] int port() const { return port_; }
  bool wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    return more_.wait_for(lock, std::chrono::minutes(5), [&] { return taken_ >= count; });
  }
  [[nodiscard]] std::size_t taken() {
    const std::lock_guard lock(mutex_);
    return taken_;
  }

 private:
  void accept_all() {
    while (true) {
      const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (client < 0) return;
      const int on = 1;
      setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
      std::thread([this, client] { serve(client); }).detach();
    }
  }

  void serve(int client) {
    std::string input;
    bool data = false;
    std::string out = "220 sink\r\n";
    std::array<char, 65536> buffer{};
    while (true) {
      if (!out.empty() && send(client, out.data(), out.size(), MSG_NOSIGNAL) < 0) break;
      out.clear();
      const auto count = recv(client, buffer.data(), buffer.size(), 0);
      if (count <= 0) break;
      input.append(buffer.data(), static_cast<std::size_t>(count));
      while (take(input, data, out)) {
      }
    }
    close(client);
  }

  /// Removes one command, or one message, from the input.
  bool take(std::string& input, bool& data, std::string& out) {
    const std::string end = data ? "\r\n.\r\n" : "\r\n";
    const auto at = input.find(end);
    if (at == std::string::npos) {
      if (data && input.size() > 8) input.erase(0, input.size() - 8);
      return false;
    }
    const std::string line = data ? std::string() : input.substr(0, at);
    input.erase(0, at + end.size());
    if (data) {
      data = false;
      out += "250 2.0.0 taken\r\n";
      const std::lock_guard lock(mutex_);
      ++taken_;
      more_.notify_all();
    } else if (line.starts_with("EHLO")) {
      out += "250-sink\r\n250-PIPELINING\r\n250 ENHANCEDSTATUSCODES\r\n";
    } else if (line.starts_with("DATA")) {
      data = true;
      out += "354 go\r\n";
    } else {
      out += "250 2.0.0 ok\r\n";
    }
    return true;
  }

  int listener_;
  int port_ = 0;
  std::mutex mutex_;
  std::condition_variable more_;
  std::size_t taken_ = 0;
};

double cpu_seconds(int pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string text((std::istreambuf_iterator<char>(stat)), std::istreambuf_iterator<char>());
  std::istringstream fields(text.substr(text.rfind(')') + 2));
  std::string word;
  double ticks = 0;
  for (int field = 3; fields >> word; ++field) {
    if (field == 14 || field == 15) ticks += std::stod(word);
  }
  return ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

std::string text_of(std::size_t octets) {
  std::string text(message("bench", ""));
  while (text.size() < octets) text += std::string(74, 'x') + "\r\n";
  return text;
}

struct Speed {
  double accepted = 0;  ///< seconds until the last 250
  double arrived = 0;   ///< seconds until the last message is in the sink
};

/// Submits one message over a kept connection, and says what the answer was; empty when it was taken.
using Sender = std::function<std::string()>;

Sender by_smtp(Submitter connected, std::string text) {
  return [submitter = std::make_shared<Submitter>(std::move(connected)), text = std::move(text)] {
    const std::string answer = submitter->submit("alice@example.com", {"bob@example.net"}, text);
    return answer.starts_with("250") ? std::string() : answer;
  };
}

Sender by_rest(int port, const std::string& token, std::size_t octets) {
  const auto client = std::make_shared<RawClient>(static_cast<std::uint16_t>(port), 0, std::chrono::minutes(1));
  client->start_tls();
  const std::string body = R"({"from":"alice@example.com","to":["bob@example.net"],"subject":"bench","text":")" +
                           std::string(octets, 'x') + "\"}";
  const std::string request = "POST /v1/messages HTTP/1.1\r\nHost: relay\r\nAuthorization: Bearer " + token +
                              "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
                              "\r\n\r\n" + body;
  return [client, request] {
    client->send(request);
    const std::string head = client->read_until("\r\n\r\n");
    const auto length = head.find("Content-Length: ");
    if (length == std::string::npos) return "no answer: " + head;
    const std::string answer = client->read_exactly(std::strtoul(head.c_str() + length + 16, nullptr, 10));
    return head.starts_with("HTTP/1.1 202") ? std::string() : head + answer;
  };
}

/// Sends so many messages over connections that are kept; `connect` makes one of them.
Speed send_all(Sink& sink, const std::function<Sender()>& connect, int connections, std::size_t messages) {
  const std::size_t before = sink.taken();
  const auto start = steady_clock::now();
  const auto passed = [start] { return std::chrono::duration<double>(steady_clock::now() - start).count(); };
  std::atomic<std::size_t> next{0};
  std::vector<std::jthread> senders;
  for (int i = 0; i < connections; ++i) {
    senders.emplace_back([&] {
      const auto send_one = connect();
      while (next++ < messages) {
        const std::string refused = send_one();
        if (!refused.empty()) std::fprintf(stderr, "refused: %s\n", refused.c_str());
      }
    });
  }
  senders.clear();
  Speed speed;
  speed.accepted = passed();
  if (!sink.wait_for(before + messages)) std::fprintf(stderr, "not all messages arrived\n");
  speed.arrived = passed();
  return speed;
}

void print(const char* name, std::size_t messages, std::size_t octets, const Speed& speed, double cpu) {
  const auto count = static_cast<double>(messages);
  std::printf("%14s %8zu messages: accepted %7.0f/s, end to end %7.0f msg/s %7.1f MB/s, %6.2f CPU-s per 1,000\n", name,
              messages, count / speed.accepted, count / speed.arrived,
              count * static_cast<double>(octets) / speed.arrived / 1e6, cpu / count * 1000);
  std::fflush(stdout);
}

void measure(RelayFixture& relay, Sink& sink, const char* name, const std::function<Sender()>& connect, int connections,
             std::size_t messages, std::size_t octets) {
  const int daemon = relay.pid();
  const int redis = relay.redis_pid();
  const double before = cpu_seconds(daemon) + cpu_seconds(redis);
  const auto speed = send_all(sink, connect, connections, messages);
  print(name, messages, octets, speed, cpu_seconds(daemon) + cpu_seconds(redis) - before);
}

/// A relay with the sink behind it, and the one recipient's pair: made before the clock starts.
std::unique_ptr<RelayFixture> start_relay(Sink& sink) {
  auto relay = std::make_unique<RelayFixture>(
      RelayFixture::Settings{{"delivery.route", "smtp://127.0.0.1:" + std::to_string(sink.port())},
                             {"delivery.workers", "32"},
                             {"delivery.destination_concurrency", "32"},
                             {"crypto.key_type", "rsa3072"},
                             {"http.listen_tls", "127.0.0.1:0"},
                             {"http.max_calls_per_account", "100000000/m"},
                             // Filling a pool would count as work of the messages.
                             {"keys.pool_size", "0"},
                             {"redis.maxmemory", "4g"},
                             {"log.level", "info"}});
  Submitter::logged_in(*relay).submit("alice@example.com", {"bob@example.net"}, message("first", "x"));
  sink.wait_for(2);
  return relay;
}

/// The relay and its data are gone when this returns.
void measure_relay(Sink& sink, std::size_t small, std::size_t large) {
  const auto relay = start_relay(sink);
  for (const auto& [name, messages, octets] : {std::tuple{"4 KB", small, 4096UL}, {"1 MB", large, 1'000'000UL}}) {
    measure(
        *relay, sink, name, [&, size = octets] { return by_smtp(Submitter::logged_in(*relay), text_of(size)); },
        usual_connections, messages, octets);
  }
}

void measure_rest(Sink& sink, std::size_t messages) {
  constexpr int connections = 64;
  constexpr std::size_t octets = 4096;
  const auto relay = start_relay(sink);
  const auto made = relay->ctl({"token", "create", RelayFixture::account, "--json"});
  const auto token =
      Poco::JSON::Parser().parse(made.out).extract<Poco::JSON::Object::Ptr>()->getValue<std::string>("token");
  for (int round = 0; round < 2; ++round) {
    measure(
        *relay, sink, "SMTP 4 KB", [&] { return by_smtp(Submitter::logged_in(*relay), text_of(octets)); }, connections,
        messages, octets);
    measure(
        *relay, sink, "REST 4 KB", [&] { return by_rest(relay->port("https"), token, octets); }, connections, messages,
        octets);
  }
}

/// Postfix says nothing when it is ready: the greeting does.
Submitter greet(int port) {
  std::optional<Submitter> greeted;
  const auto look = [&] {
    try {
      Submitter submitter(port, false);
      if (submitter.reply().starts_with("220") && submitter.say("EHLO client.example.com").starts_with("250")) {
        greeted = std::move(submitter);
      }
    } catch (const std::runtime_error&) {  // nobody listens yet
    }
    return greeted.has_value();
  };
  if (!eventually(look)) throw std::runtime_error("Postfix does not greet");
  return std::move(*greeted);
}

void measure_postfix(Sink& sink, const char* name, std::size_t messages, std::size_t octets) {
  // Neither TLS nor AUTH nor encryption: in its favour.
  Postfix postfix(
      "mynetworks = 127.0.0.0/8\nsmtpd_tls_security_level = none\nsmtp_tls_security_level = none\n"
      "default_destination_concurrency_limit = 32\ninitial_destination_concurrency = 20\n"
      "smtp_connection_cache_on_demand = yes\nrelayhost = [127.0.0.1]:" +
      std::to_string(sink.port()) + "\n");
  greet(postfix.port());
  const auto speed = send_all(
      sink, [&] { return by_smtp(greet(postfix.port()), text_of(octets)); }, usual_connections, messages);
  print(name, messages, octets, speed, postfix.stop());
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t small = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 5000;
  const std::size_t large = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 200;
  const std::string beside = argc > 3 ? argv[3] : "";
  Sink sink;
  if (beside == "rest") {
    measure_rest(sink, small);
    _exit(0);
  }
  measure_relay(sink, small, large);
  if (beside == "postfix") {
    measure_postfix(sink, "Postfix 4 KB", small, 4096);
    measure_postfix(sink, "Postfix 1 MB", large, 1'000'000);
  }
  _exit(0);  // the sink's threads wait for connections for ever
}
