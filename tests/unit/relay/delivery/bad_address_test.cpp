// SPDX-License-Identifier: Apache-2.0
// Which failures count towards an address's suppression, and which speak of something else.
#include "relay/delivery/bad_address.h"

#include <gtest/gtest.h>

#include <ostream>

namespace sealpost {
namespace {

struct BadAddressCase {
  const char* name;
  int code;
  const char* enhanced;
  Refused refused;
  bool condemned;
};
void PrintTo(const BadAddressCase& c, std::ostream* out) { *out << c.name; }
class Failures : public ::testing::TestWithParam<BadAddressCase> {};

TEST_P(Failures, CondemnAnAddressOrNot) {
  const auto& [name, code, enhanced, refused, condemned] = GetParam();
  EXPECT_EQ(condemns_address({code, enhanced, "x", refused}), condemned);
}

constexpr auto rcpt = Refused::Recipient;
constexpr auto data = Refused::Message;
constexpr auto at_mail = Refused::Sender;

INSTANTIATE_TEST_SUITE_P(
    All, Failures,
    ::testing::Values(
        BadAddressCase{"NoSuchMailbox", 550, "5.1.1", rcpt, true},
        BadAddressCase{"AfterTheData", 550, "5.1.1", data, true},
        BadAddressCase{"NoSuchDomain", 550, "5.1.2", rcpt, true}, BadAddressCase{"OwnFinding", 0, "5.1.2", data, true},
        BadAddressCase{"NullMx", 556, "5.1.10", rcpt, true}, BadAddressCase{"Moved", 551, "5.1.6", rcpt, true},
        BadAddressCase{"OtherAddressStatus", 550, "5.1.0", rcpt, true},
        BadAddressCase{"OtherAddressStatusOfTheMessage", 550, "5.1.0", data, false},
        BadAddressCase{"SaidToMail", 550, "5.1.1", at_mail, false},
        BadAddressCase{"SendersSyntax", 553, "5.1.7", rcpt, false},
        BadAddressCase{"SendersDomain", 550, "5.1.8", rcpt, false}, BadAddressCase{"Valid", 550, "5.1.5", rcpt, false},
        BadAddressCase{"LooksAlike", 550, "5.1.11", rcpt, false},
        BadAddressCase{"NoStatus550", 550, "5.0.0", rcpt, true},
        BadAddressCase{"NoStatus551", 551, "5.0.0", rcpt, true},
        BadAddressCase{"NoStatus553", 553, "5.0.0", rcpt, true},
        BadAddressCase{"NoStatus556", 556, "5.0.0", rcpt, true},
        BadAddressCase{"NoStatusFull", 552, "5.0.0", rcpt, false},
        BadAddressCase{"NoStatusRelayDenied", 554, "5.0.0", rcpt, false},
        BadAddressCase{"NoStatusSyntax", 501, "5.0.0", rcpt, false},
        BadAddressCase{"NoStatusOfTheMessage", 550, "5.0.0", data, false},
        BadAddressCase{"NoStatusOfTheSender", 550, "5.0.0", at_mail, false},
        BadAddressCase{"Policy", 550, "5.7.1", rcpt, false}, BadAddressCase{"Full", 552, "5.2.2", rcpt, false},
        BadAddressCase{"Disabled", 550, "5.2.1", rcpt, false}, BadAddressCase{"TooLarge", 552, "5.3.4", data, false},
        BadAddressCase{"Content", 554, "5.6.0", data, false}, BadAddressCase{"Expired", 450, "4.4.7", data, false},
        BadAddressCase{"NothingKnown", 0, "", data, false}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace sealpost
