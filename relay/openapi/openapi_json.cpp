// SPDX-License-Identifier: Apache-2.0
// Implements openapi_json.h.
#include "relay/openapi/openapi_json.h"

#include <Poco/JSON/Stringifier.h>

#include <algorithm>
#include <sstream>

#include "base/encoding.h"

namespace sealpost::openapi {

Object object_of(const Var& value) {
  if (value.type() == typeid(Object)) return value.extract<Object>();
  return new Poco::JSON::Object();
}

Object object_at(const Object& object, const std::string& name) { return object_of(object->get(name)); }

Array array_at(const Object& object, const std::string& name) {
  const Var value = object->get(name);
  if (value.type() == typeid(Array)) return value.extract<Array>();
  return new Poco::JSON::Array();
}

std::string text_at(const Object& object, const std::string& name) {
  const Var value = object->get(name);
  return value.isEmpty() ? std::string() : value.toString();
}

std::string reference_name(const Object& object) {
  const std::string path = text_at(object, "$ref");
  return path.substr(path.rfind('/') + 1);
}

Object Document::resolve(const Object& object) const {
  std::string path = text_at(object, "$ref");
  if (!path.starts_with("#/")) return object;
  Object found = root_;
  for (path.erase(0, 2); !path.empty();) {
    const auto end = std::min(path.find('/'), path.size());
    found = object_at(found, path.substr(0, end));
    path.erase(0, end + 1);
  }
  return found;
}

std::string inline_html(const std::string& text) {
  std::string out;
  bool code = false;
  for (std::size_t at = 0; at <= text.size();) {
    const auto end = std::min(text.find('`', at), text.size());
    out += html_escape(text.substr(at, end - at));
    if (end < text.size()) {
      out += code ? "</code>" : "<code>";
      code = !code;
    }
    at = end + 1;
  }
  return code ? out + "</code>" : out;
}

std::string paragraphs(const std::string& text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find("\n\n", at), text.size());
    out += "<p>" + inline_html(text.substr(at, end - at)) + "</p>\n";
    at = end + 2;
  }
  return out;
}

std::string code_html(const std::string& text) { return "<code>" + html_escape(text) + "</code>"; }

std::string example_html(const Var& value) {
  if (value.isString()) return "<pre>" + html_escape(value.toString()) + "</pre>\n";
  std::ostringstream text;
  Poco::JSON::Stringifier::stringify(value, text, 2, -1, 0);
  return "<pre>" + html_escape(text.str()) + "</pre>\n";
}

}  // namespace sealpost::openapi
