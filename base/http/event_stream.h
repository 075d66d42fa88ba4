// SPDX-License-Identifier: Apache-2.0
// Server-sent events (HTML, section 9.2) as an answer that goes on: what a route gives instead of a body, and how many
// such answers there may be. The server writes them, and no worker waits for the next event.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace sealpost::http {

/// What one listener hears. Destroyed when the connection ends.
class EventStream {
 public:
  virtual ~EventStream() = default;
  /// Called once, before take(). `wake` may be called from any thread, and after the stream is gone.
  virtual void subscribe(std::function<void()> wake) = 0;
  /// All since the last call, as it goes over the wire; empty for nothing. Must not block, and must give little: a
  /// listener who is slow is asked again when it has taken the last, so what it misses is the source's to leave out.
  virtual std::string take() = 0;
  /// The listener may hear no more: the connection is closed. Looked at after each wake.
  [[nodiscard]] virtual bool ended() const { return false; }
};

/// One event in its form on the wire. `data` may have several lines; `id` and `name` none.
std::string format_event(std::string_view id, std::string_view name, std::string_view data);

/// Places for streams: of the process, of an account and of a network.
class StreamPlaces final {
 public:
  static constexpr std::size_t in_all = 64;
  static constexpr std::size_t of_one = 8;

  /// Nothing when all are taken; else a place that is free again when it is let go. Must outlive what it gives.
  std::shared_ptr<void> take(const std::string& account, const std::string& network);

 private:
  std::mutex mutex_;
  std::size_t taken_ = 0;
  std::map<std::string, std::size_t> by_owner_;
};

}  // namespace sealpost::http
