// SPDX-License-Identifier: Apache-2.0
// A client that never ends a line, a chunk or a message costs no more memory than one that does.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "base/encoding.h"
#include "relay/smtp/session.h"
#include "tests/support/fakes.h"

namespace sealpost::smtp {
namespace {

/// Octets of this process that are in memory now.
std::size_t resident() {
  std::ifstream statm("/proc/self/statm");
  std::size_t all = 0;
  std::size_t in_memory = 0;
  statm >> all >> in_memory;
  return in_memory * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

class BoundedMemory : public testing::Test {
 protected:
  BoundedMemory() { static_cast<void>(session.open()); }

  void log_in() {
    static_cast<void>(session.receive("EHLO c\r\n"));
    static_cast<void>(session.receive("AUTH PLAIN " + to_base64(std::string("\0app\0x", 6)) + "\r\n"));
    static_cast<void>(session.login_result(Account{"app", {"@example.com"}, false, {}}));
    static_cast<void>(session.receive("MAIL FROM:<a@example.com>\r\n"));
    static_cast<void>(session.admission_result(std::nullopt));
    static_cast<void>(session.receive("RCPT TO:<b@example.net>\r\n"));
    static_cast<void>(session.recipient_result(Admission{}));
  }

  /// 32 MiB in pieces as they come from a socket; memory may grow by a fraction of it.
  void flood(const std::string& piece) {
    const std::size_t before = resident();
    std::size_t most = 0;
    for (std::size_t sent = 0; sent < (32UL << 20U); sent += piece.size()) {
      const auto output = session.receive(piece);
      ASSERT_EQ(output.next, Session::Next::Read);
      ASSERT_TRUE(output.replies.empty());
      if (sent % (1UL << 20U) == 0) most = std::max(most, resident());
    }
    EXPECT_LT(most, before + (8UL << 20U));
    EXPECT_LE(budget.used(), 8UL << 20U);
  }

  MemoryBudget budget{8UL << 20U};
  test::SeededRandom random;
  Session session{{"relay.example.org", 1UL << 20U, 5}, budget, random, true};
};

const std::string piece(1UL << 15U, 'x');

TEST_F(BoundedMemory, AnEndlessCommand) {
  flood(piece);
  EXPECT_EQ(session.receive("\r\n").replies, "500 5.5.2 line too long\r\n");
}

TEST_F(BoundedMemory, AnEndlessCommandFullOfCarriageReturns) { flood(std::string(1UL << 15U, '\r')); }

TEST_F(BoundedMemory, AnEndlessLoginLine) {
  static_cast<void>(session.receive("EHLO c\r\n"));
  static_cast<void>(session.receive("AUTH PLAIN\r\n"));
  flood(piece);
  EXPECT_EQ(session.receive("\r\n").replies, "500 5.5.2 line too long\r\n");
}

TEST_F(BoundedMemory, EndlessContent) {
  log_in();
  static_cast<void>(session.receive("DATA\r\n"));
  flood(piece);
  EXPECT_EQ(budget.used(), 0U) << "what is refused is not kept";
  EXPECT_EQ(session.receive("\r\n.\r\n").replies, "552 5.3.4 the message is too large\r\n");
}

TEST_F(BoundedMemory, AnEndlessChunk) {
  log_in();
  static_cast<void>(session.receive("BDAT 18446744073709551615\r\n"));
  flood(piece);
  EXPECT_EQ(budget.used(), 0U);
}

}  // namespace
}  // namespace sealpost::smtp
