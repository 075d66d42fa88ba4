// SPDX-License-Identifier: Apache-2.0
// How refusals sound in SMTP: the table of the contract.
#include "relay/smtp/refusals.h"

#include <gtest/gtest.h>

namespace sealpost::smtp {
namespace {

std::string reply_to(Refusal refusal) { return to_reply(IntakeError{refusal, "public", "internal"}).line(); }

TEST(Refusals, HaveTheCodesOfTheContract) {
  EXPECT_EQ(reply_to(Refusal::Malformed), "550 5.6.0 public\r\n");
  EXPECT_EQ(reply_to(Refusal::Loop), "550 5.4.6 public\r\n");
  EXPECT_EQ(reply_to(Refusal::SenderNotAllowed), "550 5.7.1 public\r\n");
  EXPECT_EQ(reply_to(Refusal::BadRecipient), "553 5.1.3 public\r\n");
  EXPECT_EQ(reply_to(Refusal::Suppressed), "550 5.1.1 public\r\n");
  EXPECT_EQ(reply_to(Refusal::TooManyNew), "452 4.5.3 public\r\n");
  EXPECT_EQ(reply_to(Refusal::RateOfNew), "452 4.7.1 public\r\n");
  EXPECT_EQ(reply_to(Refusal::CannotSeal), "550 5.6.0 public\r\n");
  EXPECT_EQ(reply_to(Refusal::CannotSealNow), "451 4.3.0 public\r\n");
  EXPECT_EQ(reply_to(Refusal::StoreAway), "451 4.3.0 public\r\n");
  EXPECT_EQ(reply_to(Refusal::StoreFull), "452 4.3.1 public\r\n");
  EXPECT_EQ(reply_to(Refusal::Conflict), "550 5.5.0 public\r\n");
}

TEST(Refusals, OfContentHaveTheCodesOfTheContract) {
  EXPECT_EQ(to_reply(ContentFault::BareLineEnd).line().substr(0, 9), "550 5.6.0");
  EXPECT_EQ(to_reply(ContentFault::TooLarge).line().substr(0, 9), "552 5.3.4");
  EXPECT_EQ(to_reply(ContentFault::NoMemory).line().substr(0, 9), "452 4.3.1");
}

}  // namespace
}  // namespace sealpost::smtp
