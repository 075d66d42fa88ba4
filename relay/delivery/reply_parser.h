// SPDX-License-Identifier: Apache-2.0
// Replies of a next hop (RFC 5321 section 4.2, RFC 2034), bounded in lines and octets.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sealpost {

struct RemoteReply {
  int code = 0;
  std::string enhanced;            ///< "4.2.2", or x.0.0 when the reply has none
  std::string text;                ///< at most 512 printable octets, code included
  std::vector<std::string> lines;  ///< what follows the code, of at most 100 lines

  [[nodiscard]] int severity() const { return code / 100; }
};

/// Gathers lines until the reply is complete. Stops taking at 100 lines and 64 KiB.
class ReplyParser final {
 public:
  enum class State { More, Complete, Malformed };
  /// A line without its CRLF.
  State add(std::string_view line);
  [[nodiscard]] const RemoteReply& reply() const { return reply_; }

 private:
  RemoteReply reply_;
  std::size_t octets_ = 0;
};

}  // namespace sealpost
