// SPDX-License-Identifier: Apache-2.0
// Implements openapi_page.h: contents, a section for each tag with an article for each call, then what all of them
// share.
#include "relay/openapi/openapi_page.h"

#include <Poco/Exception.h>
#include <openssl/evp.h>

#include <array>
#include <vector>

#include "base/encoding.h"
#include "base/http/json_body.h"
#include "base/template.h"
#include "openapi_files.h"
#include "relay/openapi/openapi_schema.h"

namespace sealpost {
namespace openapi {
namespace {

constexpr std::array<const char*, 5> methods = {"get", "put", "post", "delete", "patch"};
/// Of an answer that every call may have: it is told once.
constexpr const char* shared_mark = "x-every-call";

/// A call, with what its path says of all of its methods.
struct Call {
  std::string method;
  std::string path;
  Object path_item;
  Object operation;
  [[nodiscard]] std::string id() const { return text_at(operation, "operationId"); }
};

void add_calls(std::vector<Call>& calls, const Object& items) {
  for (const auto& path : items->getNames()) {
    const Object item = object_at(items, path);
    for (const char* method : methods) {
      if (item->has(method)) calls.push_back({ascii_upper(method), path, item, object_at(item, method)});
    }
  }
}

std::vector<Call> calls_of(const Document& document, const std::string& tag) {
  std::vector<Call> all;
  add_calls(all, object_at(document.root(), "paths"));
  add_calls(all, object_at(document.root(), "webhooks"));
  std::erase_if(all, [&](const Call& call) {
    const Array tags = array_at(call.operation, "tags");
    return tags->size() == 0 || tags->getElement<std::string>(0) != tag;
  });
  return all;
}

/// Where a section or article begins, which is called as its heading. `id` and `html` are escaped.
std::string opening(const std::string& element, const std::string& level, const std::string& id,
                    const std::string& html) {
  return "<" + element + " aria-labelledby=\"" + id + "\">\n<" + level + " id=\"" + id + "\">" + html + "</" + level +
         ">\n";
}

std::string example_of(const Object& media) {
  if (!media->has("example")) return {};
  return "<details><summary>Example</summary>" + example_html(media->get("example")) + "</details>\n";
}

std::string content_html(const Document& document, const Object& content) {
  std::string out;
  for (const auto& type : content->getNames()) {
    const Object media = object_at(content, type);
    const Object schema = object_at(media, "schema");
    out += "<p>" + code_html(type) + ": " + type_html(schema) + "</p>\n" + members_html(document, schema) +
           example_of(media);
  }
  return out;
}

std::string fields_html(const Document& document, const Object& fields) {
  std::string out;
  for (const auto& name : fields->getNames()) {
    const Object field = document.resolve(object_at(fields, name));
    out += "<dt>" + code_html(name) + "</dt><dd>" + inline_html(text_at(field, "description")) + "</dd>\n";
  }
  return out.empty() ? out : "<details><summary>Header fields</summary><dl>\n" + out + "</dl></details>\n";
}

std::string answer_html(const Document& document, const std::string& status, const Object& answer) {
  return "<dt>" + code_html(status) + "</dt><dd>" + paragraphs(text_at(answer, "description")) +
         content_html(document, object_at(answer, "content")) + fields_html(document, object_at(answer, "headers")) +
         "</dd>\n";
}

std::string answers_html(const Document& document, const Object& answers) {
  std::string own;
  std::string shared;
  for (const auto& status : answers->getNames()) {
    const Object answer = document.resolve(object_at(answers, status));
    if (answer->has(shared_mark)) {
      shared += (shared.empty() ? "" : ", ") + html_escape(status);
    } else {
      own += answer_html(document, status, answer);
    }
  }
  if (!shared.empty()) shared = "<p class=\"quiet\">As <a href=\"#every-call\">every call</a>: " + shared + ".</p>\n";
  return "<h4>Answers</h4>\n<dl>\n" + own + "</dl>\n" + shared;
}

std::string parameters_html(const Document& document, const Call& call) {
  std::string rows;
  for (const Object& owner : {call.path_item, call.operation}) {
    const Array list = array_at(owner, "parameters");
    for (unsigned i = 0; i < list->size(); ++i) {
      const Object parameter = document.resolve(object_of(list->get(i)));
      rows += "<dt>" + code_html(text_at(parameter, "name")) + " <span class=\"type\">in the " +
              html_escape(text_at(parameter, "in")) + "; " + type_html(object_at(parameter, "schema")) +
              (text_at(parameter, "required") == "true" ? "; required" : "") + "</span></dt><dd>" +
              inline_html(text_at(parameter, "description")) + "</dd>\n";
    }
  }
  return rows.empty() ? rows : "<h4>Parameters</h4>\n<dl>\n" + rows + "</dl>\n";
}

/// The members of what a body may be, so that a caller need not look elsewhere.
std::string body_html(const Document& document, const Object& operation) {
  if (!operation->has("requestBody")) return {};
  const Object body = document.resolve(object_at(operation, "requestBody"));
  const Object content = object_at(body, "content");
  std::string out = "<h4>Body</h4>\n" + paragraphs(text_at(body, "description"));
  for (const auto& type : content->getNames()) {
    const Object media = object_at(content, type);
    const Object named = object_at(media, "schema");
    const Object schema = document.resolve(named);
    out += "<p>" + code_html(type) + ": " + type_html(named) + "</p>\n" + paragraphs(text_at(schema, "description")) +
           members_html(document, schema) + example_of(media);
  }
  return out;
}

/// "bearer (submit), basic"; of several any does.
std::string credentials_of(const Object& operation) {
  const Array wanted = array_at(operation, "security");
  std::string out;
  for (unsigned i = 0; i < wanted->size(); ++i) {
    const Object one = object_of(wanted->get(i));
    for (const auto& scheme : one->getNames()) {
      const Array scopes = array_at(one, scheme);
      out += (out.empty() ? "" : " or ") + ("<a href=\"#credential-" + html_escape(scheme) + "\">") +
             html_escape(scheme) + "</a>";
      if (scopes->size() > 0) out += " (" + html_escape(scopes->getElement<std::string>(0)) + ")";
    }
  }
  return "<p class=\"quiet\">Credential: " + (out.empty() ? "none" : out) + "</p>\n";
}

std::string call_html(const Document& document, const Call& call) {
  return opening("article", "h3", html_escape(call.id()),
                 "<span class=\"method\">" + html_escape(call.method) + "</span> " + code_html(call.path)) +
         "<p><strong>" + html_escape(text_at(call.operation, "summary")) + "</strong></p>\n" +
         paragraphs(text_at(call.operation, "description")) + credentials_of(call.operation) +
         parameters_html(document, call) + body_html(document, call.operation) +
         answers_html(document, object_at(call.operation, "responses")) + "</article>\n";
}

struct Calls {
  std::string contents;
  std::string sections;
};

Calls sections_of(const Document& document) {
  Calls out;
  const Array tags = array_at(document.root(), "tags");
  for (unsigned i = 0; i < tags->size(); ++i) {
    const Object tag = object_of(tags->get(i));
    const std::string name = html_escape(text_at(tag, "name"));
    out.contents += "<p>" + name + "</p>\n<ul>\n";
    out.sections +=
        opening("section", "h2", "tag-" + std::to_string(i), name) + paragraphs(text_at(tag, "description"));
    for (const auto& call : calls_of(document, text_at(tag, "name"))) {
      out.contents += "<li><a href=\"#" + html_escape(call.id()) + "\"><span class=\"method\">" +
                      html_escape(call.method) + "</span>" + code_html(call.path) + "</a> " +
                      html_escape(text_at(call.operation, "summary")) + "</li>\n";
      out.sections += call_html(document, call);
    }
    out.contents += "</ul>\n";
    out.sections += "</section>\n";
  }
  return out;
}

std::string every_call_html(const Document& document) {
  const Object answers = object_at(object_at(document.root(), "components"), "responses");
  std::string rows;
  for (const auto& name : answers->getNames()) {
    const Object answer = object_at(answers, name);
    if (!answer->has(shared_mark)) continue;
    rows += answer_html(document, text_at(answer, shared_mark), answer);
  }
  return "<article aria-labelledby=\"every-call\">\n<dl>\n" + rows + "</dl>\n</article>\n";
}

std::string credentials_html(const Document& document) {
  const Object schemes = object_at(object_at(document.root(), "components"), "securitySchemes");
  std::string rows;
  for (const auto& name : schemes->getNames()) {
    const Object scheme = object_at(schemes, name);
    const std::string kind = text_at(scheme, "scheme");
    rows += "<dt id=\"credential-" + html_escape(name) + "\">" + html_escape(name) + " <span class=\"type\">" +
            (kind.empty() ? "cookie " + code_html(text_at(scheme, "name"))
                          : "<code>Authorization</code>, " + html_escape(kind)) +
            "</span></dt><dd>" + inline_html(text_at(scheme, "description")) + "</dd>\n";
  }
  return "<article aria-labelledby=\"credentials\">\n<dl>\n" + rows + "</dl>\n</article>\n";
}

std::string schemas_html(const Document& document) {
  const Object schemas = object_at(object_at(document.root(), "components"), "schemas");
  std::string out;
  for (const auto& name : schemas->getNames()) {
    const Object schema = object_at(schemas, name);
    out += opening("article", "h3", "schema-" + html_escape(name), html_escape(name)) +
           paragraphs(text_at(schema, "description"));
    const std::string members = members_html(document, schema);
    out += (members.empty() ? "<p class=\"type\">" + type_html(schema) + "</p>\n" : members) + "</article>\n";
  }
  return out;
}

/// What a policy calls this very style (CSP level 2).
std::string style_source(std::string_view style) {
  std::string digest(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  EVP_Digest(style.data(), style.size(), reinterpret_cast<unsigned char*>(digest.data()), &size, EVP_sha256(), nullptr);
  digest.resize(size);
  return "'sha256-" + to_base64(digest) + "'";
}

Result<std::string> html_of(const Document& document) {
  const Object info = object_at(document.root(), "info");
  const Calls calls = sections_of(document);
  return fill(openapi_files::docs_html, TemplateKind::Html,
              {{"title", text_at(info, "title")},
               {"version", text_at(info, "version")},
               {"server", text_at(object_of(array_at(document.root(), "servers")->get(0)), "url")},
               {"style", std::string(openapi_files::docs_css)},
               {"description", paragraphs(text_at(info, "description"))},
               {"contents", calls.contents},
               {"calls", calls.sections},
               {"every_call", every_call_html(document)},
               {"credentials", credentials_html(document)},
               {"schemas", schemas_html(document)}});
}

}  // namespace
}  // namespace openapi

Result<OpenApiPage> render_openapi(std::string_view document) {
  using namespace openapi;
  constexpr std::size_t max_depth = 40;
  auto parsed = http::parse_json(document, max_depth);
  if (!parsed) return Error::internal("openapi.json: " + parsed.error().public_text);
  try {
    auto html = html_of(Document(object_of(*parsed)));
    if (!html) return html.error();
    return OpenApiPage{std::move(*html), "default-src 'none'; style-src " + style_source(openapi_files::docs_css) +
                                             "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"};
  } catch (const Poco::Exception& why) {
    return Error::internal("openapi.json: " + why.displayText());
  }
}

}  // namespace sealpost
