// SPDX-License-Identifier: Apache-2.0
// Implements client.h over hiredis' blocking API.
#include "base/redis/client.h"

#include <hiredis/hiredis.h>
#include <openssl/sha.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>

#include "base/encoding.h"

namespace sealpost::redis {
namespace {

constexpr std::string_view away_text = "the queue's store cannot be reached";
constexpr std::string_view full_text = "the queue's store is full";
constexpr unsigned slots = 16384;

timeval to_timeval(std::chrono::milliseconds duration) {
  return {static_cast<time_t>(duration.count() / 1000), static_cast<suseconds_t>(duration.count() % 1000 * 1000)};
}

Error away(std::string detail) { return Error::temporary(std::string(away_text), std::move(detail)); }

bool begins_with_any(std::string_view text, std::initializer_list<std::string_view> prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](std::string_view prefix) { return text.starts_with(prefix); });
}

/// EVALSHA as words that point into what was given.
Result<std::vector<std::string_view>> call_words(const Script& script, std::string_view key_count,
                                                 const std::vector<std::string>& keys,
                                                 const std::vector<std::string>& arguments) {
  std::vector<std::string_view> words = {"EVALSHA", script.sha1(), key_count};
  for (const auto& key : keys) {
    if (slot_of(key) != slot_of(keys.front())) {
      return Error::internal("script " + script.name() + ": keys in different slots");
    }
    words.emplace_back(key);
  }
  words.insert(words.end(), arguments.begin(), arguments.end());
  return words;
}

}  // namespace

Error to_error(const ReplyView& reply) {
  const std::string_view text = reply.text();
  std::string detail = "redis: " + std::string(text);
  if (begins_with_any(text, {"OOM", "MISCONF"}) || text.find("OOM command not allowed") != std::string_view::npos) {
    return store_full(std::move(detail));
  }
  if (begins_with_any(text, {"LOADING", "BUSY", "READONLY", "MASTERDOWN", "NOAUTH", "WRONGPASS", "NOPERM",
                             "CLUSTERDOWN", "TRYAGAIN"})) {
    return away(std::move(detail));
  }
  return Error::internal(std::move(detail));
}

Error store_full(std::string detail) { return Error::temporary(std::string(full_text), std::move(detail)); }

bool is_store_full(const Error& error) { return error.kind == ErrorKind::Temporary && error.public_text == full_text; }

Script::Script(std::string name, std::string source) : name_(std::move(name)), source_(std::move(source)) {
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(source_.data()), source_.size(), digest.data());
  sha1_ = to_hex({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

/// One connection; broken for good after the first failure.
class Client::Connection final {
 public:
  Status open(const Endpoint& endpoint, std::chrono::milliseconds timeout) {
    const timeval limit = to_timeval(timeout);
    context_.reset(endpoint.unix_path.empty() ? redisConnectWithTimeout(endpoint.host.c_str(), endpoint.port, limit)
                                              : redisConnectUnixWithTimeout(endpoint.unix_path.c_str(), limit));
    if (!context_ || context_->err != 0) return failure();
    if (redisSetTimeout(context_.get(), limit) != REDIS_OK) return failure();
    if (!endpoint.password.empty()) {
      std::vector<std::string_view> auth = {"AUTH"};
      if (!endpoint.username.empty()) auth.emplace_back(endpoint.username);
      auth.push_back(endpoint.password.reveal());
      if (auto done = expect_ok(auth); !done) return done;
    }
    if (endpoint.database != 0) return expect_ok({"SELECT", std::to_string(endpoint.database)});
    return {};
  }

  Status send(const std::vector<std::string_view>& words) {
    pointers_.clear();
    lengths_.clear();
    for (const auto word : words) {
      pointers_.push_back(word.data());
      lengths_.push_back(word.size());
    }
    const int sent =
        redisAppendCommandArgv(context_.get(), static_cast<int>(words.size()), pointers_.data(), lengths_.data());
    if (sent != REDIS_OK) return failure();
    ++pending_;
    return {};
  }

  Result<Reply> receive() {
    void* reply = nullptr;
    if (redisGetReply(context_.get(), &reply) != REDIS_OK || reply == nullptr) return failure();
    --pending_;
    return Reply(static_cast<redisReply*>(reply));
  }

  /// From another thread: ends the call that waits on this connection.
  void interrupt() const {
    if (context_) ::shutdown(context_->fd, SHUT_RDWR);
  }

  /// A reply that nobody read (an exception came between) would be the answer to the next caller's command.
  [[nodiscard]] bool broken() const { return broken_ || pending_ != 0; }

 private:
  struct ContextDeleter {
    void operator()(redisContext* context) const { redisFree(context); }
  };

  Error failure() {
    broken_ = true;
    return away(std::string("redis: ").append(context_ ? context_->errstr : "out of memory"));
  }

  Status expect_ok(const std::vector<std::string_view>& words) {
    if (auto sent = send(words); !sent) return sent;
    auto reply = receive();
    if (!reply) return reply.error();
    if (!reply->is_error()) return {};
    broken_ = true;
    return away("redis: " + std::string(reply->text()));
  }

  std::unique_ptr<redisContext, ContextDeleter> context_;
  bool broken_ = false;
  std::size_t pending_ = 0;  ///< commands whose replies were not read yet
  std::vector<const char*> pointers_;
  std::vector<std::size_t> lengths_;
};

/// A connection taken from the pool; goes back at the end unless it broke.
class Client::Lease final {
 public:
  Lease(Client& client, std::unique_ptr<Connection> connection)
      : client_(&client), connection_(std::move(connection)) {}
  Lease(Lease&&) noexcept = default;
  Lease& operator=(Lease&&) = delete;
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  ~Lease() {
    if (connection_) client_->give_back(std::move(connection_));
  }
  Connection* operator->() { return connection_.get(); }

 private:
  Client* client_;
  std::unique_ptr<Connection> connection_;
};

Client::Client(Endpoint endpoint, std::chrono::milliseconds timeout, std::size_t max_connections, metrics::Timing took)
    : endpoint_(std::move(endpoint)), timeout_(timeout), max_connections_(max_connections), took_(took) {}

Client::~Client() = default;

Result<Client::Lease> Client::lease() {
  {
    std::unique_lock lock(mutex_);
    const bool free =
        returned_.wait_for(lock, timeout_, [this] { return closed_ || !idle_.empty() || open_ < max_connections_; });
    if (closed_) return away("redis: closed");
    if (!free) return away("redis: every connection is in use");
    ++open_;
    if (!idle_.empty()) {
      auto connection = std::move(idle_.back());
      idle_.pop_back();
      busy_.insert(connection.get());
      return Lease(*this, std::move(connection));
    }
  }
  auto connection = std::make_unique<Connection>();
  auto opened = connection->open(endpoint_, timeout_);
  {
    const std::lock_guard lock(mutex_);
    busy_.insert(connection.get());
    if (closed_) connection->interrupt();
  }
  Lease lease(*this, std::move(connection));
  if (!opened) return opened.error();
  return lease;
}

void Client::give_back(std::unique_ptr<Connection> connection) {
  {
    const std::lock_guard lock(mutex_);
    --open_;
    busy_.erase(connection.get());
    if (!connection->broken()) {
      idle_.push_back(std::move(connection));
    } else {
      idle_.clear();  // what broke one (a restart of Redis) has broken the others, too
    }
  }
  returned_.notify_one();
}

void Client::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    for (const auto* connection : busy_) connection->interrupt();
  }
  returned_.notify_all();
}

Result<std::vector<Reply>> Client::exchange(const std::vector<Words>& commands) {
  const auto begun = std::chrono::steady_clock::now();
  auto replies = exchange_untimed(commands);
  took_.since(begun);
  return replies;
}

Result<std::vector<Reply>> Client::exchange_untimed(const std::vector<Words>& commands) {
  auto connection = lease();
  if (!connection) return connection.error();
  for (const auto& words : commands) {
    if (auto sent = (*connection)->send(words); !sent) return sent.error();
  }
  std::vector<Reply> replies;
  replies.reserve(commands.size());
  for (std::size_t i = 0; i < commands.size(); ++i) {
    auto reply = (*connection)->receive();
    if (!reply) return reply.error();
    replies.push_back(std::move(*reply));
  }
  return replies;
}

Result<Reply> Client::command(const Command& command) {
  auto replies = exchange({Words(command.begin(), command.end())});
  if (!replies) return replies.error();
  if (replies->front().is_error()) return to_error(replies->front());
  return std::move(replies->front());
}

Result<std::vector<Reply>> Client::pipeline(const std::vector<Command>& commands) {
  std::vector<Words> words;
  words.reserve(commands.size());
  for (const auto& command : commands) words.emplace_back(command.begin(), command.end());
  return pipeline_views(words);
}

Result<std::vector<Reply>> Client::pipeline_views(const std::vector<Words>& commands) {
  auto replies = exchange(commands);
  if (!replies) return replies;
  for (const auto& reply : *replies) {
    if (reply.is_error()) return to_error(reply);
  }
  return replies;
}

Result<Reply> Client::run(const Script& script, const std::vector<std::string>& keys,
                          const std::vector<std::string>& arguments) {
  const std::string count = std::to_string(keys.size());
  auto words = call_words(script, count, keys, arguments);
  if (!words) return words.error();
  auto replies = evaluate(script, {std::move(*words)});
  if (!replies) return replies.error();
  return std::move(replies->front());
}

Result<std::vector<Reply>> Client::run_all(const Script& script, const std::vector<Call>& calls) {
  std::vector<std::string> counts;
  counts.reserve(calls.size());  // the words point into it
  std::vector<Words> commands;
  for (const auto& call : calls) {
    auto words = call_words(script, counts.emplace_back(std::to_string(call.keys.size())), call.keys, call.arguments);
    if (!words) return words.error();
    commands.push_back(std::move(*words));
  }
  return evaluate(script, std::move(commands));
}

Result<std::vector<Reply>> Client::evaluate(const Script& script, std::vector<Words> commands) {
  auto replies = exchange(commands);
  if (!replies) return replies;
  for (std::size_t i = 0; i < commands.size(); ++i) {
    if (!(*replies)[i].is_error() || !(*replies)[i].text().starts_with("NOSCRIPT")) continue;
    commands[i][0] = "EVAL";
    commands[i][1] = script.source();
    auto again = exchange({commands[i]});
    if (!again) return again;
    (*replies)[i] = std::move(again->front());
  }
  for (const auto& reply : *replies) {
    if (!reply.is_error()) continue;
    Error error = to_error(reply);
    error.internal_detail = script.name() + ": " + error.internal_detail;
    return error;
  }
  return replies;
}

unsigned slot_of(std::string_view key) {
  const auto open = key.find('{');
  if (open != std::string_view::npos) {
    const auto close = key.find('}', open + 1);
    if (close != std::string_view::npos && close > open + 1) key = key.substr(open + 1, close - open - 1);
  }
  unsigned crc = 0;  // CRC-16/XMODEM, as Redis Cluster's specification names it
  for (const char octet : key) {
    crc ^= static_cast<unsigned>(static_cast<unsigned char>(octet)) << 8U;
    for (int bit = 0; bit < 8; ++bit) crc = ((crc & 0x8000U) != 0 ? crc << 1U ^ 0x1021U : crc << 1U) & 0xffffU;
  }
  return crc % slots;
}

}  // namespace sealpost::redis
