// SPDX-License-Identifier: Apache-2.0
// Deadlines and the stop flag hold against a peer that drips, is deaf, or says nothing: in connect, handshake, read and
// write.
#include "relay/delivery/client_stream.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <future>
#include <optional>

#include "tests/support/smtp_server.h"
#include "tests/support/test_certificates.h"

namespace sealpost {
namespace {

using std::chrono::steady_clock;
using test::Answer;
using test::SmtpServer;
using Tls = SmtpServer::Options::Tls;

Deadline after(std::chrono::milliseconds time) { return steady_clock::now() + time; }

/// Takes the TCP handshakes that fit its queue and answers no further one.
class FullListener final {
 public:
  FullListener() : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener_, 0) != 0 ||
        getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      throw std::runtime_error("no listener");
    }
    port = ntohs(address.sin_port);
    bool full = false;
    while (!full && clients_.size() < 64) {
      const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
      clients_.push_back(client);
      if (::connect(client, reinterpret_cast<sockaddr*>(&address), size) == 0) continue;
      pollfd polled{client, POLLOUT, 0};
      full = poll(&polled, 1, 200) == 0;
    }
    if (!full) throw std::runtime_error("the queue does not fill");
  }
  ~FullListener() {
    for (const int client : clients_) close(client);
    close(listener_);
  }
  FullListener(const FullListener&) = delete;
  FullListener& operator=(const FullListener&) = delete;

  std::uint16_t port = 0;

 private:
  int listener_;
  std::vector<int> clients_;
};

/// Something that would last for ever.
struct ClientStreamCase {
  const char* name;
  std::function<Status(Deadline, const PollableFlag*)> operation;
};
void PrintTo(const ClientStreamCase& c, std::ostream* out) { *out << c.name; }

Result<std::unique_ptr<ClientStream>> connect(std::uint16_t port, const PollableFlag* stop) {
  return ClientStream::connect("127.0.0.1", port, after(std::chrono::seconds(30)), stop);
}

Status connect_to_a_full_listener(Deadline deadline, const PollableFlag* stop) {
  const FullListener listener;
  auto stream = ClientStream::connect("127.0.0.1", listener.port, deadline, stop);
  return stream ? Status() : Status(stream.error());
}

Status shake_hands(const Answer& answer, Deadline deadline, const PollableFlag* stop) {
  SmtpServer server({Tls::Implicit, {}, "127.0.0.1", {}});
  server.answer("TLS", {answer});
  auto stream = connect(server.port(), stop);
  if (!stream) return stream.error();
  const auto done = (*stream)->start_tls("127.0.0.1", TlsTrust::Any, deadline);
  return done ? Status() : Status(Error::temporary(done.error().internal_detail));
}

Status read(Tls tls, const Answer& answer, Deadline deadline, const PollableFlag* stop) {
  SmtpServer server({tls, {}, "127.0.0.1", {}});
  server.answer("CONNECT", {answer});
  auto stream = connect(server.port(), stop);
  if (!stream) return stream.error();
  if (tls == Tls::Implicit) {
    auto secured = (*stream)->start_tls("127.0.0.1", TlsTrust::Any, after(std::chrono::seconds(30)));
    if (!secured) return Error::temporary(secured.error().internal_detail);
  }
  auto line = (*stream)->read_line(deadline);
  return line ? Status() : Status(line.error());
}

Status write(Tls tls, Deadline deadline, const PollableFlag* stop) {
  SmtpServer server({tls, {}, "127.0.0.1", {}});
  server.answer("CONNECT", {Answer::silence()});
  auto stream = connect(server.port(), stop);
  if (!stream) return stream.error();
  if (tls == Tls::Implicit) {
    auto secured = (*stream)->start_tls("127.0.0.1", TlsTrust::Any, after(std::chrono::seconds(30)));
    if (!secured) return Error::temporary(secured.error().internal_detail);
  }
  return (*stream)->write(std::string(64U << 20U, 'x'), deadline);
}

class EndlessOperations : public ::testing::TestWithParam<ClientStreamCase> {};

TEST_P(EndlessOperations, EndAtTheirDeadline) {
  const auto begun = steady_clock::now();
  const auto done = GetParam().operation(after(std::chrono::milliseconds(300)), nullptr);
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().public_text.find("timed out"), std::string::npos) << done.error().public_text;
  EXPECT_LT(steady_clock::now() - begun, std::chrono::seconds(30));
}

TEST_P(EndlessOperations, EndWhenTheRelayStops) {
  PollableFlag stop;
  auto running =
      std::async(std::launch::async, [&] { return GetParam().operation(after(std::chrono::minutes(10)), &stop); });
  // Whether the operation waits already or begins later, it must not wait for its deadline.
  EXPECT_EQ(running.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout);
  stop.raise();
  ASSERT_EQ(running.wait_for(std::chrono::seconds(60)), std::future_status::ready);
  const auto done = running.get();
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().public_text.find("stopping"), std::string::npos) << done.error().public_text;
}

INSTANTIATE_TEST_SUITE_P(
    All, EndlessOperations,
    ::testing::Values(
        ClientStreamCase{"Connect", connect_to_a_full_listener},
        ClientStreamCase{"HandshakeDripped",
                         [](Deadline end, const PollableFlag* stop) { return shake_hands(Answer::drip(), end, stop); }},
        ClientStreamCase{
            "HandshakeSilent",
            [](Deadline end, const PollableFlag* stop) { return shake_hands(Answer::silence(), end, stop); }},
        ClientStreamCase{
            "ReadDripped",
            [](Deadline end, const PollableFlag* stop) { return read(Tls::None, Answer::drip(), end, stop); }},
        ClientStreamCase{
            "ReadDrippedOverTls",
            [](Deadline end, const PollableFlag* stop) { return read(Tls::Implicit, Answer::drip(), end, stop); }},
        ClientStreamCase{
            "ReadSilent",
            [](Deadline end, const PollableFlag* stop) { return read(Tls::None, Answer::silence(), end, stop); }},
        ClientStreamCase{"WriteDeaf",
                         [](Deadline end, const PollableFlag* stop) { return write(Tls::None, end, stop); }},
        ClientStreamCase{"WriteDeafOverTls",
                         [](Deadline end, const PollableFlag* stop) { return write(Tls::Implicit, end, stop); }}),
    [](const auto& info) { return info.param.name; });

class Streams : public ::testing::Test {
 protected:
  std::unique_ptr<ClientStream> open(const SmtpServer& server) { return std::move(*connect(server.port(), nullptr)); }
  static std::string error_of(const Result<std::string>& line) { return line ? "none" : line.error().public_text; }
  Deadline soon = after(std::chrono::seconds(30));
};

TEST_F(Streams, ReadLinesWithEitherLineEnd) {
  SmtpServer server;
  server.answer("CONNECT", {"one\ntwo"});
  auto stream = open(server);
  EXPECT_EQ(stream->read_line(soon).value(), "one");
  EXPECT_EQ(stream->read_line(soon).value(), "two");
  EXPECT_TRUE(stream->loopback());
  EXPECT_FALSE(stream->secure());
}

TEST_F(Streams, RefuseALineThatIsTooLong) {
  SmtpServer server;
  server.answer("CONNECT", {std::string(4095, 'x') + "\n" + std::string(4098, 'y')});
  auto stream = open(server);
  EXPECT_EQ(stream->read_line(soon).value().size(), 4095U);
  EXPECT_EQ(error_of(stream->read_line(soon)), "a reply line is too long");
}

TEST_F(Streams, TellThatTheServerClosed) {
  SmtpServer server;
  server.answer("CONNECT", {Answer("", Answer::Then::Close)});
  EXPECT_EQ(error_of(open(server)->read_line(soon)), "the server closed the connection");
}

TEST_F(Streams, RefuseOctetsInClearBehindStartTls) {
  SmtpServer server;
  server.answer("CONNECT", {"220 go on\n250 injected"});
  auto stream = open(server);
  ASSERT_EQ(stream->read_line(soon).value(), "220 go on");
  const auto secured = stream->start_tls("127.0.0.1", TlsTrust::Any, soon);
  ASSERT_FALSE(secured);
  EXPECT_EQ(secured.error().public_text, "octets in clear behind STARTTLS");
}

TEST_F(Streams, SessionTicketsAreNoUnreadOctetsButAnEndBehindThemIs) {
  SmtpServer server({Tls::Implicit, {}, "127.0.0.1", {}});
  auto stream = open(server);
  ASSERT_TRUE(stream->start_tls("127.0.0.1", TlsTrust::Any, soon));
  ASSERT_TRUE(stream->read_line(soon));
  EXPECT_FALSE(stream->has_unread());
  server.disconnect();
  EXPECT_FALSE(stream->read_line(soon));
  EXPECT_TRUE(stream->has_unread());
}

TEST_F(Streams, FindAHostByNameOnWhicheverAddressAnswers) {
  SmtpServer server;
  auto stream = ClientStream::connect("localhost", server.port(), soon);
  ASSERT_TRUE(stream) << stream.error().internal_detail;
  EXPECT_TRUE((*stream)->read_line(soon));
}

TEST_F(Streams, TellThatANameHasNoAddress) {
  const auto stream = ClientStream::connect("no-such-host.invalid", 25, soon);
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().public_text, "the host name of the next hop cannot be resolved");
}

TEST_F(Streams, TellThatNobodyListens) {
  std::uint16_t port = 0;
  {
    const SmtpServer gone;
    port = gone.port();
  }
  const auto stream = ClientStream::connect("127.0.0.1", port, soon);
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().public_text, "connection refused");
}

}  // namespace
}  // namespace sealpost
