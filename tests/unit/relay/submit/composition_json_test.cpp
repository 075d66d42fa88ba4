// SPDX-License-Identifier: Apache-2.0
// What POST /v1/messages takes in JSON: each member, and each refusal with the place that it is about. Addresses and
// what else becomes a header field: composition_fields_test.cpp.
#include "relay/submit/composition_json.h"

#include <gtest/gtest.h>

#include <ostream>

#include "tests/unit/relay/submit/composition_fixture.h"

namespace sealpost::submit {
namespace {

using namespace std::string_literals;
using test::read_json;
using test::refusals;
using test::with;

std::string text_of(const std::vector<Mailbox>& mailboxes) {
  std::string out;
  for (const auto& [name, address] : mailboxes) out += name + "<" + address.text() + ">";
  return out;
}

TEST(CompositionJson, ReadsEveryMember) {
  const auto read = read_json(R"({
    "from": "\"Anna \\\"A\\\"\" <anna@example.com>", "to": ["bob@example.net", "<c@example.net>"],
    "cc": ["\"D, E\" <d@example.net>"], "bcc": ["f@example.net"], "reply_to": ["Büro <office@bücher.example>"],
    "subject": "Grüße", "text": "a\nb", "html": "<p>c</p>",
    "attachments": [{"filename": "Fuß.pdf", "content_type": "application/pdf; x=\"a;b\"", "content_id": "img@1",
                     "content": "AAEC"}, {"content": ""}],
    "headers": {"X-Z": "1", "Message-ID": "<a@b>", "X-A": ""}})");
  ASSERT_EQ(refusals(read), "");
  EXPECT_EQ(text_of({read->from}), "Anna \"A\"<anna@example.com>");
  EXPECT_EQ(text_of(read->to), "<bob@example.net><c@example.net>");
  EXPECT_EQ(text_of(read->cc), "D, E<d@example.net>");
  EXPECT_EQ(text_of(read->bcc), "<f@example.net>");
  EXPECT_EQ(text_of(read->reply_to), "Büro<office@bücher.example>");
  EXPECT_EQ(read->subject, "Grüße");
  EXPECT_EQ(read->text, "a\nb");
  EXPECT_EQ(read->html, "<p>c</p>");
  ASSERT_EQ(read->attachments.size(), 2U);
  EXPECT_EQ(read->attachments[0].filename, "Fuß.pdf");
  EXPECT_EQ(read->attachments[0].content_type, "application/pdf; x=\"a;b\"");
  EXPECT_EQ(read->attachments[0].content_id, "img@1");
  EXPECT_EQ(read->attachments[0].content, std::string("\0\1\2", 3));
  EXPECT_EQ(read->attachments[1].filename + read->attachments[1].content_id + read->attachments[1].content, "");
  EXPECT_EQ(read->attachments[1].content_type, "application/octet-stream");
  const std::vector<std::pair<std::string, std::string>> headers = {{"X-Z", "1"}, {"Message-ID", "<a@b>"}, {"X-A", ""}};
  EXPECT_EQ(read->headers, headers) << "in the order of the body";
}

TEST(CompositionJson, TakesWhatIsNotThereForEmpty) {
  const auto read = read_json(R"({"from":"a@example.com","bcc":"b@example.net"})");
  ASSERT_EQ(refusals(read), "");
  EXPECT_TRUE(read->to.empty() && read->cc.empty() && read->reply_to.empty() && read->subject.empty());
  EXPECT_TRUE(read->attachments.empty() && read->headers.empty());
  EXPECT_FALSE(read->text);
  EXPECT_FALSE(read->html);
  EXPECT_EQ(text_of(read->bcc), "<b@example.net>") << "one alone needs no list";
}

TEST(CompositionJson, TakesNullForWhatIsNotThere) {
  const auto read = read_json(R"({"from":"a@example.com","to":null,"cc":["b@example.net"],"bcc":null,"reply_to":null,
    "subject":null,"text":null,"html":null,"headers":null,
    "attachments":[{"filename":null,"content_type":null,"content_id":null,"content":"eA=="}]})");
  ASSERT_EQ(refusals(read), "");
  EXPECT_FALSE(read->text || read->html);
  EXPECT_EQ(read->attachments.at(0).content_type, "application/octet-stream");
  EXPECT_EQ(refusals(read_json(R"({"from":"a@example.com","to":["b@example.net"],"attachments":null})")), "");
}

TEST(CompositionJson, LeavesTextAsItIs) {
  const auto read = read_json(with(R"("text":"\r\n\n\r\u0000\u0001\u007f\u0085\u2028. \t","html":"")"));
  ASSERT_EQ(refusals(read), "");
  EXPECT_EQ(read->text, "\r\n\n\r\0\1\x7f\xc2\x85\xe2\x80\xa8. \t"s);
  EXPECT_EQ(read->html, "");
}

struct Refused {
  const char* name;
  std::string body;
  std::string refusals;  ///< all of them, a line each
};
void PrintTo(const Refused& refused, std::ostream* out) { *out << refused.name; }

class WrongMessage : public testing::TestWithParam<Refused> {};
TEST_P(WrongMessage, IsRefusedWithThePlace) { EXPECT_EQ(refusals(read_json(GetParam().body)), GetParam().refusals); }

const auto name_of = [](const auto& test) { return test.param.name; };

INSTANTIATE_TEST_SUITE_P(
    Whole, WrongMessage,
    testing::Values(
        Refused{"List", "[]", ": not an object\n"}, Refused{"Empty", "{}", "/from: missing: who the message is from\n"},
        Refused{"NullFrom", R"({"from":null,"to":["b@example.net"]})", "/from: missing: who the message is from\n"},
        Refused{"NoRecipient", R"({"from":"a@example.com"})", "/to: missing: there is no recipient in to, cc or bcc\n"},
        Refused{"EmptyLists", R"({"from":"a@example.com","to":[],"cc":[],"bcc":[],"reply_to":["r@example.com"]})",
                "/to: missing: there is no recipient in to, cc or bcc\n"},
        Refused{"UnknownMember", with(R"("Subject":"x")"), "/Subject: there is no such member\n"},
        Refused{"UnknownNull", with(R"("sender":null)"), "/sender: there is no such member\n"},
        Refused{"EscapedPointer", with(R"("a/b~c":1)"), "/a~1b~0c: there is no such member\n"},
        Refused{"EmptyName", with(R"("":1)"), "/: there is no such member\n"},
        Refused{"UnknownInAttachment", with(R"("attachments":[{"content":"","name":"x"}])"),
                "/attachments/0/name: there is no such member\n"}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    Attachments, WrongMessage,
    testing::Values(
        Refused{"NoContent", with(R"("attachments":[{}])"),
                "/attachments/0/content: missing: the attachment's octets in base64\n"},
        Refused{"NullContent", with(R"("attachments":[{"content":"eA=="},{"content":null}])"),
                "/attachments/1/content: missing: the attachment's octets in base64\n"},
        Refused{"LongFilename",
                with("\"attachments\":[{\"content\":\"\",\"filename\":\"" + std::string(1025, 'x') + "\"}]"),
                "/attachments/0/filename: longer than 1024 octets\n"},
        Refused{"Multipart", with(R"("attachments":[{"content":"","content_type":"Multipart/mixed; boundary=x"}])"),
                "/attachments/0/content_type: an attachment is one part: no multipart\n"},
        Refused{"MultipartBehindABlank", with(R"("attachments":[{"content":"","content_type":" multipart/mixed"}])"),
                "/attachments/0/content_type: an attachment is one part: no multipart\n"},
        Refused{"MessageWithBareLf", with(R"("attachments":[{"content":"YTpiCgpj","content_type":"message/rfc822"}])"),
                "/attachments/0/content: a message wants CRLF at its lines' ends, and 998 octets in a line at most\n"},
        Refused{"MessageBehindABlank",
                with(R"("attachments":[{"content":"YTpiCgpj","content_type":" Message/RFC822"}])"),
                "/attachments/0/content: a message wants CRLF at its lines' ends, and 998 octets in a line at most\n"},
        Refused{"MessageWithNul", with(R"("attachments":[{"content":"AA==","content_type":"message/rfc822"}])"),
                "/attachments/0/content: a message wants CRLF at its lines' ends, and 998 octets in a line at most\n"}),
    name_of);

/// A value of the wrong type at each place, and what is said of it there.
struct CompositionJsonPlace {
  const char* name;
  std::string before, behind;
  std::string pointer;
  std::vector<std::string> wrong;
  std::string detail;
};
void PrintTo(const CompositionJsonPlace& place, std::ostream* out) { *out << place.name; }

class WrongType : public testing::TestWithParam<CompositionJsonPlace> {};

TEST_P(WrongType, IsRefused) {
  const auto& place = GetParam();
  for (const auto& value : place.wrong) {
    const std::string body = place.before + value + place.behind;
    EXPECT_EQ(refusals(read_json(body)), place.pointer + ": " + place.detail + "\n") << body;
  }
}

const std::vector<std::string> no_strings = {"1",        "1.5", "true", "false", "{}", "[]", "[\"a@example.com\"]",
                                             "{\"a\":1}"};
const std::vector<std::string> no_strings_nor_null = {"1", "false", "{}", "[]", "[\"a@example.com\"]", "null"};
const std::vector<std::string> no_lists = {"1", "false", "{}", "{\"address\":\"a@example.com\"}"};
const std::vector<std::string> no_objects = {"1", "\"x\"", "[]", "[{}]", "true"};
const std::string rest = R"("from":"a@example.com","to":["b@example.net"]})";
const std::string sender = R"({"from":"a@example.com",)";
const std::string attached = "{\"attachments\":[{\"content\":\"\",";

INSTANTIATE_TEST_SUITE_P(
    Json, WrongType,
    testing::Values(
        CompositionJsonPlace{"From", "{\"to\":[\"b@example.net\"],\"from\":", "}", "/from", no_strings, "not a string"},
        CompositionJsonPlace{"To", sender + "\"to\":", "}", "/to", no_lists, "not an array"},
        CompositionJsonPlace{"Cc", sender + "\"cc\":", "}", "/cc", no_lists, "not an array"},
        CompositionJsonPlace{"Bcc", sender + "\"bcc\":", "}", "/bcc", no_lists, "not an array"},
        CompositionJsonPlace{"ReplyTo", "{\"reply_to\":", "," + rest, "/reply_to", no_lists, "not an array"},
        CompositionJsonPlace{"ToItem", sender + "\"to\":[\"x@example.net\",", "]}", "/to/1", no_strings_nor_null,
                             "not a string"},
        CompositionJsonPlace{"CcItem", sender + "\"cc\":[", "]}", "/cc/0", no_strings_nor_null, "not a string"},
        CompositionJsonPlace{"BccItem", sender + "\"bcc\":[", "]}", "/bcc/0", no_strings_nor_null, "not a string"},
        CompositionJsonPlace{"ReplyToItem", "{\"reply_to\":[", "]," + rest, "/reply_to/0", no_strings_nor_null,
                             "not a string"},
        CompositionJsonPlace{"Subject", "{\"subject\":", "," + rest, "/subject", no_strings, "not a string"},
        CompositionJsonPlace{"Text", "{\"text\":", "," + rest, "/text", no_strings, "not a string"},
        CompositionJsonPlace{"Html", "{\"html\":", "," + rest, "/html", no_strings, "not a string"},
        CompositionJsonPlace{
            "Attachments", "{\"attachments\":", "," + rest, "/attachments", {"1", "\"x\"", "{}"}, "not an array"},
        CompositionJsonPlace{"Attachment",
                             "{\"attachments\":[",
                             "]," + rest,
                             "/attachments/0",
                             {"1", "\"x\"", "[]", "null"},
                             "not an object"},
        CompositionJsonPlace{"Filename", attached + "\"filename\":", "}]," + rest, "/attachments/0/filename",
                             no_strings, "not a string"},
        CompositionJsonPlace{"ContentType", attached + "\"content_type\":", "}]," + rest, "/attachments/0/content_type",
                             no_strings, "not a string"},
        CompositionJsonPlace{"ContentId", attached + "\"content_id\":", "}]," + rest, "/attachments/0/content_id",
                             no_strings, "not a string"},
        CompositionJsonPlace{"Content", "{\"attachments\":[{\"content\":", "}]," + rest, "/attachments/0/content",
                             no_strings, "not a string"},
        CompositionJsonPlace{"Headers", "{\"headers\":", "," + rest, "/headers", no_objects, "not an object"},
        CompositionJsonPlace{"Header", "{\"headers\":{\"X-A\":", "}," + rest, "/headers/X-A", no_strings_nor_null,
                             "not a string"}),
    name_of);

TEST(CompositionJson, TellsAllThatIsWrongAtOnce) {
  EXPECT_EQ(refusals(read_json(R"({"to":["b@example.net","c@",7],"cc":1,"subject":"a\nb","text":1,"tags":[],
    "attachments":[{"content":"=","content_type":"x","content_id":"<a>"},2,{"filename":"\r"}],
    "headers":{"Bcc":"x@example.net","X A":"1","X-B":"a\r\nc","Message-ID":"x"}})",
                               "/3")),
            "/3/to/1: not a domain name\n/3/to/2: not a string\n/3/cc: not an array\n"
            "/3/subject: has a line end or another control character\n/3/text: not a string\n"
            "/3/tags: there is no such member\n"
            "/3/attachments/0/content: not base64 (RFC 4648 section 4, with its padding and without line ends)\n"
            "/3/attachments/0/content_type: not a content type\n"
            "/3/attachments/0/content_id: not an id: at most 255 letters, digits and !#$&'*+-/=?^_`{|}~.@\n"
            "/3/attachments/1: not an object\n"
            "/3/attachments/2/filename: has a line end or another control character\n"
            "/3/attachments/2/content: missing: the attachment's octets in base64\n"
            "/3/headers/Bcc: this field cannot be set here\n/3/headers/X A: not the name of a header field\n"
            "/3/headers/X-B: has a line end or another control character\n"
            "/3/headers/Message-ID: not a message id: <left@right>\n"
            "/3/from: missing: who the message is from\n");
}

TEST(CompositionJson, TellsNoMoreThanAHundredRefusals) {
  std::string list = "1";
  for (int i = 1; i < 900; ++i) list += ",1";
  const auto read = read_json("{\"to\":[" + list + "],\"cc\":[" + list + "]}");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().size(), 100U);
  EXPECT_EQ(read.error().back().pointer, "/to/99");
}

std::string addresses(int count, const std::string& domain) {
  std::string out;
  for (int i = 0; i < count; ++i) out += (i == 0 ? "\"a" : ",\"a") + std::to_string(i) + "@" + domain + "\"";
  return "[" + out + "]";
}

TEST(CompositionJson, CountsRecipientsOverToCcAndBcc) {
  const auto body = [](int to, int cc, int bcc) {
    return "{\"from\":\"a@example.com\",\"to\":" + addresses(to, "one.example") +
           ",\"cc\":" + addresses(cc, "two.example") + ",\"bcc\":" + addresses(bcc, "three.example") + "}";
  };
  const std::string too_many = "/0/to: too many recipients: 4 at most in to, cc and bcc\n";
  EXPECT_EQ(refusals(read_json(body(2, 1, 1), "/0", 4)), "");
  EXPECT_EQ(refusals(read_json(body(4, 0, 0), "/0", 4)), "");
  EXPECT_EQ(refusals(read_json(body(0, 0, 4), "/0", 4)), "");
  EXPECT_EQ(refusals(read_json(body(2, 2, 1), "/0", 4)), too_many);
  EXPECT_EQ(refusals(read_json(body(0, 4, 1), "/0", 4)), too_many);
  EXPECT_EQ(refusals(read_json(body(5, 0, 0), "/0", 4)), "/0/to: more than 4\n");
  EXPECT_EQ(refusals(read_json(body(0, 0, 5), "/0", 4)), "/0/bcc: more than 4\n");
  EXPECT_EQ(refusals(read_json(body(1000, 0, 0))), "");
}

TEST(CompositionJson, BoundsAttachmentsAndHeaders) {
  std::string attachments = "{\"content\":\"\"}";
  std::string headers = "\"X-1000\":\"\"";
  for (int i = 1; i < 100; ++i) headers += ",\"X-" + std::to_string(1000 + i) + "\":\"\"";
  for (int i = 1; i < 500; ++i) attachments += ",{\"content\":\"\"}";
  EXPECT_EQ(refusals(read_json(with("\"attachments\":[" + attachments + "],\"headers\":{" + headers + "}"))), "");
  EXPECT_EQ(refusals(read_json(with("\"attachments\":[" + attachments + ",{\"content\":\"\"}],\"headers\":{" + headers +
                                    ",\"X-1\":\"\"}"))),
            "/attachments: more than 500\n/headers: more than 100\n");
}

class BadContent : public testing::TestWithParam<const char*> {};

TEST_P(BadContent, IsNoBase64) {
  EXPECT_EQ(refusals(read_json(with("\"attachments\":[{\"content\":\"" + std::string(GetParam()) + "\"}]"))),
            "/attachments/0/content: not base64 (RFC 4648 section 4, with its padding and without line ends)\n");
}

INSTANTIATE_TEST_SUITE_P(CompositionJson, BadContent,
                         testing::Values("eA", "eA=", "eA===", "eB==", "e===", "=", " eA==", "eA== ", "eA==\\n",
                                         "eHh4\\r\\neHh4", "e-_=", "eA==eA==", "\u00e4\u00e4==", "eA=\\u0000",
                                         "data:,x", "data:text/plain;base64,eA=="));

}  // namespace
}  // namespace sealpost::submit
