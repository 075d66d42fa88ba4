// SPDX-License-Identifier: Apache-2.0
// A mail server as a test wants it: friendly at every stage unless told otherwise, SMTP or LMTP, plain, STARTTLS or
// TLS. It notes all that it is told, and serves each connection on a thread of its own.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/openssl.h"

namespace sealpost::test {

/// What the server says at a stage, and what it does then.
struct Answer {
  enum class Then { GoOn, Close, Silence, Drip };
  std::string octets;  ///< a reply; lines are joined by "\n" and ended with CRLF
  Then then = Then::GoOn;

  Answer(const char* reply) : octets(reply) {}             // NOLINT(google-explicit-constructor)
  Answer(std::string reply) : octets(std::move(reply)) {}  // NOLINT(google-explicit-constructor)
  Answer(std::string reply, Then after) : octets(std::move(reply)), then(after) {}
  static Answer close() { return {"", Then::Close}; }
  /// Says nothing any more, reads nothing any more, and keeps the connection open.
  static Answer silence() { return {"", Then::Silence}; }
  /// Sends an octet now and then for ever, and never ends a line.
  static Answer drip() { return {"", Then::Drip}; }
};

struct SmtpServerOptions {
  enum class Tls { None, StartTls, Implicit };
  Tls tls = Tls::None;
  std::string certificate;  ///< PEM file with key and certificate; empty: TestCertificates::good()
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  ///< 0: a free one
  /// EHLO lines besides STARTTLS, which the server adds itself.
  std::vector<std::string> extensions = {"PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES"};
  std::chrono::milliseconds pause{0};  ///< in front of each read of up to 64 KiB
};

class SmtpServer final {
 public:
  using Options = SmtpServerOptions;
  explicit SmtpServer(Options options = {});
  ~SmtpServer();
  SmtpServer(const SmtpServer&) = delete;
  SmtpServer& operator=(const SmtpServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }

  /// Answers for a stage, in turn; the last one stays. Stages: CONNECT, TLS (the handshake: only close, silence and
  /// drip), the verbs in upper case, AUTH again for each line of its dialogue, and "." for the end of data.
  void answer(const std::string& stage, std::deque<Answer> answers);

  /// All lines that came, of all connections in turn, "." for the end of data, "TLS" for the begin of a handshake that
  /// is met with silence; message lines are not among them.
  std::vector<std::string> lines();
  /// The first line that begins so; empty when none does.
  std::string line(const std::string& prefix);
  /// Waits until such a line has come; false when none has for half a minute.
  bool wait_for(const std::string& prefix, std::size_t count = 1);
  /// The data of each message, dot-unstuffed, without the end of data.
  std::vector<std::string> messages();
  std::size_t connections();
  /// Hangs up on all that are connected.
  void disconnect();

 private:
  class Session;
  void accept_all();
  Answer next(const std::string& stage);

  Options options_;
  SslCtxPtr context_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::map<std::string, std::deque<Answer>> answers_;
  std::vector<std::string> lines_;
  std::vector<std::string> messages_;
  std::vector<int> descriptors_;  ///< of all connections, open until the end so that numbers stay theirs
  std::vector<std::thread> sessions_;
  std::thread acceptor_;
};

}  // namespace sealpost::test
