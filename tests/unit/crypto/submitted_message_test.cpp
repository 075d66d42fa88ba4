// SPDX-License-Identifier: Apache-2.0
// Splitting a submitted message: where the header block ends, what a field is, and what is refused so that no body text
// leaves as a header.
#include "crypto/submitted_message.h"

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

namespace sealpost {
namespace {

using namespace std::string_literals;

struct SplitCase {
  std::string name;
  std::string message;
  std::vector<std::string> raws;
  std::string body;
};
void PrintTo(const SplitCase& split, std::ostream* out) { *out << split.name; }

class Split : public ::testing::TestWithParam<SplitCase> {};

TEST_P(Split, GivesFieldsAndBody) {
  const auto message = split_message(GetParam().message);
  ASSERT_TRUE(message) << message.error().public_text;
  std::vector<std::string> raws;
  for (const auto& field : message->fields) raws.emplace_back(field.raw);
  EXPECT_EQ(raws, GetParam().raws);
  EXPECT_EQ(message->body, GetParam().body);
}

INSTANTIATE_TEST_SUITE_P(
    Messages, Split,
    ::testing::Values(
        SplitCase{"Ordinary", "From: a\r\nTo: b\r\n\r\nbody\r\n", {"From: a\r\n", "To: b\r\n"}, "body\r\n"},
        SplitCase{
            "FoldsBelongToTheirField", "A: 1\r\n 2\r\n\t3\r\nB: x\r\n\r\n", {"A: 1\r\n 2\r\n\t3\r\n", "B: x\r\n"}, ""},
        SplitCase{"FoldThatLooksLikeAField", "A: 1\r\n Bcc: x\r\n\r\n", {"A: 1\r\n Bcc: x\r\n"}, ""},
        SplitCase{
            "BodyThatLooksLikeFields", "A: 1\r\n\r\nBcc: x\r\n\r\nTo: y\r\n", {"A: 1\r\n"}, "Bcc: x\r\n\r\nTo: y\r\n"},
        SplitCase{"BodyThatBeginsWithEmptyLines", "A: 1\r\n\r\n\r\n\r\nx", {"A: 1\r\n"}, "\r\n\r\nx"},
        SplitCase{"NoFields", "\r\nbody", {}, "body"}, SplitCase{"NoBody", "A: 1\r\n\r\n", {"A: 1\r\n"}, ""},
        SplitCase{"EmptyField", "A:\r\nB: \r\n\r\n", {"A:\r\n", "B: \r\n"}, ""},
        SplitCase{"EightBitFieldBody", "A: \xc3\xa4\xff\r\n\r\n", {"A: \xc3\xa4\xff\r\n"}, ""},
        SplitCase{"AnyOctetsInTheBody", "A: 1\r\n\r\n\r\n\n\r\0\xff"s, {"A: 1\r\n"}, "\r\n\n\r\0\xff"s},
        SplitCase{"LongFieldLine",
                  "A: " + std::string(5000, 'x') + "\r\n\r\n",
                  {"A: " + std::string(5000, 'x') + "\r\n"},
                  ""}),
    [](const auto& info) { return info.param.name; });

struct RefusedCase {
  std::string name;
  std::string message;
};
void PrintTo(const RefusedCase& refused, std::ostream* out) { *out << refused.name; }

class Refused : public ::testing::TestWithParam<RefusedCase> {};

TEST_P(Refused, IsTheSendersFault) {
  const auto message = split_message(GetParam().message);
  ASSERT_FALSE(message);
  EXPECT_EQ(message.error().kind, ErrorKind::Invalid);
  EXPECT_EQ(message.error().public_text.find("secret"), std::string::npos) << "a reply quotes no text of the message";
}

INSTANTIATE_TEST_SUITE_P(
    Messages, Refused,
    ::testing::Values(
        RefusedCase{"Empty", ""}, RefusedCase{"OneLineWithoutEnd", "A: 1"},
        RefusedCase{"NoEmptyLine", "A: 1\r\nB: 2\r\n"},
        RefusedCase{"BodyWithoutEmptyLine", "A: 1\r\nDear Bob, the secret\r\n\r\nmore"},
        RefusedCase{"BodyWithAColonWithoutEmptyLine", "A: 1\r\nthe secret is: 7\r\n\r\nmore"},
        RefusedCase{"FoldAtTheVeryBeginning", " secret\r\n\r\nbody"}, RefusedCase{"NoName", ": secret\r\n\r\nbody"},
        RefusedCase{"NameOfWhiteSpaceOnlyWouldBeAFold", " : secret\r\n\r\nbody"},
        RefusedCase{"SpaceInTheName", "A B: secret\r\n\r\nbody"},
        RefusedCase{"EightBitName", "\xc3\xa4: secret\r\n\r\nbody"},
        RefusedCase{"ControlInTheName", "A\x01: secret\r\n\r\nbody"},
        RefusedCase{"DelInTheName", "A\x7f: secret\r\n\r\nbody"},
        RefusedCase{"MailboxFormatLine", "From bob Mon Jan 1 00:00:00 2026\r\nA: secret\r\n\r\nbody"},
        RefusedCase{"NulInAField", "A: x\0y\r\n\r\nbody"s}, RefusedCase{"BareLf", "A: x\nB: y\r\n\r\nbody"},
        RefusedCase{"BareCr", "A: x\rB: y\r\n\r\nbody"}, RefusedCase{"CrBeforeCrLf", "A: x\r\r\n\r\nbody"},
        RefusedCase{"EmptyLineOfBareLfs", "A: x\n\nbody"}, RefusedCase{"EmptyLineOfABareLf", "A: x\r\n\nbody\r\n\r\n"},
        RefusedCase{"NulForTheEmptyLine", "A: x\r\n\0\r\nbody\r\n\r\n"s}),
    [](const auto& info) { return info.param.name; });

TEST(SubmittedMessage, FieldsAreFoundInAnySpellingAndWithSpaceBeforeTheColon) {
  const auto message = split_message("subject: one\r\nSUBJECT \t: two\r\n three\r\nSubjects: x\r\n\r\n");
  ASSERT_TRUE(message);
  ASSERT_NE(message->find("Subject"), nullptr);
  EXPECT_EQ(message->find("Subject")->body, " one");
  EXPECT_EQ(message->find("Subject")->name, "subject");
  const auto all = message->find_all("Subject");
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[1]->name, "SUBJECT");
  EXPECT_EQ(all[1]->body, " two\r\n three");
  EXPECT_EQ(message->find("Missing"), nullptr);
}

struct NameCase {
  std::string name;
  bool withheld;
};
void PrintTo(const NameCase& name, std::ostream* out) { *out << name.name; }

class FieldName : public ::testing::TestWithParam<NameCase> {};

TEST_P(FieldName, IsWithheldOrKept) { EXPECT_EQ(is_withheld(GetParam().name), GetParam().withheld); }

INSTANTIATE_TEST_SUITE_P(
    Names, FieldName,
    ::testing::Values(NameCase{"Bcc", true}, NameCase{"bCC", true}, NameCase{"Resent-Bcc", true},
                      NameCase{"Return-Path", true}, NameCase{"MIME-Version", true}, NameCase{"Mime-Version", true},
                      NameCase{"Content-Type", true}, NameCase{"Content-Transfer-Encoding", true},
                      NameCase{"CONTENT-LANGUAGE", true}, NameCase{"Content-X-Own", true}, NameCase{"content-", true},
                      NameCase{"DKIM-Signature", true}, NameCase{"DomainKey-Signature", true},
                      NameCase{"X-Google-DKIM-Signature", true}, NameCase{"ARC-Seal", true},
                      NameCase{"ARC-Message-Signature", true}, NameCase{"arc-authentication-results", true},
                      NameCase{"Authentication-Results", true}, NameCase{"Idempotency-Key", true},
                      NameCase{"From", false}, NameCase{"To", false}, NameCase{"Cc", false}, NameCase{"Subject", false},
                      NameCase{"References", false}, NameCase{"In-Reply-To", false}, NameCase{"Received", false},
                      NameCase{"Message-ID", false}, NameCase{"Resent-To", false}, NameCase{"List-Unsubscribe", false},
                      NameCase{"X-Content-Type", false}, NameCase{"Contents", false}, NameCase{"ARC", false},
                      NameCase{"Bcc2", false}),
    [](const auto& info) {
      std::string name = info.param.name + std::to_string(info.index);
      for (char& c : name) {
        if (c == '-') c = '_';
      }
      return name;
    });

}  // namespace
}  // namespace sealpost
