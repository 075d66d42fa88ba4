// SPDX-License-Identifier: Apache-2.0
// Implements ledger_sink.h: a thread per connection, ended by shutting its socket down.
#include "tests/e2e/ledger_sink.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

namespace sealpost::test {

struct LedgerSink::Session {
  std::string replies;
  std::string recipient;
  std::string message;
  bool data = false;
};

LedgerSink::LedgerSink(std::function<bool(const std::string&)> refuses)
    : refuses_(std::move(refuses)), listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener_, 256) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("the sink cannot listen");
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

LedgerSink::~LedgerSink() {
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const int client : clients_) shutdown(client, SHUT_RDWR);
  }
  for (auto& thread : threads_) thread.join();
  for (const int client : clients_) close(client);
  close(listener_);
}

std::vector<LedgerSink::Taken> LedgerSink::taken() {
  const std::lock_guard lock(mutex_);
  return taken_;
}

bool LedgerSink::wait_for(const std::function<bool(const std::vector<Taken>&)>& enough, std::chrono::seconds timeout) {
  std::unique_lock lock(mutex_);
  return more_.wait_for(lock, timeout, [&] { return enough(taken_); });
}

void LedgerSink::accept_all() {
  while (true) {
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) return;
    const int on = 1;
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    const std::lock_guard lock(mutex_);
    clients_.push_back(client);
    threads_.emplace_back([this, client] { serve(client); });
  }
}

/// The descriptor stays open until the end, so that nobody else's gets its number.
void LedgerSink::serve(int client) {
  Session session{"220 sink\r\n", {}, {}, false};
  std::string input;
  std::array<char, 65536> buffer{};
  while (send(client, session.replies.data(), session.replies.size(), MSG_NOSIGNAL) >= 0) {
    session.replies.clear();
    const auto count = recv(client, buffer.data(), buffer.size(), 0);
    if (count <= 0) break;
    input.append(buffer.data(), static_cast<std::size_t>(count));
    std::size_t begin = 0;
    for (auto end = input.find("\r\n"); end != std::string::npos; end = input.find("\r\n", begin)) {
      take_line(session, input.substr(begin, end - begin));
      begin = end + 2;
    }
    input.erase(0, begin);
  }
  shutdown(client, SHUT_RDWR);
}

void LedgerSink::take_line(Session& session, const std::string& line) {
  if (session.data && line != ".") {
    session.message += (line.starts_with('.') ? line.substr(1) : line) + "\r\n";
  } else if (session.data) {
    session.data = false;
    const std::lock_guard lock(mutex_);
    taken_.push_back({std::move(session.recipient), std::move(session.message)});
    session.recipient.clear();
    session.message.clear();
    session.replies += "250 2.0.0 taken\r\n";
    more_.notify_all();
  } else if (line.starts_with("EHLO")) {
    session.replies += "250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES\r\n";
  } else if (line.starts_with("MAIL") || line.starts_with("RSET")) {
    session.recipient.clear();
    session.replies += "250 2.1.0 ok\r\n";
  } else if (line.starts_with("RCPT TO:<")) {
    const std::string recipient = line.substr(9, line.find('>') - 9);
    const bool refused = refuses_(recipient);
    if (!refused) session.recipient = recipient;
    session.replies += refused ? "550 5.1.1 nobody of that name\r\n" : "250 2.1.5 ok\r\n";
  } else if (line == "DATA") {
    session.data = !session.recipient.empty();
    session.replies += session.data ? "354 go\r\n" : "503 5.5.1 no recipient\r\n";
  } else {
    session.replies += line.starts_with("QUIT") ? "221 2.0.0 bye\r\n" : "250 2.0.0 ok\r\n";
  }
}

}  // namespace sealpost::test
