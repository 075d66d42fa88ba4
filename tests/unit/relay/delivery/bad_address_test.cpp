// SPDX-License-Identifier: Apache-2.0
// Which failures count towards an address's suppression, and which speak of something else.
#include "relay/delivery/bad_address.h"

#include <gtest/gtest.h>

#include <ostream>

namespace sealpost {
namespace {

struct Case {
  const char* name;
  int code;
  const char* enhanced;
  Refused refused;
  bool condemned;
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }
class Failures : public ::testing::TestWithParam<Case> {};

TEST_P(Failures, CondemnAnAddressOrNot) {
  const auto& [name, code, enhanced, refused, condemned] = GetParam();
  EXPECT_EQ(condemns_address({code, enhanced, "x", refused}), condemned);
}

constexpr auto rcpt = Refused::Recipient;
constexpr auto data = Refused::Message;
constexpr auto mail = Refused::Sender;

INSTANTIATE_TEST_SUITE_P(
    All, Failures,
    ::testing::Values(Case{"NoSuchMailbox", 550, "5.1.1", rcpt, true}, Case{"AfterTheData", 550, "5.1.1", data, true},
                      Case{"NoSuchDomain", 550, "5.1.2", rcpt, true}, Case{"OwnFinding", 0, "5.1.2", data, true},
                      Case{"NullMx", 556, "5.1.10", rcpt, true}, Case{"Moved", 551, "5.1.6", rcpt, true},
                      Case{"OtherAddressStatus", 550, "5.1.0", rcpt, true},
                      Case{"OtherAddressStatusOfTheMessage", 550, "5.1.0", data, false},
                      Case{"SaidToMail", 550, "5.1.1", mail, false}, Case{"SendersSyntax", 553, "5.1.7", rcpt, false},
                      Case{"SendersDomain", 550, "5.1.8", rcpt, false}, Case{"Valid", 550, "5.1.5", rcpt, false},
                      Case{"LooksAlike", 550, "5.1.11", rcpt, false}, Case{"NoStatus550", 550, "5.0.0", rcpt, true},
                      Case{"NoStatus551", 551, "5.0.0", rcpt, true}, Case{"NoStatus553", 553, "5.0.0", rcpt, true},
                      Case{"NoStatus556", 556, "5.0.0", rcpt, true}, Case{"NoStatusFull", 552, "5.0.0", rcpt, false},
                      Case{"NoStatusRelayDenied", 554, "5.0.0", rcpt, false},
                      Case{"NoStatusSyntax", 501, "5.0.0", rcpt, false},
                      Case{"NoStatusOfTheMessage", 550, "5.0.0", data, false},
                      Case{"NoStatusOfTheSender", 550, "5.0.0", mail, false}, Case{"Policy", 550, "5.7.1", rcpt, false},
                      Case{"Full", 552, "5.2.2", rcpt, false}, Case{"Disabled", 550, "5.2.1", rcpt, false},
                      Case{"TooLarge", 552, "5.3.4", data, false}, Case{"Content", 554, "5.6.0", data, false},
                      Case{"Expired", 450, "4.4.7", data, false}, Case{"NothingKnown", 0, "", data, false}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace sealpost
