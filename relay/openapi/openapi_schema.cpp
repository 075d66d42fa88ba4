// SPDX-License-Identifier: Apache-2.0
// Implements openapi_schema.h.
#include "relay/openapi/openapi_schema.h"

#include <set>

#include "base/encoding.h"

namespace sealpost::openapi {
namespace {

std::string json_code(const Var& value) {
  return code_html(value.isString() ? value.toString() : Var::toString(value));
}

std::string listed(const Array& values) {
  std::string out;
  for (unsigned i = 0; i < values->size(); ++i) out += (i == 0 ? "" : ", ") + json_code(values->get(i));
  return out;
}

/// "string" and the like as people say it.
std::string name_of(const std::string& type, const Object& schema) {
  if (type == "string") return text_at(schema, "format") == "date-time" ? "time (RFC 3339)" : "text";
  if (type == "integer" || type == "number") return "number";
  if (type == "boolean") return "true or false";
  if (type == "array") return "list of " + type_html(object_at(schema, "items"));
  return html_escape(type);
}

std::string names_of(const Object& schema) {
  const Array several = array_at(schema, "type");
  if (several->size() == 0) return name_of(text_at(schema, "type"), schema);
  std::string out;
  for (unsigned i = 0; i < several->size(); ++i) {
    out += (i == 0 ? "" : " or ") + name_of(several->getElement<std::string>(i), schema);
  }
  return out;
}

std::string bounds(const Object& schema, const std::string& least, const std::string& most, const std::string& unit) {
  const std::string from = text_at(schema, least);
  const std::string to = text_at(schema, most);
  if (from.empty() && to.empty()) return {};
  const std::string range = to.empty() ? from + " or more" : from.empty() ? "at most " + to : from + " to " + to;
  return ", " + html_escape(range + unit);
}

std::string limits(const Object& schema) {
  std::string out = bounds(schema, "minimum", "maximum", "") + bounds(schema, "minLength", "maxLength", " characters") +
                    bounds(schema, "minItems", "maxItems", " of them") +
                    bounds(schema, "minProperties", "maxProperties", " members");
  if (schema->has("pattern")) out += ", as " + code_html(text_at(schema, "pattern"));
  if (schema->has("default")) out += "; " + json_code(schema->get("default")) + " when it is not said";
  return out;
}

std::string either_html(const Array& schemas) {
  std::string out;
  for (unsigned i = 0; i < schemas->size(); ++i) out += (i == 0 ? "" : " or ") + type_html(object_of(schemas->get(i)));
  return out;
}

std::string member_html(const Document& document, const std::string& name, const Object& schema, bool required) {
  const Object told = schema->has("description") ? schema : document.resolve(schema);
  return "<dt>" + code_html(name) + " <span class=\"type\">" + type_html(schema) + (required ? "; required" : "") +
         "</span></dt><dd>" + inline_html(text_at(told, "description")) + "</dd>\n";
}

}  // namespace

std::string type_html(const Object& schema) {
  if (const std::string name = reference_name(schema); !name.empty()) {
    return "<a href=\"#schema-" + html_escape(name) + "\">" + html_escape(name) + "</a>";
  }
  if (schema->has("oneOf")) return either_html(array_at(schema, "oneOf"));
  if (schema->has("const")) return json_code(schema->get("const"));
  if (schema->has("enum")) return "one of " + listed(array_at(schema, "enum"));
  return names_of(schema) + limits(schema);
}

std::string members_html(const Document& document, const Object& schema) {
  const Object properties = object_at(schema, "properties");
  if (properties->size() == 0) return {};
  std::set<std::string> required;
  const Array names = array_at(schema, "required");
  for (unsigned i = 0; i < names->size(); ++i) required.insert(names->getElement<std::string>(i));
  std::string out = "<dl>\n";
  for (const auto& name : properties->getNames()) {
    out += member_html(document, name, object_at(properties, name), required.contains(name));
  }
  return out + "</dl>\n";
}

}  // namespace sealpost::openapi
