// SPDX-License-Identifier: Apache-2.0
// Implements redis_server.h.
#include "tests/support/redis_server.h"

#include <csignal>
#include <stdexcept>

namespace sealpost::test {

RedisServer::RedisServer(std::vector<std::string> extra) : extra_(std::move(extra)) { start(); }

RedisServer::~RedisServer() = default;

redis::Endpoint RedisServer::endpoint() const {
  redis::Endpoint endpoint;
  endpoint.unix_path = socket();
  return endpoint;
}

void RedisServer::kill() { process_.reset(); }

void RedisServer::start() {
  std::vector<std::string> argv = {"redis-server",
                                   "--port",
                                   "0",
                                   "--unixsocket",
                                   socket(),
                                   "--dir",
                                   dir_.path().string(),
                                   "--appendonly",
                                   "yes",
                                   "--appendfsync",
                                   "always",
                                   "--save",
                                   "",
                                   "--maxmemory",
                                   "256mb",
                                   "--maxmemory-policy",
                                   "noeviction",
                                   "--auto-aof-rewrite-min-size",
                                   "1gb"};
  argv.insert(argv.end(), extra_.begin(), extra_.end());
  process_ = std::make_unique<Process>(argv);
  if (process_->wait_for("The server is now ready to accept connections").empty()) {
    throw std::runtime_error("redis-server did not start: " + process_->output());
  }
}

}  // namespace sealpost::test
