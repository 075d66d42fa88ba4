// SPDX-License-Identifier: Apache-2.0
// A resolver and a mail server on loopback that say what a test tells them, for the doctor's checks of the world
// outside.
#pragma once

#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace sealpost::test {

/// Answers every question over UDP in the same way.
class DnsServer final {
 public:
  enum class Mode { Address, OnlyAaaa, NoAddress, NxDomain, ServFail, Refused, Garbage, Silent };
  explicit DnsServer(Mode mode);
  ~DnsServer();
  DnsServer(const DnsServer&) = delete;
  DnsServer& operator=(const DnsServer&) = delete;
  /// address:port, as dns.server has it.
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  void serve();
  Mode mode_;
  std::uint16_t port_ = 0;  // before the socket, which tells it
  int descriptor_ = -1;
  int wake_ = -1;
  std::thread thread_;
};

/// Takes connections one after the other; says the first line at once and one more for each line that it hears, then
/// closes.
class ScriptedServer final {
 public:
  explicit ScriptedServer(std::vector<std::string> lines);
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  void serve();
  void talk(int connection);
  std::vector<std::string> lines_;
  std::uint16_t port_ = 0;
  int descriptor_ = -1;
  int wake_ = -1;
  std::thread thread_;
};

}  // namespace sealpost::test
