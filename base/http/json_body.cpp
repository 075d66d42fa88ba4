// SPDX-License-Identifier: Apache-2.0
// Implements json_body.h over Poco's parser.
#include "base/http/json_body.h"

#include <Poco/Exception.h>
#include <Poco/JSON/JSONException.h>
#include <Poco/JSON/ParseHandler.h>
#include <Poco/JSON/Parser.h>
#include <Poco/MemoryStream.h>

#include <algorithm>
#include <set>

#include "base/encoding.h"

namespace sealpost::http {
namespace {

constexpr std::size_t max_values = 50'000;
/// Poco's object looks through all its members for each further one.
constexpr std::size_t max_members = 200;
/// Names are told to the caller, in pointers and in what is wrong.
constexpr std::size_t max_name = 255;
/// So many a double keeps, which Poco takes for negative numbers (RFC 8259 section 6 leaves the limit to the reader).
constexpr std::size_t max_digits = 15;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// What Poco would take for something else without a word: it cuts a member's name at a NUL, and rounds or wraps a long
/// number. Of what is no JSON anyway it does not matter what is said here.
Status check_what_poco_bends(std::string_view body) {
  bool in_string = false;
  bool has_nul = false;
  for (std::size_t i = 0; i < body.size(); ++i) {
    if (body[i] == '"') {
      const std::size_t next = body.find_first_not_of(" \t\r\n", i + 1);
      const bool ends_name = next != std::string_view::npos && body[next] == ':';
      if (has_nul && ends_name) return Error::invalid("the body is not JSON: a member's name has a NUL");
      has_nul = false;
      in_string = !in_string;
    } else if (in_string && body[i] == '\\') {
      has_nul = has_nul || body.substr(i, 6) == "\\u0000";
      ++i;
    } else if (!in_string && is_digit(body[i])) {
      const std::size_t end = std::min(body.find_first_not_of("0123456789", i), body.size());
      if (end - i > max_digits) return Error::invalid("the body is not JSON: a number of more than 15 digits");
      i = end - 1;
    }
  }
  return {};
}

/// Poco's own, which lets the last of several members of one name win, takes any number of values, and breaks over a
/// body that is no more than a string or a number.
class BoundedHandler final : public Poco::JSON::ParseHandler {
 public:
  BoundedHandler() : ParseHandler(true) {}
  void startObject() override {
    count();
    names_.emplace_back();
    ParseHandler::startObject();
  }
  void endObject() override {
    names_.pop_back();
    ParseHandler::endObject();
  }
  void startArray() override {
    count();
    ParseHandler::startArray();
  }
  void key(const std::string& name) override {
    if (name.size() > max_name) throw Poco::JSON::JSONException("a member's name is longer than 255 octets");
    if (names_.back().size() == max_members) throw Poco::JSON::JSONException("more than 200 members in an object");
    if (!names_.back().insert(name).second) throw Poco::JSON::JSONException("a member is given twice: " + name);
    ParseHandler::key(name);
  }
  void null() override {
    count_scalar();
    ParseHandler::null();
  }
  void value(int number) override { counted(number); }
  void value(unsigned number) override { counted(number); }
  void value(Poco::Int64 number) override { counted(number); }
  void value(Poco::UInt64 number) override { counted(number); }
  void value(const std::string& text) override { counted(text); }
  void value(double number) override { counted(number); }
  void value(bool truth) override { counted(truth); }

 private:
  void count() {
    if (++values_ > max_values) throw Poco::JSON::JSONException("too many values");
  }
  void count_scalar() {
    if (values_ == 0) throw Poco::JSON::JSONException("neither an object nor an array");
    count();
  }
  template <class Value>
  void counted(const Value& value) {
    count_scalar();
    ParseHandler::value(value);
  }
  std::size_t values_ = 0;
  std::vector<std::set<std::string>> names_;  ///< of the objects that are open
};

}  // namespace

Result<Poco::Dynamic::Var> parse_json(std::string_view body, std::size_t max_depth) {
  if (!is_utf8(body)) return Error::invalid("the body is not UTF-8");
  if (auto checked = check_what_poco_bends(body); !checked) return checked.error();
  try {
    Poco::JSON::Parser parser(new BoundedHandler);
    parser.setDepth(max_depth);
    Poco::MemoryInputStream stream(body.data(), static_cast<std::streamsize>(body.size()));
    return parser.parse(stream);
  } catch (const Poco::JSON::JSONException& why) {
    return Error::invalid("the body is not JSON: " + printable_ascii(why.message()));
  } catch (const Poco::Exception& why) {
    return Error::invalid("the body is not JSON", why.displayText());
  }
}

std::string pointer_token(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == '~' || c == '/') {
      out += c == '~' ? "~0" : "~1";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace sealpost::http
