// SPDX-License-Identifier: Apache-2.0
// Keeps keys.pool_size pairs ready, from a thread of the lowest priority. A sender never waits for it: it only finds
// the pool filled or not.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/log.h"
#include "conf/settings.h"
#include "crypto/key_vault.h"

namespace sealpost {

/// The stock is counted in Redis, over all nodes, before each pair is made; so nodes that fill at once overshoot by at
/// most one pair each, and need no lock.
class KeyPool final {
 public:
  KeyPool(KeyVault& vault, std::size_t wanted, Log& log);
  ~KeyPool();
  KeyPool(const KeyPool&) = delete;
  KeyPool& operator=(const KeyPool&) = delete;

  void start();
  /// Returns soon even while a pair is being made; the pair is abandoned.
  void stop();

 private:
  void run(const std::stop_token& stop);
  bool fill(const std::stop_token& stop);

  KeyVault& vault_;
  std::size_t wanted_;
  Log& log_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  bool used_ = false;
  std::jthread thread_;
};

}  // namespace sealpost
