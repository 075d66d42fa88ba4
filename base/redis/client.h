// SPDX-License-Identifier: Apache-2.0
// The adapter over hiredis: a pool of blocking connections, pipelines, and named Lua scripts that touch one hash slot
// each.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "base/redis/reply.h"
#include "base/result.h"
#include "base/secret.h"

namespace sealpost::redis {

/// Where Redis listens and who we are there. unix_path wins over host when it is set.
struct Endpoint {
  std::string unix_path;
  std::string host;
  int port = 6379;
  int database = 0;
  std::string username;
  Secret password;
};

using Command = std::vector<std::string>;

/// One atomic operation. Source and SHA-1 are fixed at compile or start time; every key must lie in one hash slot.
class Script final {
 public:
  Script(std::string name, std::string source);
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& source() const { return source_; }
  [[nodiscard]] const std::string& sha1() const { return sha1_; }

 private:
  std::string name_;
  std::string source_;
  std::string sha1_;
};

/// Errors: Temporary when Redis cannot be reached, is loading, or is out of memory (`public_text` says so in plain
/// words); Internal when a script or command is wrong. A connection that failed is dropped and made anew by the next
/// call, so recovery needs no restart. Safe from any thread; each call uses a connection of its own while it runs.
class Client final {
 public:
  /// `took`: each round trip, the wait for a connection and what failed included.
  Client(Endpoint endpoint, std::chrono::milliseconds timeout, std::size_t max_connections = 64,
         metrics::Timing took = {});
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  Result<Reply> command(const Command& command);
  /// All commands in one round trip; the first error reply among them is the Error of the whole.
  Result<std::vector<Reply>> pipeline(const std::vector<Command>& commands);
  /// The same for words that the caller keeps until it returns, so that large ones are not copied.
  using Words = std::vector<std::string_view>;
  Result<std::vector<Reply>> pipeline_views(const std::vector<Words>& commands);
  /// EVALSHA, with one retry by EVAL when Redis does not know the script yet. Internal, and nothing sent, when
  /// the keys lie in different slots.
  Result<Reply> run(const Script& script, const std::vector<std::string>& keys,
                    const std::vector<std::string>& arguments);
  /// Many runs of one script in one round trip.
  struct Call {
    std::vector<std::string> keys;
    std::vector<std::string> arguments;
  };
  Result<std::vector<Reply>> run_all(const Script& script, const std::vector<Call>& calls);
  /// For good: calls that wait for Redis end with Temporary at once, and so does every later one.
  void close();

 private:
  Result<std::vector<Reply>> exchange(const std::vector<Words>& commands);
  Result<std::vector<Reply>> exchange_untimed(const std::vector<Words>& commands);
  Result<std::vector<Reply>> evaluate(const Script& script, std::vector<Words> commands);
  class Connection;
  class Lease;
  Result<Lease> lease();
  void give_back(std::unique_ptr<Connection> connection);

  Endpoint endpoint_;
  std::chrono::milliseconds timeout_;
  std::size_t max_connections_;
  metrics::Timing took_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::size_t open_ = 0;
  bool closed_ = false;
  std::set<Connection*> busy_;  ///< those that calls use now
  std::vector<std::unique_ptr<Connection>> idle_;
};

/// Tells a full store (its maxmemory is reached; waiting mail drains it) from one that is away. Both are Temporary.
bool is_store_full(const Error& error);
/// What a full store means, for whoever sees it coming before Redis does.
Error store_full(std::string detail);
/// The Error that an error reply means.
Error to_error(const ReplyView& reply);

/// CRC16 slot of a key (Redis Cluster specification): the part in braces decides when there is one.
unsigned slot_of(std::string_view key);

}  // namespace sealpost::redis
