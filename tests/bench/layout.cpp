// SPDX-License-Identifier: Apache-2.0
// The Redis layout at depth: puts so many deliveries of 4 KB and prints on the way what a put and a claim cost at that
// depth (medians of nine readings) and the memory that a delivery takes; before that, what a delivery leaves when it
// has finished; after it, how long the first page of each search and the summary take, and what a search costs those
// who put and claim. Usage: layout [deliveries=1000000] [threads=8]. Starts a private redis-server, which does not
// rewrite its append-only file meanwhile: the pages that a fork has copied would count as costs of depth. Asserts
// nothing.
#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "base/random.h"
#include "crypto/master_key.h"
#include "queue/filter_text.h"
#include "queue/mail_queue.h"
#include "queue/queue_view.h"
#include "tests/support/redis_server.h"

namespace {

using namespace sealpost;
using std::chrono::steady_clock;

constexpr std::size_t message_octets = 4096;

double seconds_since(steady_clock::time_point start) {
  return std::chrono::duration<double>(steady_clock::now() - start).count();
}

std::int64_t used_memory(redis::Client& redis) {
  auto info = redis.command({"INFO", "memory"});
  if (!info) return 0;
  const auto text = info->text();
  const auto at = text.find("used_memory:") + 12;
  std::int64_t value = 0;
  std::from_chars(text.data() + at, text.data() + text.size(), value);
  return value;
}

/// Of one put or claim, in microseconds. What Redis computes itself is told from what the kernel does for it, which is
/// to write the append-only file and to hand out memory: unlike time on the clock, neither grows with what else the
/// machine does.
struct Cost {
  double clock = 0;
  double user = 0;
  double system = 0;

  Cost operator-(const Cost& other) const { return {clock - other.clock, user - other.user, system - other.system}; }
  Cost operator/(double by) const { return {clock / by, user / by, system / by}; }
  Cost& operator+=(const Cost& other) {
    clock += other.clock;
    user += other.user;
    system += other.system;
    return *this;
  }
};

/// What the clock, and the processors that Redis' main thread has used, say now.
Cost read_cost(redis::Client& redis) {
  auto info = redis.command({"INFO", "cpu"});
  if (!info) std::exit(1);
  const std::string text(info->text());
  const auto field = [&text](const char* name) {
    return std::strtod(text.c_str() + text.find(name) + std::strlen(name), nullptr) * 1e6;
  };
  const std::chrono::duration<double, std::micro> now = steady_clock::now().time_since_epoch();
  return {now.count(), field("used_cpu_user_main_thread:"), field("used_cpu_sys_main_thread:")};
}

/// The median reading, of each: one that the machine disturbed does not count.
template <typename Read>
Cost median_of(Read read) {
  std::array<Cost, 9> readings;
  for (auto& reading : readings) reading = read();
  Cost median;
  for (double Cost::*part : {&Cost::clock, &Cost::user, &Cost::system}) {
    std::ranges::sort(readings, {}, part);
    median.*part = readings[readings.size() / 2].*part;
  }
  return median;
}

struct Bench {
  redis::Client& redis;
  MailQueue& queue;
  std::size_t threads;

  void put_some(std::size_t first, std::size_t count) const {
    SystemClock clock;
    const WipedBuffer message(message_octets, 'x');
    for (std::size_t i = first; i < first + count; ++i) {
      auto address = EmailAddress::parse("user" + std::to_string(i) + "@dest" + std::to_string(i % 1000) + ".example");
      const Envelope envelope{queue.new_id(), "bench", std::nullopt, {}, false, clock.now()};
      const Addressee addressee{*address, address->domain().a_label(), std::string(64, 'a'), "interim", {}};
      auto put = queue.put(Notice(Notice::Kind::KeyEvent, message), envelope, addressee);
      if (!put) {
        std::fprintf(stderr, "put failed: %s\n", put.error().internal_detail.c_str());
        std::exit(1);
      }
    }
  }

  /// `count` puts over all threads.
  [[nodiscard]] Cost put(std::size_t first, std::size_t count) const {
    const Cost before = read_cost(redis);
    std::vector<std::jthread> workers;
    for (std::size_t t = 0; t < threads; ++t) {
      workers.emplace_back([this, first, count, t] {
        const std::size_t begin = count * t / threads;
        put_some(first + begin, count * (t + 1) / threads - begin);
      });
    }
    workers.clear();
    return (read_cost(redis) - before) / static_cast<double>(count);
  }

  /// About `count` claims, each batch given back at once; giving back is not counted.
  [[nodiscard]] Cost claim(std::size_t count) const {
    Cost spent;
    std::size_t claimed = 0;
    while (claimed < count) {
      const Cost before = read_cost(redis);
      auto batch = queue.claim(100, 20);
      spent += read_cost(redis) - before;
      if (!batch) {
        std::fprintf(stderr, "claim failed: %s\n", batch.error().internal_detail.c_str());
        std::exit(1);
      }
      for (const auto& one : *batch) {
        if (auto released = queue.release(one); !released) std::fprintf(stderr, "release failed\n");
      }
      claimed += batch->size();
    }
    return spent / static_cast<double>(claimed);
  }

  /// Some that have failed, in several ways, so that searches have something to tell apart.
  void fail_some(std::size_t count) const {
    static constexpr std::array replies = {"mx1.example.net [192.0.2.25] TLSv1.3: 451 4.7.1 Greylisted for 300 seconds",
                                           "mx1.example.net [192.0.2.25] TLSv1.3: 452 4.2.2 Mailbox full",
                                           "cannot be reached (connection refused)"};
    SystemClock clock;
    for (std::size_t done = 0; done < count;) {
      auto batch = queue.claim(200, 1000);
      if (!batch || batch->empty()) std::exit(1);
      for (const auto& one : *batch) {
        const auto& reply = done % 1000 == 0 ? replies[1] : replies[done % 2 * 2];
        const auto ended = done % 500 == 7 ? queue.held(one, "operator wants to look")
                                           : queue.deferred(one, reply, clock.now() + std::chrono::hours(1));
        if (!ended) std::exit(1);
        ++done;
      }
    }
  }

  /// Octets that each of `count` deliveries leaves as history; forgets them afterwards.
  [[nodiscard]] double finish(std::size_t count) const {
    const std::int64_t before = used_memory(redis);
    static_cast<void>(put(0, count));
    for (std::size_t done = 0; done < count;) {
      auto batch = queue.claim(200, 1000);
      if (!batch) std::exit(1);
      for (const auto& one : *batch) {
        if (!queue.delivered(one, "mx1.example.net [192.0.2.25] TLSv1.3: 250 2.0.0 Ok: queued as 4XyZab12cd"))
          std::exit(1);
      }
      done += batch->size();
    }
    const double left = static_cast<double>(used_memory(redis) - before) / static_cast<double>(count);
    for (std::size_t trimmed = 0; trimmed < count;) trimmed += queue.trim_history(Duration(-1000)).value();
    return left;
  }
};

/// The first page of each kind of search, the slowest of five times.
void print_searches(redis::Client& redis) {
  SystemClock clock;
  QueueView view(redis, clock);
  const std::vector<std::map<std::string, std::string>> searches = {
      {},
      {{"order", "newest"}},
      {{"state", "queued"}},
      {{"state", "deferred"}},
      {{"state", "held"}},
      {{"state", "delivered"}},
      {{"domain", "dest7.example"}},
      {{"domain", "dest7.example"}, {"state", "deferred"}},
      {{"sender", "<>"}},
      {{"sender", "nobody@example.com"}},
      {{"recipient", "user1234@dest234.example"}},
      {{"account", "bench"}},
      {{"account", "bench"}, {"state", "held"}},
      {{"older_than", "1s"}},
      {{"older_than", "1d"}},
      {{"error", "greylisted"}},
      {{"error", "452"}},
      {{"error", "mailbox full"}, {"domain", "dest0.example"}},
      {{"error", "no such reply"}},
      {{"sender", "<>"}, {"account", "bench"}, {"state", "queued"}, {"newer_than", "1d"}}};
  std::printf("\n%-70s %10s %8s\n", "first page of 100", "ms", "found");
  for (const auto& parts : searches) {
    std::string name;
    for (const auto& [part, value] : parts) name += part + "=" + value + " ";
    double slowest = 0;
    std::size_t found = 0;
    for (int i = 0; i < 5; ++i) {
      const auto start = steady_clock::now();
      auto page = view.list(parse_filter(parts).value(), 100, "");
      slowest = std::max(slowest, seconds_since(start) * 1e3);
      if (!page) std::exit(1);
      found = page->deliveries.size();
    }
    std::printf("%-70s %10.1f %8zu\n", name.empty() ? "(all)" : name.c_str(), slowest, found);
  }
  const auto start = steady_clock::now();
  const auto summary = view.summary();
  if (!summary) std::exit(1);
  std::printf("%-70s %10.1f %8zu\n", "summary, 100 destinations", seconds_since(start) * 1e3,
              summary->destinations.size());
  std::fflush(stdout);
}

/// Puts and claims with and without somebody who searches twice a second, in turn; and what a search takes of Redis.
void print_disturbance(const Bench& bench, std::size_t depth) {
  constexpr std::size_t each = 20'000;
  constexpr int searches = 200;
  SystemClock clock;
  QueueView view(bench.redis, clock);
  const auto filter = parse_filter({{"state", "deferred"}, {"domain", "dest7.example"}}).value();
  const Cost before = read_cost(bench.redis);
  for (int i = 0; i < searches; ++i) {
    if (!view.list(filter, 100, "")) std::exit(1);
  }
  const Cost search = (read_cost(bench.redis) - before) / searches;
  double alone = 0, beside = 0;
  for (int round = 0; round < 5; ++round) {
    auto start = steady_clock::now();
    static_cast<void>(bench.put(depth, each));
    alone += seconds_since(start);
    std::jthread searcher([&](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        if (!view.list(filter, 100, "")) std::exit(1);
        std::this_thread::sleep_for(std::chrono::milliseconds(500));
      }
    });
    start = steady_clock::now();
    static_cast<void>(bench.put(depth + each, each));
    beside += seconds_since(start);
    searcher.request_stop();
    depth += 2 * each;
  }
  std::printf("\na search takes %.0f us of Redis; %zu puts took %.2f s alone, %.2f s beside two searches a second\n",
              search.user + search.system, 5 * each, alone, beside);
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t total = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1'000'000;
  const std::size_t threads = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 8;
  test::RedisServer server({"--maxmemory", "16gb", "--appendfsync", "everysec", "--auto-aof-rewrite-percentage", "0"});
  redis::Client redis(server.endpoint(), std::chrono::seconds(30));
  SystemRandom random;
  SystemClock clock;
  Log log(LogLevel::Warning, LogFormat::Text, clock);
  auto key = MasterKey::open(server.directory() / "master.key", redis, random);
  if (!key) {
    std::fprintf(stderr, "master key: %s\n", key.error().public_text.c_str());
    return 1;
  }
  MailQueue queue(redis, *key, clock, random, log);
  const Bench bench{redis, queue, threads};
  std::printf("a finished delivery leaves %.0f octets\n", bench.finish(10'000));
  std::fflush(stdout);
  const std::int64_t empty = used_memory(redis);
  std::printf("%10s %8s %8s %8s %10s %8s %8s %16s %20s\n", "depth", "put us", "user", "system", "claim us", "user",
              "system", "octets/delivery", "beyond 4 KB message");
  std::size_t depth = 0;
  for (std::size_t mark = 1000; depth < total; mark *= 10) {
    const std::size_t next = std::min(mark, total);
    const std::size_t reading = std::min<std::size_t>(next / 10, 1000);
    const std::size_t filled = next - 9 * reading;
    if (filled > depth) static_cast<void>(bench.put(depth, filled - depth));
    depth = filled;
    const Cost put = median_of([&] {
      const Cost one = bench.put(depth, reading);
      depth += reading;
      return one;
    });
    const Cost claim = median_of([&] { return bench.claim(1000); });
    const auto memory = static_cast<double>(used_memory(redis) - empty) / static_cast<double>(depth);
    std::printf("%10zu %8.1f %8.1f %8.1f %10.1f %8.1f %8.1f %16.0f %20.0f\n", depth, put.clock, put.user, put.system,
                claim.clock, claim.user, claim.system, memory, memory - message_octets);
    std::fflush(stdout);
  }
  bench.fail_some(std::min<std::size_t>(total / 4, 50'000));
  print_searches(redis);
  print_disturbance(bench, depth);
  return 0;
}
