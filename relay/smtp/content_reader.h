// SPDX-License-Identifier: Apache-2.0
// Reads message content from DATA and BDAT: strict about line ends, bounded in size and memory, byte for byte
// otherwise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/memory_budget.h"
#include "base/secret.h"

namespace sealpost::smtp {

/// Why content is not accepted. Once set, content is discarded, but its end is still found: no octet of it becomes a
/// command. Of several faults the one that stands last here is told, so that the reply does not hang on how the octets
/// were cut.
enum class ContentFault { None, NoMemory, TooLarge, BareLineEnd };

/// Octets of memory that one octet of content takes until it is queued. The most is needed while a message is sealed
/// for RSA and EC recipients: the content in a buffer that grew by halves (1.5), the first key type's ciphertext (1),
/// the second's inside OpenSSL, whose buffers grow by thirds (1.33), and its DER (1): 4.83. Laying it out for the queue
/// comes next: both ciphertexts twice (4).
inline constexpr std::size_t memory_per_octet = 5;

/// Gathers content under the limits; shared by both readers.
class ContentStore final {
 public:
  ContentStore(MemoryBudget& budget, std::uint64_t max_octets) : budget_(&budget), max_octets_(max_octets) {}

  void add(std::string_view octets);
  void fail(ContentFault fault);
  [[nodiscard]] ContentFault fault() const { return fault_; }
  /// The content, and with it the memory that was reserved.
  WipedBuffer take(MemoryBudget::Reservation& reservation);

 private:
  MemoryBudget* budget_;
  std::uint64_t max_octets_;
  std::uint64_t octets_ = 0;  ///< all that came, kept or not
  ContentFault fault_ = ContentFault::None;
  WipedBuffer content_;
  MemoryBudget::Reservation reservation_;
};

/// DATA (RFC 5321 section 4.1.1.4): removes dot-stuffing; only CRLF.CRLF ends it.
class DataReader final {
 public:
  /// Returns how many octets belong to the content or its end; all of them unless the end was found.
  std::size_t consume(std::string_view octets, ContentStore& store);
  [[nodiscard]] bool complete() const { return state_ == State::End; }

 private:
  enum class State { LineStart, Dot, DotCr, Line, Cr, End };
  std::size_t pass_line(std::string_view octets, ContentStore& store);
  State state_ = State::LineStart;
};

/// BDAT (RFC 3030): chunks of announced size; line ends are checked across their borders.
class ChunkReader final {
 public:
  void begin(std::uint64_t octets) { left_ = octets; }
  /// Returns how many octets belong to the chunk.
  std::size_t consume(std::string_view octets, ContentStore& store);
  [[nodiscard]] bool complete() const { return left_ == 0; }
  /// The last chunk is complete: a CR without its LF is bare.
  void end(ContentStore& store) const {
    if (after_cr_) store.fail(ContentFault::BareLineEnd);
  }

 private:
  std::uint64_t left_ = 0;
  bool after_cr_ = false;
};

}  // namespace sealpost::smtp
