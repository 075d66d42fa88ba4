// SPDX-License-Identifier: Apache-2.0
// Whom a message may claim to come from: header fields as a table, for an account that may send as alice@example.com,
// and as anybody at two domains.
#include "relay/send_as.h"

#include <gtest/gtest.h>

#include <ostream>

namespace sealpost::test {
namespace {

struct SendAsCase {
  const char* name;
  std::string fields;
  std::string expected;  ///< From's first mailbox, or a part of the reason
};
void PrintTo(const SendAsCase& c, std::ostream* out) { *out << c.name; }

class SendAs : public testing::TestWithParam<SendAsCase> {};

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
const std::string not_allowed = "may not send as";

INSTANTIATE_TEST_SUITE_P(
    Allowed, SendAs,
    testing::Values(
        SendAsCase{"Plain", from, "alice@example.com"},
        SendAsCase{"AnyCase", "FROM: Alice@Example.COM", "Alice@Example.COM"},
        SendAsCase{"ByDomain", "From: anybody@own.example", "anybody@own.example"},
        SendAsCase{"ByDomainInAnyCase", "From: x@OWN.Example", "x@OWN.Example"},
        SendAsCase{"UnicodeDomain",
                   "From: x@b\xc3\xbc"
                   "cher.example",
                   "x@b\xc3\xbc"
                   "cher.example"},
        SendAsCase{"ALabelDomain", "From: x@xn--bcher-kva.example", "x@xn--bcher-kva.example"},
        SendAsCase{"DisplayName", "From: Alice <alice@example.com>", "alice@example.com"},
        SendAsCase{"DisplayNameWithAnAddress", "From: \"ceo@other.example\" <alice@example.com>", "alice@example.com"},
        SendAsCase{"EncodedWord", "From: =?utf-8?q?ceo=40other=2Eexample?= <alice@example.com>", "alice@example.com"},
        SendAsCase{"Comment", "From: (ceo@other.example) alice@example.com (boss)", "alice@example.com"},
        SendAsCase{"Folded", "From: Alice\r\n <alice@example.com>", "alice@example.com"},
        SendAsCase{"Two", "From: x@own.example, alice@example.com\r\nSender: alice@example.com", "x@own.example"},
        SendAsCase{"Group", "From: team: x@own.example, alice@example.com;", "x@own.example"},
        SendAsCase{"QuotedLocalPart", "From: \"alice\"@example.com", "\"alice\"@example.com"},
        SendAsCase{"AllFields",
                   from +
                       "\r\nSender: x@own.example\r\nResent-From: alice@example.com\r\nResent-Sender: x@own.example\r\n"
                       "Resent-From: x@own.example",
                   "alice@example.com"},
        SendAsCase{"ReplyToIsFree", from + "\r\nReply-To: ceo@other.example\r\nTo: ceo@other.example",
                   "alice@example.com"}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Refused, SendAs,
    testing::Values(
        SendAsCase{"NoFrom", "Subject: x", "exactly one From"},
        SendAsCase{"TwoFroms", from + "\r\n" + from, "exactly one From"},
        SendAsCase{"TwoFromsInOtherCase", from + "\r\nfRoM: alice@example.com", "exactly one From"},
        SendAsCase{"Foreign", "From: ceo@other.example", not_allowed},
        SendAsCase{"ForeignLocalPart", "From: bob@example.com", not_allowed},
        SendAsCase{"Subdomain", "From: x@sub.own.example", not_allowed},
        SendAsCase{"SuffixOfTheDomain", "From: x@notown.example", not_allowed},
        SendAsCase{"PlusTag", "From: alice+x@example.com", not_allowed},
        SendAsCase{"Lookalike", "From: \xd0\xb0lice@example.com", not_allowed},
        SendAsCase{"AllowedAddressAsName", "From: \"alice@example.com\" <ceo@other.example>", not_allowed},
        SendAsCase{"AllowedAddressInAComment", "From: ceo@other.example (alice@example.com)", not_allowed},
        SendAsCase{"ForeignSecond", "From: alice@example.com, ceo@other.example", not_allowed},
        SendAsCase{"ForeignInAGroup", "From: team: alice@example.com, ceo@other.example;", not_allowed},
        SendAsCase{"EmptyGroup", "From: team:;", "names no address"}, SendAsCase{"Empty", "From: ", "From"},
        SendAsCase{"NotClosed", "From: alice@example.com <ceo@other.example", "cannot be read"},
        SendAsCase{"TwoAddressesNoComma", "From: alice@example.com ceo@other.example", "cannot be read"},
        SendAsCase{"SourceRoute", "From: <@other.example:alice@example.com>", "cannot be read"},
        SendAsCase{"EncodedAddress", "From: =?utf-8?q?alice=40example=2Ecom?=", "cannot be read"},
        SendAsCase{"Literal", "From: alice@[192.0.2.1]", "cannot be read"},
        SendAsCase{"ForeignSender", from + "\r\nSender: ceo@other.example", "in Sender"},
        SendAsCase{"ForeignResentFrom", from + "\r\nResent-From: ceo@other.example", "in Resent-From"},
        SendAsCase{"ForeignSecondResentFrom",
                   from + "\r\nResent-From: alice@example.com\r\nResent-From: ceo@other.example", "in Resent-From"},
        SendAsCase{"ForeignResentSender", from + "\r\nresent-sender: ceo@other.example", "in resent-sender"},
        SendAsCase{"UnreadableSender", from + "\r\nSender: <", "the Sender field cannot be read"}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace sealpost::test
