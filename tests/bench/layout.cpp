// SPDX-License-Identifier: Apache-2.0
// The Redis layout at depth: puts so many deliveries of 4 KB, then claims some, and prints memory and time per delivery
// on the way; before that, what a delivery leaves when it has finished. Usage: layout [deliveries=1000000] [threads=8].
// Starts a private redis-server; asserts nothing.
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "base/random.h"
#include "crypto/master_key.h"
#include "queue/mail_queue.h"
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

/// Processor time of Redis' main thread in microseconds: unlike time on the clock, it does not grow with what else the
/// machine does.
double redis_cpu(redis::Client& redis) {
  auto info = redis.command({"INFO", "cpu"});
  if (!info) return 0;
  double seconds = 0;
  for (const char* field : {"used_cpu_sys_main_thread:", "used_cpu_user_main_thread:"}) {
    const std::string text(info->text());
    seconds += std::strtod(text.c_str() + text.find(field) + std::strlen(field), nullptr);
  }
  return seconds * 1e6;
}

struct Cost {
  double clock = 0;  ///< microseconds for each
  double cpu = 0;    ///< of Redis
};

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
    const double cpu = redis_cpu(redis);
    const auto start = steady_clock::now();
    std::vector<std::jthread> workers;
    for (std::size_t t = 0; t < threads; ++t) {
      workers.emplace_back([this, first, count, t] {
        const std::size_t begin = count * t / threads;
        put_some(first + begin, count * (t + 1) / threads - begin);
      });
    }
    workers.clear();
    const auto each = static_cast<double>(count);
    return {seconds_since(start) * 1e6 / each, (redis_cpu(redis) - cpu) / each};
  }

  /// About `count` claims, each batch given back at once; giving back is not counted.
  [[nodiscard]] Cost claim(std::size_t count) const {
    Cost spent;
    std::size_t claimed = 0;
    while (claimed < count) {
      const double cpu = redis_cpu(redis);
      const auto start = steady_clock::now();
      auto batch = queue.claim(100, 20);
      spent.clock += seconds_since(start) * 1e6;
      spent.cpu += redis_cpu(redis) - cpu;
      if (!batch) {
        std::fprintf(stderr, "claim failed: %s\n", batch.error().internal_detail.c_str());
        std::exit(1);
      }
      for (const auto& one : *batch) {
        if (auto released = queue.release(one); !released) std::fprintf(stderr, "release failed\n");
      }
      claimed += batch->size();
    }
    const auto each = static_cast<double>(claimed);
    return {spent.clock / each, spent.cpu / each};
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

}  // namespace

int main(int argc, char** argv) {
  const std::size_t total = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1'000'000;
  const std::size_t threads = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 8;
  test::RedisServer server({"--maxmemory", "16gb", "--appendfsync", "everysec"});
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
  std::printf("%10s %10s %14s %10s %14s %16s %20s\n", "depth", "put us", "of Redis' CPU", "claim us", "of Redis' CPU",
              "octets/delivery", "beyond 4 KB message");
  std::size_t depth = 0;
  for (std::size_t mark = 1000; depth < total; mark *= 10) {
    const std::size_t next = mark < total ? mark : total;
    const Cost put = bench.put(depth, next - depth);
    depth = next;
    const Cost claim = bench.claim(2000);
    const auto memory = static_cast<double>(used_memory(redis) - empty) / static_cast<double>(depth);
    std::printf("%10zu %10.1f %14.1f %10.1f %14.1f %16.0f %20.0f\n", depth, put.clock, put.cpu, claim.clock, claim.cpu,
                memory, memory - message_octets);
    std::fflush(stdout);
  }
  return 0;
}
