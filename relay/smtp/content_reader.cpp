// SPDX-License-Identifier: Apache-2.0
// Implements content_reader.h.
#include "relay/smtp/content_reader.h"

#include <algorithm>

namespace sealpost::smtp {
namespace {

/// The budget is asked for this much at a time, so that it is not contended for by every read.
constexpr std::size_t reservation_step = 256UL * 1024;

bool has_lf_or_nul(std::string_view octets) {
  return octets.find('\n') != std::string_view::npos || octets.find('\0') != std::string_view::npos;
}

}  // namespace

void ContentStore::add(std::string_view octets) {
  octets_ += octets.size();
  if (octets_ > max_octets_) return fail(ContentFault::TooLarge);
  if (fault_ != ContentFault::None) return;
  const std::size_t total = content_.size() + octets.size();
  const std::size_t steps = (total * memory_per_octet + reservation_step - 1) / reservation_step;
  if (!reservation_.grow_to(*budget_, steps * reservation_step)) return fail(ContentFault::NoMemory);
  // By halves instead of doubling: what is freed is wiped first, and so in memory whether it was used or not.
  if (total > content_.capacity()) content_.reserve(std::max(total, content_.capacity() + content_.capacity() / 2));
  append(content_, octets);
}

void ContentStore::fail(ContentFault fault) {
  fault_ = std::max(fault_, fault);
  WipedBuffer().swap(content_);
  reservation_.release();
}

WipedBuffer ContentStore::take(MemoryBudget::Reservation& reservation) {
  reservation = std::move(reservation_);
  return std::move(content_);
}

std::size_t DataReader::consume(std::string_view octets, ContentStore& store) {
  std::size_t at = 0;
  std::size_t kept = 0;  // what lies between here and `at` is content that the store does not have yet
  while (at < octets.size() && state_ != State::End) {
    const char c = octets[at];
    switch (state_) {
      case State::LineStart:
        state_ = State::Line;
        if (c != '.') break;
        state_ = State::Dot;
        store.add(octets.substr(kept, at - kept));
        kept = ++at;
        break;
      case State::Dot:
        state_ = State::Line;
        if (c != '\r') break;
        state_ = State::DotCr;
        kept = ++at;
        break;
      case State::DotCr:
      case State::Cr:
        if (c != '\n') {
          store.fail(ContentFault::BareLineEnd);
          state_ = State::Line;
          break;
        }
        ++at;
        if (state_ == State::DotCr) kept = at;
        state_ = state_ == State::DotCr ? State::End : State::LineStart;
        break;
      case State::Line:
        at += pass_line(octets.substr(at), store);
        break;
      case State::End:
        break;
    }
  }
  store.add(octets.substr(kept, at - kept));
  return at;
}

/// Up to and with the next CR. A bare LF or NUL spoils the message but ends no line: nothing resynchronises on it.
std::size_t DataReader::pass_line(std::string_view octets, ContentStore& store) {
  const auto cr = octets.find('\r');
  if (has_lf_or_nul(octets.substr(0, cr))) store.fail(ContentFault::BareLineEnd);
  if (cr == std::string_view::npos) return octets.size();
  state_ = State::Cr;
  return cr + 1;
}

std::size_t ChunkReader::consume(std::string_view octets, ContentStore& store) {
  const auto chunk = octets.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, octets.size())));
  left_ -= chunk.size();
  std::string_view rest = chunk;
  while (!rest.empty()) {
    if (after_cr_) {
      if (rest.front() != '\n') store.fail(ContentFault::BareLineEnd);
      after_cr_ = false;
      rest.remove_prefix(rest.front() == '\n' ? 1 : 0);
      continue;
    }
    const auto cr = rest.find('\r');
    if (has_lf_or_nul(rest.substr(0, cr))) store.fail(ContentFault::BareLineEnd);
    if (cr == std::string_view::npos) break;
    after_cr_ = true;
    rest.remove_prefix(cr + 1);
  }
  store.add(chunk);
  return chunk.size();
}

}  // namespace sealpost::smtp
