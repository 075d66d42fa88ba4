// SPDX-License-Identifier: Apache-2.0
// Fuzz target: message content read whole and in pieces is the same, for DATA and for BDAT. The first octet decides how
// it is cut.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <type_traits>

#include "relay/smtp/content_reader.h"

namespace {

using namespace sealpost;  // NOLINT(google-build-using-namespace): a program of one file

struct Outcome {
  std::string content;
  smtp::ContentFault fault;
  bool complete;
  std::size_t consumed;
  bool operator==(const Outcome&) const = default;
};

template <class Reader>
Outcome read(Reader reader, std::string_view octets, std::size_t piece) {
  MemoryBudget budget(1UL << 22U);
  smtp::ContentStore store(budget, 4096);
  std::size_t consumed = 0;
  while (consumed < octets.size() && !reader.complete()) {
    consumed += reader.consume(octets.substr(consumed, piece), store);
  }
  const bool complete = reader.complete();
  if constexpr (std::is_same_v<Reader, smtp::ChunkReader>) reader.end(store);
  const auto fault = store.fault();
  MemoryBudget::Reservation reservation;
  const WipedBuffer content = store.take(reservation);
  return {std::string(view(content)), fault, complete, consumed};
}

/// What was taken has no line end but CRLF and no NUL.
bool is_strict(std::string_view content) {
  for (std::size_t i = 0; i < content.size(); ++i) {
    if (content[i] == '\0') return false;
    if (content[i] == '\n' && (i == 0 || content[i - 1] != '\r')) return false;
    if (content[i] == '\r' && (i + 1 == content.size() || content[i + 1] != '\n')) return false;
  }
  return true;
}

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = data[0] % 16 + 1UL;
  const std::string_view octets(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Outcome whole = read(smtp::DataReader(), octets, octets.size());
  require(read(smtp::DataReader(), octets, piece) == whole);
  if (whole.complete && whole.fault == smtp::ContentFault::None) {
    require(is_strict(whole.content));
    require(octets.substr(0, whole.consumed).ends_with(".\r\n"));
  }
  smtp::ChunkReader chunk;
  chunk.begin(octets.size());
  const Outcome in_one = read(chunk, octets, octets.size() + 1);
  require(read(chunk, octets, piece) == in_one);
  if (in_one.fault == smtp::ContentFault::None) require(in_one.content == octets && is_strict(octets));
  return 0;
}
