// SPDX-License-Identifier: Apache-2.0
// Implements router.h.
#include "base/http/router.h"

#include <Poco/JSON/Object.h>

#include <limits>
#include <sstream>

#include "base/encoding.h"

namespace sealpost::http {
namespace {

std::vector<std::string_view> segments(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const auto end = path.find('/');
    parts.push_back(path.substr(0, end));
    path.remove_prefix(end == std::string_view::npos ? path.size() : end);
  }
  return parts;
}

bool is_parameter(std::string_view segment) { return segment.starts_with('{') && segment.ends_with('}'); }

/// The parameters when the path fits the pattern. Segments are split before they are decoded: an encoded slash is data.
std::optional<std::map<std::string, std::string>> fit(std::string_view pattern, std::string_view path) {
  const auto wanted = segments(pattern);
  const auto given = segments(path);
  if (wanted.size() != given.size()) return std::nullopt;
  std::map<std::string, std::string> parameters;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    auto decoded = percent_decode(given[i]);
    if (!decoded || decoded->find('\0') != std::string::npos) return std::nullopt;
    if (!is_parameter(wanted[i])) {
      if (*decoded != wanted[i]) return std::nullopt;
    } else if (decoded->empty()) {
      return std::nullopt;
    } else {
      parameters[std::string(wanted[i].substr(1, wanted[i].size() - 2))] = std::move(*decoded);
    }
  }
  return parameters;
}

std::string form_decode(std::string_view text) {
  std::string spaced(text);
  for (char& c : spaced) {
    if (c == '+') c = ' ';
  }
  return percent_decode(spaced).value_or(std::string());
}

}  // namespace

std::string_view Request::field(std::string_view name) const {
  const auto found = fields.find(std::string(name));
  return found == fields.end() ? std::string_view() : std::string_view(found->second);
}

std::string Request::cookie(std::string_view name) const {
  std::string_view rest = field("cookie");
  while (!rest.empty()) {
    const auto end = rest.find(';');
    auto pair = rest.substr(0, end);
    while (pair.starts_with(' ')) pair.remove_prefix(1);
    const auto equals = pair.find('=');
    if (equals != std::string_view::npos && pair.substr(0, equals) == name) return std::string(pair.substr(equals + 1));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  return {};
}

std::map<std::string, std::string> Request::form() const {
  std::map<std::string, std::string> values;
  for (auto& [name, value] : parse_form(view(body))) values.emplace(name, value);
  return values;
}

std::multimap<std::string, std::string> parse_form(std::string_view text) {
  std::multimap<std::string, std::string> values;
  while (!text.empty()) {
    const auto end = text.find('&');
    const auto pair = text.substr(0, end);
    const auto equals = pair.find('=');
    if (!pair.empty()) {
      values.emplace(form_decode(pair.substr(0, equals)),
                     equals == std::string_view::npos ? std::string() : form_decode(pair.substr(equals + 1)));
    }
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return values;
}

Response Response::text(int status, std::string_view content_type, std::string_view body) {
  Response response;
  response.status = status;
  response.fields.emplace_back("Content-Type", std::string(content_type));
  append(response.body, body);
  return response;
}

Response Response::json(int status, std::string_view body) { return text(status, "application/json", body); }

Response Response::html(int status, std::string_view body) { return text(status, "text/html; charset=utf-8", body); }

Response Response::problem(int status, std::string_view title, std::string_view detail,
                           const std::vector<FieldError>& errors) {
  Poco::JSON::Object object(Poco::JSON_PRESERVE_KEY_ORDER);
  object.set("type", "about:blank");
  object.set("title", std::string(title));
  object.set("status", status);
  object.set("detail", std::string(detail));
  if (!errors.empty()) {
    Poco::JSON::Array list;
    for (const auto& error : errors) {
      Poco::JSON::Object row(Poco::JSON_PRESERVE_KEY_ORDER);
      row.set("pointer", error.pointer);
      row.set("detail", error.detail);
      list.add(row);
    }
    object.set("errors", list);
  }
  std::ostringstream out;
  object.stringify(out);
  return text(status, "application/problem+json", out.str());
}

Response Response::from(const Error& error) {
  switch (error.kind) {
    case ErrorKind::Invalid:
      return problem(400, "Bad request", error.public_text);
    case ErrorKind::NotFound:
      return problem(404, "Not found", error.public_text);
    case ErrorKind::Permanent:
      return problem(422, "Cannot be done", error.public_text);
    case ErrorKind::Temporary:
    case ErrorKind::Internal:
      break;
  }
  return failure(error);
}

Response Response::failure(const Error& error) {
  Response response = error.kind == ErrorKind::Temporary
                          ? problem(503, "Temporarily unavailable", error.public_text).with("Retry-After", "10")
                          : problem(500, "Internal error", "the fault is ours");
  response.fault = error;
  return response;
}

Response Response::event_stream(std::shared_ptr<EventStream> events, std::string account) {
  // Proxies of nginx's kind would else keep the events until they have a page full of them.
  Response response = text(200, "text/event-stream", {}).with("X-Accel-Buffering", "no");
  response.events = std::move(events);
  response.listener = std::move(account);
  return response;
}

Response Response::see_other(std::string location) {
  Response response;
  response.status = 303;
  response.fields.emplace_back("Location", std::move(location));
  return response;
}

Response&& Response::with(std::string name, std::string value) && {
  fields.emplace_back(std::move(name), std::move(value));
  return std::move(*this);
}

void Router::add(std::vector<Route> routes) {
  for (auto& route : routes) routes_.push_back(std::move(route));
}

Router::Match Router::match(std::string_view method, std::string_view path) const {
  Match result;
  std::size_t fewest = std::numeric_limits<std::size_t>::max();
  for (const auto& route : routes_) {
    auto parameters = fit(route.pattern, path);
    if (!parameters || parameters->size() > fewest) continue;
    if (parameters->size() < fewest) {
      fewest = parameters->size();
      result = {};
    }
    if (route.method == method || (method == "HEAD" && route.method == "GET")) {
      result.route = &route;
      result.parameters = std::move(*parameters);
    }
    result.allowed.push_back(route.method);
    if (route.method == "GET") result.allowed.emplace_back("HEAD");
  }
  return result;
}

}  // namespace sealpost::http
