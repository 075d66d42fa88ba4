// SPDX-License-Identifier: Apache-2.0
// A parsed OpenAPI document: members by name, and references followed; and the pieces of text that its page is made of.
// What is not there is empty, never an error: a test holds the document to its shape.
#pragma once

#include <Poco/Dynamic/Var.h>
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>

#include <string>
#include <utility>
#include <vector>

namespace sealpost::openapi {

using Poco::Dynamic::Var;
using Object = Poco::JSON::Object::Ptr;
using Array = Poco::JSON::Array::Ptr;

/// Never null.
Object object_of(const Var& value);
Object object_at(const Object& object, const std::string& name);
Array array_at(const Object& object, const std::string& name);
std::string text_at(const Object& object, const std::string& name);

class Document final {
 public:
  explicit Document(Object root) : root_(std::move(root)) {}
  [[nodiscard]] const Object& root() const { return root_; }
  /// What a {"$ref": "#/components/…"} stands for; the object itself when it is none.
  [[nodiscard]] Object resolve(const Object& object) const;

 private:
  Object root_;
};

/// Last part of a reference's path; empty when the object is none.
std::string reference_name(const Object& object);

/// Escaped; `words` in backticks as <code>.
std::string inline_html(const std::string& text);
/// The same in paragraphs, which an empty line divides.
std::string paragraphs(const std::string& text);
std::string code_html(const std::string& text);
/// A value as JSON with indents; a text as it is.
std::string example_html(const Var& value);

}  // namespace sealpost::openapi
