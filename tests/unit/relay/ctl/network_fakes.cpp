// SPDX-License-Identifier: Apache-2.0
// Implements network_fakes.h: one thread each, ended through an eventfd.
#include "tests/unit/relay/ctl/network_fakes.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

namespace sealpost::test {
namespace {

/// A socket on a free loopback port.
int open_socket(int type, std::uint16_t& port) {
  const int descriptor = socket(AF_INET, type | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  if (descriptor < 0 || bind(descriptor, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("no loopback port");
  }
  port = ntohs(address.sin_port);
  return descriptor;
}

/// False when the server is to end.
bool wait_for(int descriptor, int wake) {
  std::array<pollfd, 2> polled = {pollfd{descriptor, POLLIN, 0}, pollfd{wake, POLLIN, 0}};
  return poll(polled.data(), polled.size(), -1) > 0 && polled[1].revents == 0;
}

void end(int wake, std::thread& thread) {
  const std::uint64_t one = 1;
  if (write(wake, &one, sizeof(one)) == sizeof(one)) thread.join();
}

std::string answer_to(const std::string& question, DnsServer::Mode mode) {
  using Mode = DnsServer::Mode;
  constexpr std::size_t header = 12;
  if (mode == Mode::Garbage) return question.substr(0, 2) + "\x81" + std::string(9, '\xff');
  std::size_t end = header;
  while (question[end] != '\0') end += static_cast<unsigned char>(question[end]) + 1U;
  const char type = question[end + 2];
  std::string answer = question.substr(0, end + 5);
  answer[2] = static_cast<char>(0x81);
  answer[3] = static_cast<char>(mode == Mode::NxDomain ? 0x83 : mode == Mode::ServFail ? 0x82 : 0x80);
  if (mode == Mode::Refused) answer[3] = static_cast<char>(0x85);
  answer.replace(6, 6, std::string(6, '\0'));  // no records yet
  const bool four = mode == Mode::Address && type == 1;
  const bool six = mode == Mode::OnlyAaaa && type == 28;
  if (!four && !six) return answer;
  answer[7] = 1;
  const std::size_t size = four ? 4 : 16;
  answer += std::string("\xc0\x0c\0", 3) + type + std::string("\0\x01\0\0\0\x3c\0", 7) + static_cast<char>(size);
  return answer + std::string(size, '\x7f');
}

}  // namespace

DnsServer::DnsServer(Mode mode)
    : mode_(mode), descriptor_(open_socket(SOCK_DGRAM, port_)), wake_(eventfd(0, EFD_CLOEXEC)) {
  thread_ = std::thread([this] { serve(); });
}

DnsServer::~DnsServer() {
  end(wake_, thread_);
  close(descriptor_);
  close(wake_);
}

void DnsServer::serve() {
  while (wait_for(descriptor_, wake_)) {
    std::array<char, 1024> buffer{};
    sockaddr_in peer{};
    socklen_t size = sizeof(peer);
    const auto count =
        recvfrom(descriptor_, buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&peer), &size);
    if (count < 17 || mode_ == Mode::Silent) continue;
    const std::string answer = answer_to(std::string(buffer.data(), static_cast<std::size_t>(count)), mode_);
    if (sendto(descriptor_, answer.data(), answer.size(), 0, reinterpret_cast<sockaddr*>(&peer), size) < 0) return;
  }
}

ScriptedServer::ScriptedServer(std::vector<std::string> lines)
    : lines_(std::move(lines)), descriptor_(open_socket(SOCK_STREAM, port_)), wake_(eventfd(0, EFD_CLOEXEC)) {
  if (listen(descriptor_, 8) != 0) throw std::runtime_error("listen failed");
  thread_ = std::thread([this] { serve(); });
}

ScriptedServer::~ScriptedServer() {
  end(wake_, thread_);
  close(descriptor_);
  close(wake_);
}

void ScriptedServer::serve() {
  while (wait_for(descriptor_, wake_)) {
    const int connection = accept4(descriptor_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) return;
    talk(connection);
    close(connection);
  }
}

void ScriptedServer::talk(int connection) {
  for (const auto& line : lines_) {
    if (send(connection, line.data(), line.size(), MSG_NOSIGNAL) < 0) return;
    std::array<char, 1024> heard{};
    if (!wait_for(connection, wake_) || recv(connection, heard.data(), heard.size(), 0) <= 0) return;
  }
}

}  // namespace sealpost::test
