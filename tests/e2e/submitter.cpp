// SPDX-License-Identifier: Apache-2.0
// Implements submitter.h.
#include "tests/e2e/submitter.h"

#include <csignal>
#include <stdexcept>

#include "base/encoding.h"
#include "relay/delivery/dot_stuffer.h"

namespace sealpost::test {
namespace {

Deadline soon() { return std::chrono::steady_clock::now() + std::chrono::seconds(60); }

}  // namespace

std::string message(const std::string& subject, const std::string& text, const std::string& from) {
  return "From: <" + from + ">\r\nSubject: " + subject + "\r\n\r\n" + text + "\r\n";
}

Submitter::Submitter(const RelayFixture& relay, const std::string& service)
    : Submitter(relay.port(service), service == "smtps") {}

Submitter::Submitter(int port, bool tls) {
  std::signal(SIGPIPE, SIG_IGN);  // as sealpostd does; a server that hangs up is part of the tests
  auto stream = ClientStream::connect("127.0.0.1", static_cast<std::uint16_t>(port), soon());
  if (!stream) throw std::runtime_error("connect: " + stream.error().public_text);
  stream_ = std::move(*stream);
  if (tls) start_tls();
}

Submitter Submitter::logged_in(const RelayFixture& relay) { return logged_in(relay.port("smtps")); }

Submitter Submitter::logged_in(int smtps_port) {
  Submitter submitter(smtps_port, true);
  submitter.reply();
  submitter.say("EHLO client.example.com");
  const std::string answer = submitter.log_in(RelayFixture::account, RelayFixture::password);
  if (!answer.starts_with("235")) throw std::runtime_error("login: " + answer);
  return submitter;
}

void Submitter::send(std::string_view octets) {
  // A refused connection is told by the reply that does not come.
  [[maybe_unused]] const auto written = stream_->write(octets, soon());
}

std::string Submitter::reply() {
  std::string all;
  while (true) {
    auto line = stream_->read_line(soon());
    if (!line) return line.error().public_text == "timed out" ? "timeout" : "closed";
    all += (all.empty() ? "" : "\n") + *line;
    if (line->size() < 4 || (*line)[3] != '-') return all;
  }
}

std::string Submitter::say(const std::string& command) {
  send(command + "\r\n");
  return reply();
}

void Submitter::start_tls() {
  auto secured = stream_->start_tls("relay.example.org", TlsTrust::Any, soon());
  if (!secured) throw std::runtime_error("TLS: " + secured.error().internal_detail);
}

std::string Submitter::log_in(const std::string& name, const std::string& password) {
  return say("AUTH PLAIN " + to_base64(std::string(1, '\0') + name + std::string(1, '\0') + password));
}

std::string Submitter::submit(const std::string& from, const std::vector<std::string>& to, const std::string& text,
                              const std::string& mail_parameters) {
  std::string answer = say("MAIL FROM:<" + from + ">" + mail_parameters);
  if (!answer.starts_with("250")) return answer;
  for (const auto& recipient : to) {
    answer = say("RCPT TO:<" + recipient + ">");
    if (!answer.starts_with("250")) return answer;
  }
  answer = say("DATA");
  if (!answer.starts_with("354")) return answer;
  DotStuffer stuffer;
  send(stuffer.update(text) + stuffer.finish());
  return reply();
}

}  // namespace sealpost::test
