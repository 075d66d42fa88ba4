// SPDX-License-Identifier: Apache-2.0
// Implements smtp_server.h: blocking sockets, which the destructor shuts down to end their threads.
#include "tests/support/smtp_server.h"

#include <Poco/Net/SocketAddress.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <stdexcept>

#include "base/encoding.h"
#include "tests/support/test_certificates.h"

namespace sealpost::test {
namespace {

constexpr std::chrono::milliseconds drip_interval{20};

SslCtxPtr server_context(const std::string& certificate) {
  SslCtxPtr context(SSL_CTX_new(TLS_server_method()));
  if (SSL_CTX_use_certificate_chain_file(context.get(), certificate.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(context.get(), certificate.c_str(), SSL_FILETYPE_PEM) != 1) {
    throw std::runtime_error("certificate: " + openssl_errors());
  }
  return context;
}

/// "RCPT" of "RCPT TO:<a@b>".
std::string verb_of(const std::string& line) {
  std::string verb = line.substr(0, line.find_first_of(" :"));
  std::transform(verb.begin(), verb.end(), verb.begin(), [](char c) { return c >= 'a' && c <= 'z' ? c - 32 : c; });
  return verb;
}

}  // namespace

/// One connection: reads a line, looks up the answer, gives it.
class SmtpServer::Session final {
 public:
  Session(SmtpServer& server, int descriptor) : server_(server), descriptor_(descriptor) {}

  void run() {
    if (server_.options_.tls == Options::Tls::Implicit && !start_tls()) return;
    if (!give("CONNECT", server_.next("CONNECT"))) return;
    std::string line;
    while (read_line(line)) {
      const std::string stage = in_auth_ ? "AUTH" : verb_of(line);
      note(line);
      if (!give(stage, server_.next(stage))) return;
      if (stage == "STARTTLS" && code_ == 220 && !start_tls()) return;
      in_auth_ = stage == "AUTH" && code_ == 334;
      if (stage == "QUIT") return;
      if (stage == "DATA" && code_ == 354 && !take_message()) return;
    }
  }

 private:
  void note(const std::string& line) {
    {
      const std::lock_guard lock(server_.mutex_);
      server_.lines_.push_back(line);
    }
    server_.changed_.notify_all();
  }

  bool take_message() {
    std::string message;
    std::string line;
    while (true) {
      if (!read_line(line)) return false;
      if (line == ".") break;
      message += (line.starts_with('.') ? line.substr(1) : line) + "\r\n";
    }
    {
      const std::lock_guard lock(server_.mutex_);
      server_.messages_.push_back(std::move(message));
    }
    note(".");
    return give(".", server_.next("."));
  }

  /// False when the conversation is over.
  bool give(const std::string& stage, const Answer& answer) {
    std::string octets = answer.octets;
    if ((stage == "EHLO" || stage == "LHLO") && octets == "250 ok") octets = hello();
    code_ = octets.size() >= 3 ? std::atoi(octets.substr(0, 3).c_str()) : 0;
    for (std::size_t at = 0; (at = octets.find('\n', at)) != std::string::npos; at += 2) octets.replace(at, 1, "\r\n");
    if (!octets.empty() && !write(octets + "\r\n")) return false;
    switch (answer.then) {
      case Answer::Then::GoOn:
        return true;
      case Answer::Then::Close:
        return false;
      case Answer::Then::Silence:
        return be_silent();
      case Answer::Then::Drip:
        return drip("2");
    }
    return false;
  }

  [[nodiscard]] std::string hello() const {
    std::string text = "250-server.example";
    const bool offers_tls = server_.options_.tls == Options::Tls::StartTls && !tls_;
    if (offers_tls) text += "\n250-STARTTLS";
    for (const auto& extension : server_.options_.extensions) text += "\n250-" + extension;
    text += "\n250 HELP";
    return text;
  }

  bool be_silent() {
    std::unique_lock lock(server_.mutex_);
    server_.changed_.wait(lock, [this] { return server_.stopping_; });
    return false;
  }

  bool drip(const std::string& octet) {
    while (write(octet)) {
      std::unique_lock lock(server_.mutex_);
      if (server_.changed_.wait_for(lock, drip_interval, [this] { return server_.stopping_; })) break;
    }
    return false;
  }

  bool start_tls() {
    const Answer answer = server_.next("TLS");
    if (answer.then == Answer::Then::Close) return false;
    pollfd begun{descriptor_, POLLIN, 0};
    if (answer.then == Answer::Then::Drip) {
      // Not before the handshake has begun: that would be octets in clear. A record header that promises more than
      // comes.
      return poll(&begun, 1, 30'000) == 1 && write(std::string("\x16\x03\x03\x3f\xff", 5)) && drip("\x02");
    }
    if (answer.then == Answer::Then::Silence) {
      if (poll(&begun, 1, 30'000) == 1) note("TLS");
      return be_silent();
    }
    tls_.reset(SSL_new(server_.context_.get()));
    SSL_set_fd(tls_.get(), descriptor_);
    const bool done = SSL_accept(tls_.get()) == 1;
    ERR_clear_error();
    return done;
  }

  bool write(std::string_view octets) {
    while (!octets.empty()) {
      const auto count = tls_ ? SSL_write(tls_.get(), octets.data(), static_cast<int>(octets.size()))
                              : ::send(descriptor_, octets.data(), octets.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      octets.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }

  bool read_line(std::string& line) {
    while (true) {
      const auto end = input_.find("\r\n");
      if (end != std::string::npos) {
        line = input_.substr(0, end);
        input_.erase(0, end + 2);
        return true;
      }
      if (server_.options_.pause.count() > 0) {
        std::unique_lock lock(server_.mutex_);
        if (server_.changed_.wait_for(lock, server_.options_.pause, [this] { return server_.stopping_; })) return false;
      }
      std::array<char, 65536> piece{};
      const auto count = tls_ ? SSL_read(tls_.get(), piece.data(), static_cast<int>(piece.size()))
                              : ::recv(descriptor_, piece.data(), piece.size(), 0);
      if (count <= 0) return false;
      input_.append(piece.data(), static_cast<std::size_t>(count));
    }
  }

  SmtpServer& server_;
  int descriptor_;
  SslPtr tls_;
  std::string input_;
  bool in_auth_ = false;
  int code_ = 0;
};

SmtpServer::SmtpServer(Options options) : options_(std::move(options)) {
  std::signal(SIGPIPE, SIG_IGN);
  const auto& certificates = TestCertificates::get();
  if (options_.tls != Options::Tls::None) {
    context_ = server_context(options_.certificate.empty() ? certificates.good() : options_.certificate);
  }
  const Poco::Net::SocketAddress place(Poco::Net::IPAddress::parse(options_.address), options_.port);
  listener_ = socket(place.af(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_storage bound{};
  socklen_t size = sizeof(bound);
  if (bind(listener_, place.addr(), place.length()) != 0 || listen(listener_, 128) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&bound), &size) != 0) {
    throw std::runtime_error("smtp server: no listener on " + place.toString());
  }
  port_ = Poco::Net::SocketAddress(reinterpret_cast<sockaddr*>(&bound), size).port();
  acceptor_ = std::thread([this] { accept_all(); });
}

SmtpServer::~SmtpServer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  disconnect();
  for (auto& session : sessions_) session.join();
  for (const int descriptor : descriptors_) close(descriptor);
  close(listener_);
}

void SmtpServer::accept_all() {
  while (true) {
    const int descriptor = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (descriptor < 0) return;
    const int on = 1;  // else each reply to pipelined commands waits for the acknowledgement of the one before
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    const std::lock_guard lock(mutex_);
    descriptors_.push_back(descriptor);
    sessions_.emplace_back([this, descriptor] {
      Session(*this, descriptor).run();
      shutdown(descriptor, SHUT_RDWR);
    });
  }
}

void SmtpServer::disconnect() {
  const std::lock_guard lock(mutex_);
  for (const int descriptor : descriptors_) shutdown(descriptor, SHUT_RDWR);
}

void SmtpServer::answer(const std::string& stage, std::deque<Answer> answers) {
  const std::lock_guard lock(mutex_);
  answers_[stage] = std::move(answers);
}

Answer SmtpServer::next(const std::string& stage) {
  const std::lock_guard lock(mutex_);
  auto& answers = answers_[stage];
  if (!answers.empty()) {
    Answer answer = answers.front();
    if (answers.size() > 1) answers.pop_front();
    return answer;
  }
  if (stage == "CONNECT") return "220 server.example ready";
  if (stage == "STARTTLS") return "220 2.0.0 go on";
  if (stage == "AUTH") return "235 2.7.0 welcome";
  if (stage == "DATA") return "354 go on";
  if (stage == "QUIT") return "221 2.0.0 bye";
  return "250 ok";
}

std::vector<std::string> SmtpServer::lines() {
  const std::lock_guard lock(mutex_);
  return lines_;
}

std::string SmtpServer::line(const std::string& prefix) {
  for (auto& line : lines()) {
    if (line.starts_with(prefix)) return line;
  }
  return {};
}

bool SmtpServer::wait_for(const std::string& prefix, std::size_t count) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::seconds(30), [&] {
    return static_cast<std::size_t>(std::count_if(lines_.begin(), lines_.end(), [&](const std::string& line) {
             return line.starts_with(prefix);
           })) >= count;
  });
}

std::vector<std::string> SmtpServer::messages() {
  const std::lock_guard lock(mutex_);
  return messages_;
}

std::size_t SmtpServer::connections() {
  const std::lock_guard lock(mutex_);
  return descriptors_.size();
}

}  // namespace sealpost::test
