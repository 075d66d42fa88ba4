// SPDX-License-Identifier: Apache-2.0
// Memory that is wiped when it is given back: WipedBuffer for plaintext on its way, Secret for keys, codes and
// passwords.
#pragma once

#include <openssl/crypto.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>
#include <span>
#include <string_view>
#include <vector>

namespace sealpost {

/// Allocator that overwrites memory before it is freed, so that growing a buffer leaves no copy behind.
template <class T>
struct WipingAllocator {
  using value_type = T;
  WipingAllocator() = default;
  template <class U>
  WipingAllocator(const WipingAllocator<U>&) {}  // NOLINT(google-explicit-constructor)
  // Not operator delete, which would wipe a second time (wiped_heap.cpp).
  T* allocate(std::size_t count) {
    static_assert(sizeof(T) == 1, "for octets: no count overflows, any place is aligned");
    if (void* memory = std::malloc(count)) return static_cast<T*>(memory);
    throw std::bad_alloc();
  }
  void deallocate(T* memory, std::size_t count) {
    explicit_bzero(memory, count);
    std::free(memory);
  }
  template <class U>
  bool operator==(const WipingAllocator<U>&) const {
    return true;
  }
};

/// Octets that may hold a sender's plaintext.
using WipedBuffer = std::vector<char, WipingAllocator<char>>;

inline std::string_view view(const WipedBuffer& buffer) { return {buffer.data(), buffer.size()}; }
inline void append(WipedBuffer& buffer, std::string_view octets) {
  buffer.insert(buffer.end(), octets.begin(), octets.end());
}

/// For MACs and the like: how long it takes tells nothing but the lengths.
inline bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

/// A key, code, password or token. Move-only, wiped, without a stream operator; compared in constant time.
class Secret final {
 public:
  Secret() = default;
  explicit Secret(WipedBuffer octets) : octets_(std::move(octets)) {}
  static Secret copy_of(std::string_view octets) { return Secret(WipedBuffer(octets.begin(), octets.end())); }
  Secret(Secret&&) noexcept = default;
  Secret& operator=(Secret&&) noexcept = default;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;

  /// The octets, for the one call that needs them; never store the view.
  [[nodiscard]] std::string_view reveal() const { return {octets_.data(), octets_.size()}; }
  [[nodiscard]] const unsigned char* data() const { return reinterpret_cast<const unsigned char*>(octets_.data()); }
  [[nodiscard]] std::size_t size() const { return octets_.size(); }
  [[nodiscard]] bool empty() const { return octets_.empty(); }
  /// Constant in time for equal lengths.
  [[nodiscard]] bool equals(std::string_view other) const { return equal_in_constant_time(other, reveal()); }

 private:
  WipedBuffer octets_;
};

}  // namespace sealpost
