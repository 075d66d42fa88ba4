// SPDX-License-Identifier: Apache-2.0
// The header block that leaves in clear and the entity inside: which fields stand where, folding of long lines, octet
// for octet.
#include "crypto/outer_header.h"

#include <gtest/gtest.h>

#include <ostream>
#include <string>

namespace sealpost {
namespace {

using namespace std::string_literals;

const HeaderAdditions outer_additions{"Received: by relay\r\n\tid 1\r\n", "MIME-Version: 1.0\r\nDate: now\r\n"};

std::string outer(const std::string& message, OuterFields which = OuterFields::Sealed) {
  const auto block = outer_header(split_message(message).value(), which, outer_additions);
  return block ? std::string(view(*block)) : "error: " + block.error().public_text;
}

std::string inner(const std::string& message) {
  const auto split = split_message(message).value();
  return std::string(view(inner_header(split))) + std::string(split.body);
}

struct Case {
  std::string name;
  std::string in;
  std::string out;
};
void PrintTo(const Case& value, std::ostream* out) { *out << value.name; }
std::string field_name(const ::testing::TestParamInfo<Case>& info) { return info.param.name; }

class Outer : public ::testing::TestWithParam<Case> {};

/// What the relay adds stands around the kept fields.
TEST_P(Outer, HoldsTheKeptFieldsBetweenTheAdditions) {
  EXPECT_EQ(outer(GetParam().in + "\r\nTo: body\r\n"),
            std::string(outer_additions.top) + GetParam().out + std::string(outer_additions.bottom));
}

INSTANTIATE_TEST_SUITE_P(
    Sealed, Outer,
    ::testing::Values(
        Case{"OrderAndSpelling", "x-B: 2\r\nFROM:a\r\nx-A : \t1  \r\nx-B: 3\r\n",
             "x-B: 2\r\nFROM:a\r\nx-A : \t1  \r\nx-B: 3\r\n"},
        Case{"FoldsOfKeptFields", "Subject: a\r\n b\r\n\tc\r\n", "Subject: a\r\n b\r\n\tc\r\n"},
        Case{"ThreadFields", "Message-ID: <1@x>\r\nReferences: <0@x>\r\nIn-Reply-To: <0@x>\r\nDate: then\r\n",
             "Message-ID: <1@x>\r\nReferences: <0@x>\r\nIn-Reply-To: <0@x>\r\nDate: then\r\n"},
        Case{"EarlierReceivedFields", "Received: from a\r\nReceived: from b\r\n",
             "Received: from a\r\nReceived: from b\r\n"},
        Case{"EightBit", "Subject: \xc3\xa4\r\n", "Subject: \xc3\xa4\r\n"},
        Case{"BccInEverySpelling", "To: a\r\nBcc: secret\r\nBCC: secret\r\nbcc : secret\r\nResent-Bcc: secret\r\n",
             "To: a\r\n"},
        Case{"BccFolded", "Bcc: secret,\r\n secret,\r\n\tsecret\r\nTo: a\r\n", "To: a\r\n"},
        Case{"BccLonger998", "Bcc: " + std::string(2000, 's') + "\r\nTo: a\r\n", "To: a\r\n"},
        Case{"MimeFields",
             "MIME-Version: 1.0\r\nContent-Type: text/html;\r\n charset=x\r\nContent-Language: de\r\nCONTENT-ID: "
             "1\r\nTo: a\r\n",
             "To: a\r\n"},
        Case{"SignaturesThatNoLongerHold",
             "DKIM-Signature: a\r\nDomainKey-Signature: a\r\nX-Google-DKIM-Signature: a\r\nARC-Seal: a\r\nARC-Message-"
             "Signature: a\r\nTo: a\r\n",
             "To: a\r\n"},
        Case{"TraceAndRelayFields", "Return-Path: <a>\r\nAuthentication-Results: x\r\nIdempotency-Key: k\r\nTo: a\r\n",
             "To: a\r\n"},
        Case{"NoFields", "", ""}),
    field_name);

TEST(OuterHeader, OfWhatPassesThroughKeepsItsMimeFieldsInTheirPlace) {
  EXPECT_EQ(
      outer("To: a\r\nMIME-Version: 1.0\r\nContent-Type: x/y\r\nBcc: secret\r\nSubject: s\r\nDKIM-Signature: d\r\n\r\n",
            OuterFields::PassedThrough),
      std::string(outer_additions.top) + "To: a\r\nMIME-Version: 1.0\r\nContent-Type: x/y\r\nSubject: s\r\n" +
          std::string(outer_additions.bottom));
}

class Folding : public ::testing::TestWithParam<Case> {};

TEST_P(Folding, AddsLineEndsBeforeWhiteSpaceAndNothingElse) {
  EXPECT_EQ(outer(GetParam().in + "\r\n"),
            std::string(outer_additions.top) + GetParam().out + std::string(outer_additions.bottom));
}

const std::string x300(300, 'x');
const std::string x990(990, 'x');
INSTANTIATE_TEST_SUITE_P(
    LongLines, Folding,
    ::testing::Values(
        Case{"LineOf998Stays", "X: " + std::string(995, 'x') + "\r\n", "X: " + std::string(995, 'x') + "\r\n"},
        Case{"LineOf998WithSpacesStays", "X: " + x990 + " yyyy\r\n", "X: " + x990 + " yyyy\r\n"},
        Case{"LineOf999IsFoldedAtTheLastSpace", "X: " + x990 + " yyyyy\r\n", "X: " + x990 + "\r\n yyyyy\r\n"},
        Case{"SpaceRightBehind998", "X: " + std::string(995, 'x') + " y\r\n",
             "X: " + std::string(995, 'x') + "\r\n y\r\n"},
        Case{"FoldedAtATab", "X: " + x990 + "\tyyyyy\r\n", "X: " + x990 + "\r\n\tyyyyy\r\n"},
        Case{"FoldedMoreThanOnce",
             "X: " + x300 + ' ' + x300 + ' ' + x300 + ' ' + x300 + ' ' + x300 + ' ' + x300 + ' ' + x300 + "\r\n",
             "X: " + x300 + ' ' + x300 + ' ' + x300 + "\r\n " + x300 + ' ' + x300 + ' ' + x300 + "\r\n " + x300 +
                 "\r\n"},
        Case{"OnlyTheLongLineOfAFoldedField", "X: a\r\n " + x990 + " yyyyyyyyyy\r\n\tb c\r\n",
             "X: a\r\n " + x990 + "\r\n yyyyyyyyyy\r\n\tb c\r\n"},
        // A line of white space alone would end the header block for some readers (RFC 5322 section 3.2.2).
        Case{"NoLineOfWhiteSpaceAlone", "X: " + x990 + " y" + std::string(20, ' ') + "\r\n",
             "X: " + x990 + "\r\n y" + std::string(20, ' ') + "\r\n"}),
    field_name);

class Unfoldable : public ::testing::TestWithParam<Case> {};

TEST_P(Unfoldable, LineIsRefusedForGood) {
  const std::string octets = GetParam().in + "\r\nbody";  // the parts are views into it
  const auto message = split_message(octets);
  const auto block = outer_header(*message, OuterFields::Sealed, outer_additions);
  ASSERT_FALSE(block);
  EXPECT_EQ(block.error().kind, ErrorKind::Permanent);
  EXPECT_NE(block.error().public_text.find("998"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(LongLines, Unfoldable,
                         ::testing::Values(Case{"NoWhiteSpace", "X:" + std::string(997, 'x') + "\r\n", ""},
                                           Case{"OneLongWord", "X: a " + std::string(999, 'x') + " b\r\n", ""},
                                           Case{"LongContinuation", "X: a\r\n " + std::string(998, 'x') + "\r\n", ""},
                                           Case{"WhiteSpaceOnly", "X: a\r\n" + std::string(1200, ' ') + "\r\n", ""},
                                           Case{"WhiteSpaceAtTheEnd", "X:a" + std::string(1200, ' ') + "\r\n", ""}),
                         field_name);

class Inner : public ::testing::TestWithParam<Case> {};

TEST_P(Inner, EntityIsTheSubmittedOne) { EXPECT_EQ(inner(GetParam().in), GetParam().out); }

INSTANTIATE_TEST_SUITE_P(
    Entities, Inner,
    ::testing::Values(Case{"ContentFieldsInOrderAndSpelling",
                           "To: a\r\nContent-transfer-ENCODING:8bit\r\nSubject: s\r\nCONTENT-TYPE: "
                           "text/html;\r\n\tcharset=utf-8\r\nContent-ID: <1>\r\n\r\n<p>\r\n",
                           "Content-transfer-ENCODING:8bit\r\nCONTENT-TYPE: "
                           "text/html;\r\n\tcharset=utf-8\r\nContent-ID: <1>\r\n\r\n<p>\r\n"},
                      Case{"MimeVersionStaysOutside", "MIME-Version: 1.0\r\nContent-Type: a/b\r\n\r\nx",
                           "Content-Type: a/b\r\n\r\nx"},
                      Case{"DefaultContentType", "To: a\r\n\r\nhello\r\n", "Content-Type: text/plain\r\n\r\nhello\r\n"},
                      Case{"DefaultContentTypeBesideOtherFields", "Content-Language: de\r\n\r\nx",
                           "Content-Type: text/plain\r\nContent-Language: de\r\n\r\nx"},
                      Case{"EmptyBody", "To: a\r\n\r\n", "Content-Type: text/plain\r\n\r\n"},
                      Case{"NoFields", "\r\nx", "Content-Type: text/plain\r\n\r\nx"},
                      Case{"LongLines", "Content-Type: a/b\r\n\r\n" + std::string(100'000, 'x') + "\r\n",
                           "Content-Type: a/b\r\n\r\n" + std::string(100'000, 'x') + "\r\n"},
                      Case{"LongContentField", "Content-Type: a/b; x=" + std::string(2000, 'x') + "\r\n\r\n",
                           "Content-Type: a/b; x=" + std::string(2000, 'x') + "\r\n\r\n"},
                      Case{"EightBitAndNul", "Content-Type: a/b\r\n\r\n\xff\xc3\xa4\0x"s,
                           "Content-Type: a/b\r\n\r\n\xff\xc3\xa4\0x"s},
                      Case{"NoFinalLineEnd", "Content-Type: a/b\r\n\r\nlast line",
                           "Content-Type: a/b\r\n\r\nlast line"}),
    field_name);

}  // namespace
}  // namespace sealpost
