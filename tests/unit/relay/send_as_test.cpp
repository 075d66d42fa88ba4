// SPDX-License-Identifier: Apache-2.0
// Whom a message may claim to come from: header fields as a table, for an account that may send as alice@example.com,
// and as anybody at two domains.
#include "relay/send_as.h"

#include <gtest/gtest.h>

#include <ostream>

namespace sealpost::test {
namespace {

struct Case {
  const char* name;
  std::string fields;
  std::string expected;  ///< From's first mailbox, or a part of the reason
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class SendAs : public testing::TestWithParam<Case> {};

TEST_P(SendAs, IsDecidedByEveryMailbox) {
  const Account account{"crm", {"alice@example.com", "@own.example", "@xn--bcher-kva.example"}, false, {}};
  const std::string message = GetParam().fields + "\r\n\r\nbody";
  auto split = split_message(message);
  ASSERT_TRUE(split) << split.error().public_text;
  auto sender = check_send_as(account, *split);
  const std::string outcome = sender ? sender->text() : sender.error().public_text;
  if (sender || GetParam().expected.find('@') != std::string::npos) {
    EXPECT_EQ(outcome, GetParam().expected);
  } else {
    EXPECT_NE(outcome.find(GetParam().expected), std::string::npos) << outcome;
    EXPECT_EQ(sender.error().kind, ErrorKind::Permanent);
  }
}

const std::string from = "From: alice@example.com";
const std::string foreign = "may not send as";

INSTANTIATE_TEST_SUITE_P(
    Allowed, SendAs,
    testing::Values(
        Case{"Plain", from, "alice@example.com"}, Case{"AnyCase", "FROM: Alice@Example.COM", "Alice@Example.COM"},
        Case{"ByDomain", "From: anybody@own.example", "anybody@own.example"},
        Case{"ByDomainInAnyCase", "From: x@OWN.Example", "x@OWN.Example"},
        Case{"UnicodeDomain",
             "From: x@b\xc3\xbc"
             "cher.example",
             "x@b\xc3\xbc"
             "cher.example"},
        Case{"ALabelDomain", "From: x@xn--bcher-kva.example", "x@xn--bcher-kva.example"},
        Case{"DisplayName", "From: Alice <alice@example.com>", "alice@example.com"},
        Case{"DisplayNameWithAnAddress", "From: \"ceo@other.example\" <alice@example.com>", "alice@example.com"},
        Case{"EncodedWord", "From: =?utf-8?q?ceo=40other=2Eexample?= <alice@example.com>", "alice@example.com"},
        Case{"Comment", "From: (ceo@other.example) alice@example.com (boss)", "alice@example.com"},
        Case{"Folded", "From: Alice\r\n <alice@example.com>", "alice@example.com"},
        Case{"Two", "From: x@own.example, alice@example.com\r\nSender: alice@example.com", "x@own.example"},
        Case{"Group", "From: team: x@own.example, alice@example.com;", "x@own.example"},
        Case{"QuotedLocalPart", "From: \"alice\"@example.com", "\"alice\"@example.com"},
        Case{"AllFields",
             from + "\r\nSender: x@own.example\r\nResent-From: alice@example.com\r\nResent-Sender: x@own.example\r\n"
                    "Resent-From: x@own.example",
             "alice@example.com"},
        Case{"ReplyToIsFree", from + "\r\nReply-To: ceo@other.example\r\nTo: ceo@other.example", "alice@example.com"}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Refused, SendAs,
    testing::Values(
        Case{"NoFrom", "Subject: x", "exactly one From"}, Case{"TwoFroms", from + "\r\n" + from, "exactly one From"},
        Case{"TwoFromsInOtherCase", from + "\r\nfRoM: alice@example.com", "exactly one From"},
        Case{"Foreign", "From: ceo@other.example", foreign}, Case{"ForeignLocalPart", "From: bob@example.com", foreign},
        Case{"Subdomain", "From: x@sub.own.example", foreign},
        Case{"SuffixOfTheDomain", "From: x@notown.example", foreign},
        Case{"PlusTag", "From: alice+x@example.com", foreign},
        Case{"Lookalike", "From: \xd0\xb0lice@example.com", foreign},
        Case{"AllowedAddressAsName", "From: \"alice@example.com\" <ceo@other.example>", foreign},
        Case{"AllowedAddressInAComment", "From: ceo@other.example (alice@example.com)", foreign},
        Case{"ForeignSecond", "From: alice@example.com, ceo@other.example", foreign},
        Case{"ForeignInAGroup", "From: team: alice@example.com, ceo@other.example;", foreign},
        Case{"EmptyGroup", "From: team:;", "names no address"}, Case{"Empty", "From: ", "From"},
        Case{"NotClosed", "From: alice@example.com <ceo@other.example", "cannot be read"},
        Case{"TwoAddressesNoComma", "From: alice@example.com ceo@other.example", "cannot be read"},
        Case{"SourceRoute", "From: <@other.example:alice@example.com>", "cannot be read"},
        Case{"EncodedAddress", "From: =?utf-8?q?alice=40example=2Ecom?=", "cannot be read"},
        Case{"Literal", "From: alice@[192.0.2.1]", "cannot be read"},
        Case{"ForeignSender", from + "\r\nSender: ceo@other.example", "in Sender"},
        Case{"ForeignResentFrom", from + "\r\nResent-From: ceo@other.example", "in Resent-From"},
        Case{"ForeignSecondResentFrom", from + "\r\nResent-From: alice@example.com\r\nResent-From: ceo@other.example",
             "in Resent-From"},
        Case{"ForeignResentSender", from + "\r\nresent-sender: ceo@other.example", "in resent-sender"},
        Case{"UnreadableSender", from + "\r\nSender: <", "the Sender field cannot be read"}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace sealpost::test
