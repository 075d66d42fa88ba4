// SPDX-License-Identifier: Apache-2.0
// Forms with files, as browsers send them, and what is none.
#include "base/http/multipart_form.h"

#include <gtest/gtest.h>

namespace sealpost::http {
namespace {

const std::string type = "multipart/form-data; boundary=----WebKitFormBoundaryAbC";

std::string part(const std::string& disposition, const std::string& body) {
  return "------WebKitFormBoundaryAbC\r\nContent-Disposition: " + disposition + "\r\n\r\n" + body + "\r\n";
}
const std::string end = "------WebKitFormBoundaryAbC--\r\n";

std::string text(const std::map<std::string, WipedBuffer>& form, const std::string& name) {
  const auto found = form.find(name);
  return found == form.end() ? std::string("(none)") : std::string(view(found->second));
}

TEST(MultipartForm, HasFieldsAndFilesByName) {
  std::string octets = "0\x82\x01\x02";
  octets += std::string("\0\r\n--\r\n\xff", 8);
  const auto form = parse_multipart_form(
      type,
      part("form-data; name=\"csrf\"", "abc") +
          part("form-data; name=\"file\"; filename=\"my cert; v2.cer\"\r\nContent-Type: application/x-x509", octets) +
          part("form-data; name=\"certificate\"", "") + end);
  ASSERT_TRUE(form) << form.error().public_text;
  EXPECT_EQ(text(*form, "csrf"), "abc");
  EXPECT_EQ(text(*form, "file"), octets);
  EXPECT_EQ(text(*form, "certificate"), "");
}

TEST(MultipartForm, KeepsTheFirstOfAName) {
  const auto form =
      parse_multipart_form(type, part("form-data; name=\"a\"", "1") + part("form-data; name=\"a\"", "2") + end);
  EXPECT_EQ(text(*form, "a"), "1");
}

TEST(MultipartForm, RefusesWhatIsNone) {
  EXPECT_FALSE(parse_multipart_form("application/x-www-form-urlencoded", "a=1"));
  EXPECT_FALSE(parse_multipart_form("multipart/form-data", part("form-data; name=\"a\"", "1") + end));
  EXPECT_FALSE(parse_multipart_form("multipart/mixed; boundary=x", "--x--\r\n"));
  EXPECT_FALSE(parse_multipart_form("multipart/form-data; boundary=" + std::string(71, 'x'), ""));
  EXPECT_FALSE(parse_multipart_form(type, part("form-data", "1") + end)) << "no name";
  EXPECT_FALSE(parse_multipart_form(type, part("attachment; name=\"a\"", "1") + end));
  std::string many;
  for (int i = 0; i < 21; ++i) many += part("form-data; name=\"f" + std::to_string(i) + "\"", "x");
  EXPECT_FALSE(parse_multipart_form(type, many + end));
}

TEST(MultipartForm, EndsWithItsBody) {
  const auto whole = part("form-data; name=\"a\"", "12345") + end;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto form = parse_multipart_form(type, std::string_view(whole).substr(0, size));
    if (!form || !form->contains("a")) continue;
    EXPECT_LE(text(*form, "a").size(), 5U + end.size()) << size;
  }
}

}  // namespace
}  // namespace sealpost::http
