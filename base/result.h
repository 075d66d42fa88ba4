// SPDX-License-Identifier: Apache-2.0
// Expected failures as values: Error says what went wrong and for whom the words are meant; Result carries a value or
// an error.
#pragma once

#include <chrono>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace sealpost {

enum class ErrorKind {
  Temporary,  ///< may succeed later without a change (store away, resource short)
  Permanent,  ///< will fail again however often it is tried
  Invalid,    ///< the caller's input is wrong
  NotFound,   ///< the named thing does not exist
  Internal    ///< a broken invariant or a failed library call
};

/// Why something failed. Only public_text may reach a peer; internal_detail is for the log. Neither ever holds a
/// secret.
struct Error {
  ErrorKind kind = ErrorKind::Internal;
  std::string public_text;
  std::string internal_detail;
  /// Set when the caller asked too often: when asking again makes sense.
  std::optional<std::chrono::seconds> retry_after = std::nullopt;

  static Error temporary(std::string text, std::string detail = {}) {
    return {ErrorKind::Temporary, std::move(text), std::move(detail)};
  }
  static Error permanent(std::string text, std::string detail = {}) {
    return {ErrorKind::Permanent, std::move(text), std::move(detail)};
  }
  static Error invalid(std::string text, std::string detail = {}) {
    return {ErrorKind::Invalid, std::move(text), std::move(detail)};
  }
  static Error not_found(std::string text, std::string detail = {}) {
    return {ErrorKind::NotFound, std::move(text), std::move(detail)};
  }
  /// The peer learns nothing but that the fault is ours.
  static Error internal(std::string detail) { return {ErrorKind::Internal, "internal error", std::move(detail)}; }
};

/// A value or an error. Ask with `if (!result)` before taking the value.
template <class T, class E = Error>
class [[nodiscard]] Result final {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT(google-explicit-constructor)
  Result(E error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { return *check(std::get_if<0>(&state_)); }
  const T& value() const& { return *check(std::get_if<0>(&state_)); }
  T&& value() && { return std::move(*check(std::get_if<0>(&state_))); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  E& error() & { return *check(std::get_if<1>(&state_)); }
  const E& error() const& { return *check(std::get_if<1>(&state_)); }
  E&& error() && { return std::move(*check(std::get_if<1>(&state_))); }

 private:
  template <class P>
  static P* check(P* pointer) {
    if (pointer == nullptr) std::abort();  // reading the wrong side is a bug, never an outcome
    return pointer;
  }
  std::variant<T, E> state_;
};

/// Success without a value, or an error.
template <class E>
class [[nodiscard]] Result<void, E> final {
 public:
  Result() = default;
  Result(E error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  const E& error() const& {
    if (!error_) std::abort();
    return *error_;
  }
  E&& error() && {
    if (!error_) std::abort();
    return std::move(*error_);
  }

 private:
  std::optional<E> error_;
};

using Status = Result<void, Error>;

}  // namespace sealpost
