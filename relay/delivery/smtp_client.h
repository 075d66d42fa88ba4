// SPDX-License-Identifier: Apache-2.0
// One SMTP or LMTP connection to a next hop as a client (RFC 5321, 2033, 3207, 4954): greets, secures, logs in, and
// carries one transaction after the other.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/secret.h"
#include "conf/settings.h"
#include "queue/mail_queue.h"
#include "relay/delivery/client_stream.h"
#include "relay/delivery/next_hop.h"
#include "relay/delivery/reply_parser.h"

namespace sealpost {

/// RFC 5321 section 4.5.3.2.
struct SmtpTimeouts {
  std::chrono::milliseconds connect{std::chrono::seconds(30)};
  std::chrono::milliseconds greeting{std::chrono::seconds(300)};
  std::chrono::milliseconds mail{std::chrono::seconds(300)};
  std::chrono::milliseconds rcpt{std::chrono::seconds(300)};
  std::chrono::milliseconds data{std::chrono::seconds(120)};
  std::chrono::milliseconds block{std::chrono::seconds(180)};
  std::chrono::milliseconds final{std::chrono::seconds(600)};
  /// Octets of content per second: who takes them slower in the whole is left, though each block was in time.
  std::size_t least_rate = 4096;
};

struct SmtpTarget {
  Route::Kind kind = Route::Kind::Smtp;  ///< Smtp, Smtps or Lmtp
  std::string host;
  std::uint16_t port = 25;
  std::vector<Poco::Net::SocketAddress> addresses;  ///< of an MX host; empty: the system's resolver knows `host`
  std::string helo;                                 ///< relay.hostname
  TlsPolicy tls = TlsPolicy::Opportunistic;
  std::string username;  ///< empty: no AUTH
  Secret password;
  SmtpTimeouts timeouts;
};

class SmtpClient final {
 public:
  /// Connects and greets. The error tells how the attempt ends. Raising `stop` ends whatever waits: before the final
  /// dot as Abandoned, after it as Deferred, since what became of the message is not known then. Target and flag must
  /// outlive the client.
  static Result<std::unique_ptr<SmtpClient>, Outcome> open(const SmtpTarget& target, const PollableFlag& stop,
                                                           bool use_tls = true);

  /// One transaction for one delivery; how many there were.
  Outcome send(const Claim& claim, DeliveryBody& body);
  [[nodiscard]] unsigned transactions() const { return transactions_; }
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
  SmtpClient(const SmtpTarget& target, const PollableFlag& stop, std::unique_ptr<ClientStream> stream, bool use_tls)
      : target_(target), stop_(stop), stream_(std::move(stream)), use_tls_(use_tls) {}

  Result<RemoteReply, Outcome> read_reply(std::chrono::milliseconds timeout);
  Result<RemoteReply, Outcome> command(const std::string& line, std::chrono::milliseconds timeout);
  /// The words, then the secret in base64; neither is left behind in memory.
  Result<RemoteReply, Outcome> secret_command(std::string_view words, std::string_view secret);
  Status write(std::string_view octets, std::chrono::milliseconds timeout);
  Result<void, Outcome> greet();
  [[nodiscard]] bool greeted_by_ourselves(const RemoteReply& greeting) const;
  Result<void, Outcome> hello();
  Result<void, Outcome> secure_connection();
  Result<void, Outcome> log_in();
  [[nodiscard]] std::string mail_line(const Claim& claim) const;
  [[nodiscard]] std::string rcpt_line(const DeliveryRecord& delivery) const;
  Result<void, Outcome> begin_data(const Claim& claim);
  void end_unwanted_data();
  Outcome send_body(DeliveryBody& body, std::uint64_t size);
  Outcome broken(const Error& why);
  Outcome refused(const RemoteReply& reply, Refused what = Refused::Message);
  Outcome session_refused(const RemoteReply& reply);
  [[nodiscard]] std::uint64_t size_limit() const;
  [[nodiscard]] Custody custody() const;
  [[nodiscard]] bool offers(const std::string& keyword) const { return extensions_.contains(keyword); }

  const SmtpTarget& target_;
  const PollableFlag& stop_;
  std::unique_ptr<ClientStream> stream_;
  std::map<std::string, std::string> extensions_;  ///< upper-case keyword, parameters
  bool use_tls_;
  bool tls_failed_ = false;
  bool usable_ = true;
  bool answered_ = false;
  unsigned transactions_ = 0;
};

}  // namespace sealpost
