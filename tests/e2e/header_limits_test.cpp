// SPDX-License-Identifier: Apache-2.0
// A message that is all header block costs no more memory than any other of its size.
#include <gtest/gtest.h>

#include <string>

#include "tests/e2e/peak_memory.h"
#include "tests/e2e/relay_fixture.h"
#include "tests/e2e/submitter.h"
#include "tests/support/build.h"

namespace sealpost::test {
namespace {

TEST(HeaderLimits, AFromOfMillionsOfAddressesIsRefusedCheaply) {
  RelayFixture relay;
  std::string text = "From: a@example.com";
  while (text.size() < 20'000'000) text += ",a@example.com";
  text += "\r\n\r\nbody\r\n";
  auto sender = Submitter::logged_in(relay);
  EXPECT_EQ(sender.submit("alice@example.com", {"bob@example.net"}, text),
            "550 5.6.0 no empty line ends the header block within its first MiB");
  if (!sanitized()) {
    EXPECT_LT(peak_megabytes(relay.pid()), 200U);
  }
  std::string many = "From: a@example.com";
  for (int i = 0; i < 1000; ++i) many += ",a@example.com";
  EXPECT_EQ(sender.submit("alice@example.com", {"bob@example.net"}, many + "\r\n\r\nbody\r\n"),
            "550 5.7.1 the From field cannot be read: more than 1000 addresses");
}

}  // namespace
}  // namespace sealpost::test
