// SPDX-License-Identifier: Apache-2.0
// What of a JSON message becomes a header field, of the mail or of a part: names, addresses, types and ids. No value
// gets out of its field, and none makes a field that is the relay's to write.
#include <gtest/gtest.h>

#include <ostream>

#include "base/encoding.h"
#include "relay/submit/composition_json.h"
#include "tests/unit/relay/submit/composition_fixture.h"

namespace sealpost::submit {
namespace {

using test::read_json;
using test::refusals;
using test::with;

/// A string's place in a message; `%` stands for what is put there.
struct CompositionFieldsPlace {
  const char* name;
  std::string body;
  std::string pointer;
};
void PrintTo(const CompositionFieldsPlace& place, std::ostream* out) { *out << place.name; }

std::string put(std::string text, const std::string& value) { return text.replace(text.find('%'), 1, value); }

class HeaderValue : public testing::TestWithParam<CompositionFieldsPlace> {};

TEST_P(HeaderValue, HoldsNoControls) {
  ASSERT_EQ(refusals(read_json(put(GetParam().body, "z"))), "") << "the place itself is right";
  for (const char* control : {"\\r\\n",  "\\r\\nBcc: <eve@example.org>",
                              "\\r",     "\\n",
                              "\\u0000", "\\u0001",
                              "\\t",     "\\b",
                              "\\f",     "\\u000b",
                              "\\u001b", "\\u001f",
                              "\u007f",  "\\u007f",
                              "\\u0080", "\u0085",
                              "\\u0085", "\\u009b",
                              "\\u009f", "\\u2028",
                              "\u2029"}) {
    const auto read = read_json(put(GetParam().body, control));
    ASSERT_FALSE(read) << control;
    ASSERT_EQ(read.error().size(), 1U) << refusals(read);
    EXPECT_EQ(read.error()[0].pointer, GetParam().pointer) << control;
    EXPECT_EQ(without_controls(read.error()[0].detail, '?'), read.error()[0].detail);
  }
}

const std::string to_bob = R"("to":["b@example.net"]})";
const std::string from_anna = R"({"from":"a@example.com",)";

INSTANTIATE_TEST_SUITE_P(
    Fields, HeaderValue,
    testing::Values(
        CompositionFieldsPlace{"FromName", R"({"from":"An%na <a@example.com>",)" + to_bob, "/from"},
        CompositionFieldsPlace{"FromQuotedName", R"({"from":"\"An%na\" <a@example.com>",)" + to_bob, "/from"},
        CompositionFieldsPlace{"FromEscapedInAName", R"({"from":"\"An\\%na\" <a@example.com>",)" + to_bob, "/from"},
        CompositionFieldsPlace{"FromNameFirst", R"({"from":"%a <a@example.com>",)" + to_bob, "/from"},
        CompositionFieldsPlace{"FromLocalPart", R"({"from":"a%b@example.com",)" + to_bob, "/from"},
        CompositionFieldsPlace{"FromLocalPartInAngles", R"({"from":"A <a%b@example.com>",)" + to_bob, "/from"},
        CompositionFieldsPlace{"FromQuotedLocalPart", R"({"from":"\"a%b\"@example.com",)" + to_bob, "/from"},
        CompositionFieldsPlace{"FromDomain", R"({"from":"a@exa%mple.com",)" + to_bob, "/from"},
        CompositionFieldsPlace{"FromDomainLast", R"({"from":"a@example.com%",)" + to_bob, "/from"},
        CompositionFieldsPlace{"FromFirst", R"({"from":"%a@example.com",)" + to_bob, "/from"},
        CompositionFieldsPlace{"To", from_anna + R"("to":["c@example.net","B%b <b@example.net>"]})", "/to/1"},
        CompositionFieldsPlace{"ToAlone", from_anna + R"("to":"b%@example.net"})", "/to"},
        CompositionFieldsPlace{"Cc", from_anna + R"("cc":["b%@example.net"]})", "/cc/0"},
        CompositionFieldsPlace{"Bcc", from_anna + R"("bcc":["b@example%net.com"]})", "/bcc/0"},
        CompositionFieldsPlace{"ReplyTo", with(R"("reply_to":["\"R%\" <r@example.net>"])"), "/reply_to/0"},
        CompositionFieldsPlace{"Subject", with(R"("subject":"a%b")"), "/subject"},
        CompositionFieldsPlace{"SubjectLast", with(R"("subject":"a%")"), "/subject"},
        CompositionFieldsPlace{"SubjectFirst", with(R"("subject":"%a")"), "/subject"},
        CompositionFieldsPlace{"Header", with(R"("headers":{"X-A":"a%b"})"), "/headers/X-A"},
        CompositionFieldsPlace{"HeaderFirst", with(R"("headers":{"X-A":"%"})"), "/headers/X-A"},
        CompositionFieldsPlace{"References", with(R"("headers":{"References":"<a@b>% <c@d>"})"), "/headers/References"},
        CompositionFieldsPlace{"Filename", with(R"("attachments":[{"content":"","filename":"a%b"}])"),
                               "/attachments/0/filename"},
        CompositionFieldsPlace{"ContentType", with(R"("attachments":[{"content":"","content_type":"text/x%y"}])"),
                               "/attachments/0/content_type"},
        CompositionFieldsPlace{"TypeParameter",
                               with(R"("attachments":[{"content":"","content_type":"text/x; a=\"%\""}])"),
                               "/attachments/0/content_type"},
        CompositionFieldsPlace{"TypeEscape",
                               with(R"("attachments":[{"content":"","content_type":"text/x; a=\"\\%\""}])"),
                               "/attachments/0/content_type"},
        CompositionFieldsPlace{"ContentId", with(R"("attachments":[{"content":"","content_id":"a%b"}])"),
                               "/attachments/0/content_id"}),
    [](const auto& test) { return test.param.name; });

TEST(HeaderValue, IsBounded) {
  const auto say = [](const std::string& place, std::size_t count) {
    return refusals(read_json(put(place, std::string(count, 'x'))));
  };
  const std::string subject = with(R"("subject":"%")");
  EXPECT_EQ(say(subject, 4096), "");
  EXPECT_EQ(say(subject, 4097), "/subject: longer than 4096 octets\n");
  const std::string header = with(R"("headers":{"X-A":"%"})");
  EXPECT_EQ(say(header, 16384), "");
  EXPECT_EQ(say(header, 16385), "/headers/X-A: longer than 16384 octets\n");
  const std::string name = R"({"from":"% <a@example.com>",)" + to_bob;
  EXPECT_EQ(say(name, 320), "");
  EXPECT_EQ(say(name, 321), "/from: the name is longer than 320 octets\n");
}

std::string header(const std::string& name, const std::string& value = "x") {
  return with("\"headers\":{\"" + name + "\":\"" + value + "\"}");
}

class ReservedHeader : public testing::TestWithParam<const char*> {};

TEST_P(ReservedHeader, IsRefusedInAnyCase) {
  const std::string name = GetParam();
  std::string mixed = ascii_lower(name);
  for (std::size_t i = 0; i < mixed.size(); i += 2) mixed[i] = ascii_upper(mixed)[i];
  for (const auto& spelling : {name, ascii_lower(name), ascii_upper(name), mixed}) {
    EXPECT_EQ(refusals(read_json(header(spelling))), "/headers/" + spelling + ": this field cannot be set here\n");
  }
  EXPECT_EQ(refusals(read_json(header("X-" + name))), "") << "only the field itself";
}

INSTANTIATE_TEST_SUITE_P(Fields, ReservedHeader,
                         testing::Values("From", "Sender", "To", "Cc", "Bcc", "Reply-To", "Subject", "Date", "Received",
                                         "Return-Path", "MIME-Version", "Idempotency-Key", "Resent-From",
                                         "Resent-Sender", "Resent-To", "Resent-Cc", "Resent-Bcc", "Resent-Date",
                                         "Resent-Message-ID", "Resent-Reply-To", "Resent-Anything", "Resent-",
                                         "Content-Type", "Content-Transfer-Encoding", "Content-Disposition",
                                         "Content-ID", "Content-Description", "Content-Language", "Content-Anything",
                                         "Content-"));

TEST(HeaderName, IsPrintableAsciiWithoutColon) {
  for (const char* good : {"X-A", "List-Unsubscribe", "x", "!#$%&'*+-.^_`|~0", "X\\/Y", "Precedence", "Comments"}) {
    EXPECT_EQ(refusals(read_json(header(good))), "") << good;
  }
  EXPECT_EQ(refusals(read_json(header(std::string(76, 'x')))), "");
  for (const char* bad : {"", " ", "X A", "X-A ", " X-A", "X:", ":", "From:", "Bcc: e@example.org\\r\\nX", "X\\r\\n",
                          "X\\n", "X\\t", "\\u0001", "X\\u007f", "X-\u00e4", "\\u2028", "Bcc\\u00a0"}) {
    const auto read = read_json(header(bad));
    ASSERT_FALSE(read) << bad;
    EXPECT_EQ(read.error()[0].detail, "not the name of a header field") << bad;
  }
  EXPECT_FALSE(read_json(header(std::string(77, 'x'))));
  EXPECT_FALSE(read_json(header("Bcc\\u0000x")));
}

TEST(HeaderName, ComesOnceWhereAMessageHasItOnce) {
  for (const auto& [first, second] :
       {std::pair{"Message-ID", "message-id"}, {"In-Reply-To", "IN-REPLY-TO"}, {"references", "References"}}) {
    const std::string two = std::string("\"") + first + R"(":"<a@b>",")" + second + R"(":"<c@d>")";
    EXPECT_EQ(refusals(read_json(with("\"headers\":{" + two + "}"))),
              std::string("/headers/") + second + ": given twice: a message has this field once\n");
  }
  const auto read = read_json(with(R"("headers":{"Comments":"1","comments":"2","X-A":"3","x-a":"4"})"));
  ASSERT_EQ(refusals(read), "") << "RFC 5322 section 3.6: any number of them";
  EXPECT_EQ(read->headers.size(), 4U);
}

TEST(MessageId, IsOneIdInAngleBrackets) {
  const std::string long_id = "<" + std::string(496, 'x') + "@b>";
  for (const std::string& good : {std::string("<a@b>"), std::string("<a.b+c=?d@example.com>"), long_id}) {
    EXPECT_EQ(refusals(read_json(header("Message-Id", good))), "") << good;
  }
  for (const std::string& bad :
       {std::string(""), std::string("a@b"), std::string("<a@b"), std::string("a@b>"), std::string("<ab>"),
        std::string("<@b>"), std::string("<a@>"), std::string("<a@b@c>"), std::string("<a b@c>"),
        std::string("<a@b> <c@d>"), std::string("<a@b><c@d>"), std::string(" <a@b>"), std::string("<a@b> "),
        std::string("<\u00e4@b>"), std::string("<>"), "x" + long_id, "<x" + long_id.substr(1)}) {
    EXPECT_EQ(refusals(read_json(header("message-ID", bad))), "/headers/message-ID: not a message id: <left@right>\n")
        << bad;
  }
}

std::string attachment(const std::string& member, const std::string& value) {
  return with("\"attachments\":[{\"content\":\"\",\"" + member + "\":\"" + value + "\"}]");
}

TEST(ContentType, IsTypeAndSubtypeWithParameters) {
  for (const char* good : {"text/plain", "TEXT/Plain; charset=utf-8", "a/b;c=d", "a/b ; c=d ; e=f", "a/b; c=\\\"\\\"",
                           "a/b; c=\\\"d;e=f\\\"", "a/b; c=\\\"d\\\\\\\"e\\\"", "application/vnd.a+xml; v=1.0",
                           "application/x-pkcs12; name=\\\"a b.p12\\\"", " text/plain "}) {
    EXPECT_EQ(refusals(read_json(attachment("content_type", good))), "") << good;
  }
  const auto read = read_json(attachment("content_type", " message/rfc822 "));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->attachments[0].content_type, "message/rfc822");
  for (const char* bad : {"",
                          " ",
                          "text",
                          "text/",
                          "/plain",
                          "/",
                          "text/plain/x",
                          "text plain/x",
                          "text/plain;",
                          "text/plain; ",
                          "text/plain;;a=b",
                          "text/plain; a",
                          "text/plain; =b",
                          "text/plain; a=",
                          "text/plain; a=b c",
                          "text/plain; a=\\\"b",
                          "text/plain; a=\\\"b\\\"c",
                          "text/plain; a=\\\"b\\\"c\\\"",
                          "text/plain; a=\\\"b\\\\\\\"",
                          "text/plain; a=(b)",
                          "text/plain, a=b",
                          "text/pl\u00e4in",
                          "text/plain; a=\\\"\u00e4\\\"",
                          "text/ plain",
                          "text /plain",
                          "te(xt)/plain",
                          "text/plain; a b=c",
                          "multipart /mixed",
                          "text/plain; a=\\\"b\\\"; "}) {
    EXPECT_EQ(refusals(read_json(attachment("content_type", bad))), "/attachments/0/content_type: not a content type\n")
        << bad;
  }
  EXPECT_EQ(refusals(read_json(attachment("content_type", "a/" + std::string(253, 'b')))), "");
  EXPECT_NE(refusals(read_json(attachment("content_type", "a/" + std::string(254, 'b')))), "");
}

TEST(ContentId, NamesOneAttachment) {
  const std::string twice =
      R"("attachments":[{"content":"","content_id":"a"},{"content":""},{"content":"","content_id":"a"}])";
  EXPECT_EQ(refusals(read_json(with(twice))), "/attachments/2/content_id: an attachment before has this id\n");
}

TEST(ContentId, HoldsWhatFitsBracketsAndUrls) {
  for (const std::string& good :
       {std::string("a"), std::string("logo@example.com"), std::string("a.b-c_d+e=f"), std::string(255, 'x')}) {
    EXPECT_EQ(refusals(read_json(attachment("content_id", good))), "") << good;
  }
  for (const std::string& bad :
       {std::string(""), std::string("<a@b>"), std::string("a b"), std::string("a>"), std::string("a%20b"),
        std::string("a;b"), std::string("\u00e4"), std::string("a(b)"), std::string("a\\\"b"), std::string(256, 'x')}) {
    EXPECT_NE(refusals(read_json(attachment("content_id", bad))), "") << bad;
  }
}

}  // namespace
}  // namespace sealpost::submit
