// SPDX-License-Identifier: Apache-2.0
// Implements dns_probe.h with libresolv's packet maker and parser; its resolver cannot be told a deadline or a port.
#include "relay/ctl/dns_probe.h"

#include <Poco/Exception.h>
#include <Poco/Net/SocketAddress.h>
#include <arpa/nameser.h>
#include <netinet/in.h>
#include <poll.h>
#include <resolv.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

namespace sealpost::ctl {
namespace {

using std::chrono::steady_clock;
using Packet = std::array<unsigned char, 4096>;

/// UDP loses packets: each question is asked again once, half-way.
constexpr int tries = 2;

/// A socket that takes datagrams of one server only.
class ServerSocket final {
 public:
  explicit ServerSocket(const Poco::Net::SocketAddress& server)
      : descriptor_(socket(server.af(), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    connected_ = descriptor_ >= 0 && connect(descriptor_, server.addr(), server.length()) == 0;
  }
  ~ServerSocket() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  ServerSocket(const ServerSocket&) = delete;
  ServerSocket& operator=(const ServerSocket&) = delete;
  [[nodiscard]] bool connected() const { return connected_; }
  [[nodiscard]] int get() const { return descriptor_; }

 private:
  int descriptor_;
  bool connected_ = false;
};

/// The next datagram; nothing at the deadline.
Result<std::size_t> receive(const ServerSocket& server, Packet& packet, steady_clock::time_point deadline) {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now()).count();
    pollfd polled{server.get(), POLLIN, 0};
    const int ready = poll(&polled, 1, static_cast<int>(std::max<std::int64_t>(left, 0)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return Error::temporary("does not answer");
    const auto size = recv(server.get(), packet.data(), packet.size(), 0);
    if (size >= 0) return static_cast<std::size_t>(size);
    if (errno != EAGAIN && errno != EINTR) return Error::temporary(std::strerror(errno));
  }
}

bool answers_to(const Packet& question, const Packet& packet, std::size_t size) {
  return size >= NS_HFIXEDSZ && packet[0] == question[0] && packet[1] == question[1] && (packet[2] & 0x80U) != 0;
}

Result<DnsVerdict> judge(const Packet& packet, std::size_t size, ns_type type) {
  ns_msg message{};
  if (ns_initparse(packet.data(), static_cast<int>(size), &message) != 0) {
    return Error::temporary("answers with what is no DNS message");
  }
  const int code = ns_msg_getflag(message, ns_f_rcode);
  if (code == ns_r_nxdomain) return DnsVerdict::NoSuchName;
  if (code == ns_r_servfail) return Error::temporary("answers SERVFAIL");
  if (code == ns_r_refused) return Error::temporary("refuses to answer");
  if (code != ns_r_noerror) return Error::temporary("answers with code " + std::to_string(code));
  for (int i = 0; i < ns_msg_count(message, ns_s_an); ++i) {
    ns_rr record{};
    if (ns_parserr(&message, ns_s_an, i, &record) != 0) break;  // cut off: what came before counts
    if (ns_rr_type(record) == type) return DnsVerdict::HasAddress;
  }
  return DnsVerdict::NoAddress;
}

Result<DnsVerdict> ask(const ServerSocket& server, const std::string& name, ns_type type,
                       std::chrono::milliseconds patience) {
  Packet question{};
  const int length = res_mkquery(ns_o_query, name.c_str(), ns_c_in, type, nullptr, 0, nullptr, question.data(),
                                 static_cast<int>(question.size()));
  if (length < 0) return Error::temporary("cannot be asked for " + name);
  Error last = Error::temporary("does not answer");
  for (int i = 0; i < tries; ++i) {
    const auto deadline = steady_clock::now() + patience / tries;
    if (send(server.get(), question.data(), static_cast<std::size_t>(length), MSG_NOSIGNAL) < 0) {
      last = Error::temporary(std::strerror(errno));
      continue;
    }
    Packet packet{};
    auto size = receive(server, packet, deadline);
    while (size && !answers_to(question, packet, *size)) size = receive(server, packet, deadline);
    if (size) return judge(packet, *size, type);
    last = size.error();
  }
  return last;
}

}  // namespace

Result<DnsVerdict> ask_for_address(const std::string& server, const std::string& name,
                                   std::chrono::milliseconds patience) {
  try {
    const ServerSocket socket{Poco::Net::SocketAddress(server)};
    if (!socket.connected()) return Error::temporary(std::strerror(errno));
    auto verdict = ask(socket, name, ns_t_a, patience);
    if (!verdict || *verdict != DnsVerdict::NoAddress) return verdict;
    return ask(socket, name, ns_t_aaaa, patience);
  } catch (const Poco::Exception& why) {
    return Error::temporary("is no address:port", why.displayText());
  }
}

std::vector<std::string> resolvers_of(const std::string& file) {
  std::vector<std::string> servers;
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string word;
    std::string address;
    if (!(words >> word >> address) || word != "nameserver") continue;
    servers.push_back((address.find(':') == std::string::npos ? address : "[" + address + "]") + ":53");
  }
  if (servers.empty()) servers.emplace_back("127.0.0.1:53");
  return servers;
}

}  // namespace sealpost::ctl
