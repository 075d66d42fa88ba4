// SPDX-License-Identifier: Apache-2.0
// One SMTP or LMTP connection to a next hop as a client (RFC 5321, 2033, 3207, 4954): greets, secures, logs in, and carries one
// transaction after the other.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "base/secret.h"
#include "conf/settings.h"
#include "queue/mail_queue.h"
#include "relay/delivery/client_stream.h"
#include "relay/delivery/next_hop.h"
#include "relay/delivery/reply_parser.h"

namespace sealpost {

/// RFC 5321 section 4.5.3.2.
struct SmtpTimeouts {
  std::chrono::seconds connect{30};
  std::chrono::seconds greeting{300};
  std::chrono::seconds mail{300};
  std::chrono::seconds rcpt{300};
  std::chrono::seconds data{120};
  std::chrono::seconds block{180};
  std::chrono::seconds final{600};
};

struct SmtpTarget {
  Route::Kind kind = Route::Kind::Smtp;  ///< Smtp, Smtps or Lmtp
  std::string host;
  std::uint16_t port = 25;
  std::string helo;  ///< relay.hostname
  TlsPolicy tls = TlsPolicy::Opportunistic;
  std::string username;  ///< empty: no AUTH
  Secret password;
  SmtpTimeouts timeouts;
};

class SmtpClient final {
 public:
  /// Connects and greets. The error tells how the attempt ends.
  static Result<std::unique_ptr<SmtpClient>, Outcome> open(const SmtpTarget& target, bool use_tls = true);

  /// One transaction for one delivery.
  Outcome send(const Claim& claim, DeliveryBody& body);
  void quit();

  /// Fit for another transaction.
  [[nodiscard]] bool usable() const { return usable_; }
  /// The server hung up or spoke while nobody asked.
  [[nodiscard]] bool stale() { return stream_->has_unread(); }
  /// True once a reply of the current transaction has come: its end is then the server's word.
  [[nodiscard]] bool answered() const { return answered_; }
  [[nodiscard]] bool secure() const { return stream_->secure(); }
  [[nodiscard]] bool loopback() const { return stream_->loopback(); }
  [[nodiscard]] AttemptTrace trace() const { return {target_.host, stream_->address(), stream_->tls()}; }

 private:
  SmtpClient(const SmtpTarget& target, std::unique_ptr<ClientStream> stream, bool use_tls)
      : target_(target), stream_(std::move(stream)), use_tls_(use_tls) {}

  Result<RemoteReply, Outcome> read_reply(std::chrono::seconds timeout);
  Result<RemoteReply, Outcome> command(const std::string& line, std::chrono::seconds timeout);
  Status write(std::string_view octets, std::chrono::seconds timeout);
  Result<bool, Outcome> greet();
  Result<bool, Outcome> hello();
  Result<bool, Outcome> secure_connection();
  Result<bool, Outcome> log_in();
  [[nodiscard]] std::string mail_line(const DeliveryRecord& delivery, std::uint64_t size) const;
  [[nodiscard]] std::string rcpt_line(const DeliveryRecord& delivery) const;
  Result<bool, Outcome> begin_data(const DeliveryRecord& delivery);
  Outcome send_body(DeliveryBody& body);
  Outcome broken(const Error& why);
  Outcome refused(const RemoteReply& reply);
  [[nodiscard]] bool offers(const std::string& keyword) const { return extensions_.contains(keyword); }

  const SmtpTarget& target_;
  std::unique_ptr<ClientStream> stream_;
  std::map<std::string, std::string> extensions_;  ///< upper-case keyword, parameters
  bool use_tls_;
  bool tls_failed_ = false;
  bool usable_ = true;
  bool answered_ = false;
};

}  // namespace sealpost
