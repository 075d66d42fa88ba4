// SPDX-License-Identifier: Apache-2.0
// The master key that all bytes at rest hang on: its file, its binding to one Redis, and the Wrapper that uses it.
// Knows no kind of secret by name but its purpose.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/redis/client.h"
#include "base/wrapper.h"

namespace sealpost {

/// The file holds one or more keys, one line each; the last one wraps, all of them unwrap. MACs stay on the first one
/// for good, since they name things in Redis (tokens, codes) that nobody could find again under another key: a rotation
/// appends a line and never removes the first. Immutable after load(), hence safe from any thread.
class MasterKey final : public Wrapper {
 public:
  /// First start and every other: loads the file or makes it, and binds it to the store. Invalid (exit 78) names the
  /// file and the reason; a missing file is not made anew when the store hangs on a key already.
  static Result<MasterKey> open(const std::string& path, redis::Client& redis, Random& random);
  /// Invalid when the file is missing, malformed or open to others than its owner.
  static Result<MasterKey> load(const std::string& path, Random& random);
  /// Writes a file with one fresh key, mode 0600, durable when it returns. Invalid when there is one.
  static Status create(const std::string& path, Random& random);

  /// Sets the key's id and check value in a new store; Invalid when the store hangs on another key.
  Status bind_to_store(redis::Client& redis) const;
  /// The same comparison without setting anything; Temporary for a store that hangs on no key yet.
  Status compare_with_store(redis::Client& redis) const;
  /// Id of the first key, as Redis and the log name it.
  [[nodiscard]] const std::string& id() const { return keys_.front().id; }

  Result<std::string> wrap(Purpose purpose, std::string_view context, std::string_view plain) override;
  Result<WipedBuffer> unwrap(Purpose purpose, std::string_view context, std::string_view blob) override;
  std::string mac(Purpose purpose, std::string_view data) override;

 private:
  /// The last one of the enumeration; who asks for one behind it is refused by at().
  static constexpr std::size_t purposes = static_cast<std::size_t>(Purpose::OperatorSession) + 1;
  struct Key {
    std::string id;  ///< eight hex digits, derived from the key
    std::array<Secret, purposes> wrap_keys;
    std::array<Secret, purposes> mac_keys;
    std::string check;  ///< proves the key without telling it
  };

  MasterKey(std::string path, std::vector<Key> keys, Random& random)
      : path_(std::move(path)), keys_(std::move(keys)), random_(random) {}
  static Result<Key> derive(const Secret& secret);
  static Result<std::vector<Key>> parse(std::string_view text);

  std::string path_;
  std::vector<Key> keys_;
  Random& random_;
};

}  // namespace sealpost
