// SPDX-License-Identifier: Apache-2.0
// Implements queue_routes.h.
#include "queue/queue_routes.h"

#include <Poco/JSON/Array.h>

#include <map>
#include <optional>
#include <set>
#include <sstream>

#include "base/email_address.h"
#include "base/http/json_body.h"
#include "conf/values.h"
#include "queue/delivery_json.h"
#include "queue/filter_text.h"

namespace sealpost {
namespace {

using http::Request;
using http::Response;
using Poco::Dynamic::Var;
using Poco::JSON::Array;
using Poco::JSON::Object;

constexpr std::size_t default_limit = 100;
constexpr std::size_t max_limit = 1000;
constexpr std::size_t max_ids = 1000;
constexpr std::size_t max_depth = 4;

Response respond(const Object& object) {
  std::ostringstream out;
  object.stringify(out);
  return Response::json(200, out.str()).with("Cache-Control", "no-store");
}

/// `place`: a parameter, or a JSON pointer.
Response bad(const std::string& place, const std::string& detail) {
  return Response::problem(422, "Invalid parameter", detail, {{place, detail}});
}

/// Wrong filters and cursors are the caller's, all else is ours.
Response refuse(const Error& error, const std::string& place) {
  return error.kind == ErrorKind::Invalid ? bad(place, error.public_text) : Response::failure(error);
}

using Parameters = std::map<std::string, std::string>;

Result<Parameters, Response> parameters_of(const Request& request) {
  Parameters parameters;
  for (const auto& [name, value] : request.query) {
    if (!parameters.emplace(name, value).second) return bad(name, name + " is given twice");
  }
  return parameters;
}

Result<std::size_t, Response> take_count(Parameters& parameters, const std::string& name, std::size_t standard) {
  const auto given = parameters.extract(name);
  if (given.empty()) return standard;
  auto count = parse_count(given.mapped(), 1, max_limit);
  if (!count) return bad(name, name + ": " + count.error().public_text);
  return static_cast<std::size_t>(*count);
}

Response summary(const QueueRoutesContext& context, const Request& request) {
  auto parameters = parameters_of(request);
  if (!parameters) return std::move(parameters).error();
  auto rows = take_count(*parameters, "rows", QueueView::summary_rows);
  if (!rows) return std::move(rows).error();
  if (!parameters->empty()) return bad(parameters->begin()->first, "there is no such parameter");
  auto summary = context.overview(*rows);
  return summary ? respond(to_json(*summary, context.clock.now())) : Response::failure(summary.error());
}

Response list(const QueueRoutesContext& context, const Request& request) {
  auto parameters = parameters_of(request);
  if (!parameters) return std::move(parameters).error();
  auto limit = take_count(*parameters, "limit", default_limit);
  if (!limit) return std::move(limit).error();
  const auto cursor = parameters->extract("cursor");
  auto filter = parse_filter(*parameters);
  if (!filter) {
    const std::string& text = filter.error().public_text;
    return bad(text.substr(0, text.find_first_of(": ")), text);
  }
  auto page = context.view.list(*filter, *limit, cursor.empty() ? std::string() : cursor.mapped());
  return page ? respond(to_json(*page, false)) : refuse(page.error(), "cursor");
}

Response show(const QueueRoutesContext& context, const Request& request) {
  auto id = DeliveryId::parse(request.parameters.at("id"));
  if (!id) return Response::from(Error::not_found("there is no such delivery"));
  auto record = context.view.show(*id);
  if (record) return respond(to_json(*record, true));
  const bool none = record.error().kind == ErrorKind::NotFound;
  return none ? Response::from(record.error()) : Response::failure(record.error());
}

Response why(const QueueRoutesContext& context, const Request& request) {
  auto parameters = parameters_of(request);
  if (!parameters) return std::move(parameters).error();
  const bool one = parameters->size() == 1;
  if (one && parameters->contains("id")) {
    auto id = DeliveryId::parse(parameters->at("id"));
    auto told = id ? context.why.delivery(*id) : Result<Why>(Error::not_found("there is no such delivery"));
    if (told) return respond(to_json(*told));
    return told.error().kind == ErrorKind::NotFound ? Response::from(told.error()) : Response::failure(told.error());
  }
  if (!one || !parameters->contains("domain")) return bad("", "either id or domain is needed, and nothing else");
  auto domain = DomainName::parse(parameters->at("domain"));
  if (!domain) return bad("domain", domain.error().public_text);
  auto told = context.why.domain(domain->a_label());
  return told ? respond(to_json(*told)) : Response::failure(told.error());
}

/// What a body of POST /v1/queue/actions says.
struct Wish {
  QueueOrder order;
  DeliveryChoice choice;
  bool dry_run = false;
  std::optional<std::size_t> limit;  ///< of one step; without it all steps are done
  std::string cursor;
};

Result<std::string, Response> text_at(const Object& body, const std::string& name) {
  const Var value = body.get(name);
  if (!value.isString()) return bad("/" + name, name + " is no text");
  return value.convert<std::string>();
}

Result<std::vector<DeliveryId>, Response> read_ids(const Var& value) {
  if (value.type() != typeid(Array::Ptr)) return bad("/ids", "ids is no array");
  const Array::Ptr& array = value.extract<Array::Ptr>();
  if (array->size() == 0 || array->size() > max_ids) {
    return bad("/ids", "ids has none, or more than " + std::to_string(max_ids));
  }
  std::vector<DeliveryId> ids;
  for (std::size_t i = 0; i < array->size(); ++i) {
    const std::string place = "/ids/" + std::to_string(i);
    if (!array->get(static_cast<unsigned>(i)).isString()) return bad(place, "an id is no text");
    auto id = DeliveryId::parse(array->getElement<std::string>(static_cast<unsigned>(i)));
    if (!id) return bad(place, "not a delivery's id");
    if (std::find(ids.begin(), ids.end(), *id) == ids.end()) ids.push_back(std::move(*id));
  }
  return ids;
}

Result<DeliveryFilter, Response> read_filter(const Var& value) {
  if (value.type() != typeid(Object::Ptr)) return bad("/filter", "filter is no object");
  Parameters parts;
  for (const auto& [name, part] : *value.extract<Object::Ptr>()) {
    if (!part.isString()) return bad("/filter/" + http::pointer_token(name), name + " is no text");
    parts[name] = part.convert<std::string>();
  }
  auto filter = parse_filter(parts);
  if (!filter) {
    const std::string& text = filter.error().public_text;
    return bad("/filter/" + http::pointer_token(text.substr(0, text.find_first_of(": "))), text);
  }
  if (auto fits = check_action_filter(*filter); !fits) return bad("/filter/state", fits.error().public_text);
  // So that a variable that is not set selects nothing; state=waiting says all.
  if (filter->is_empty()) return bad("/filter", "filter is empty; {\"state\": \"waiting\"} means all that waits");
  return std::move(*filter);
}

Result<QueueOrder, Response> read_order(const Object& body) {
  auto name = text_at(body, "action");
  if (!name) return std::move(name).error();
  auto action = parse_queue_action(*name);
  if (!action) return bad("/action", "action is none of retry, hold, release, drop, bounce, reroute");
  QueueOrder order{*action, {}};
  if (*action != QueueAction::Reroute) {
    if (body.has("route")) return bad("/route", "route is for reroute only");
    return order;
  }
  auto route = text_at(body, "route");
  if (!route) return std::move(route).error();
  auto parsed = parse_reroute(*route);
  if (!parsed) return bad("/route", parsed.error().public_text);
  order.route = std::move(*parsed);
  return order;
}

Result<Wish, Response> read_wish(const Request& request) {
  auto json = http::parse_json(view(request.body), max_depth);
  if (!json) return Response::from(json.error());
  if (json->type() != typeid(Object::Ptr)) return bad("", "the body is no object");
  const Object& body = *json->extract<Object::Ptr>();
  static const std::set<std::string> known = {"action", "route", "ids", "filter", "dry_run", "limit", "cursor"};
  for (const auto& [name, value] : body) {
    if (!known.contains(name)) return bad("/" + http::pointer_token(name), "there is no such member");
  }
  auto order = read_order(body);
  if (!order) return std::move(order).error();
  Wish wish{std::move(*order), {}, false, {}, {}};
  if (body.has("ids") == body.has("filter")) return bad("", "either ids or filter is needed");
  if (body.has("ids")) {
    auto ids = read_ids(body.get("ids"));
    if (!ids) return std::move(ids).error();
    for (const char* name : {"limit", "cursor"}) {
      if (body.has(name)) return bad(std::string("/") + name, std::string(name) + " is for filters only");
    }
    wish.choice = std::move(*ids);
  } else {
    auto filter = read_filter(body.get("filter"));
    if (!filter) return std::move(filter).error();
    wish.choice = std::move(*filter);
  }
  if (body.has("dry_run")) {
    if (!body.get("dry_run").isBoolean()) return bad("/dry_run", "dry_run is neither true nor false");
    wish.dry_run = body.getValue<bool>("dry_run");
  }
  if (body.has("limit")) {
    const Var limit = body.get("limit");
    if (!limit.isInteger() || limit.convert<double>() < 1 || limit.convert<double>() > QueueActions::step) {
      return bad("/limit", "limit is not a number from 1 to " + std::to_string(QueueActions::step));
    }
    wish.limit = limit.convert<std::size_t>();
  }
  if (body.has("cursor") && !body.isNull("cursor")) {
    auto cursor = text_at(body, "cursor");
    if (!cursor) return std::move(cursor).error();
    wish.cursor = std::move(*cursor);
  }
  return wish;
}

/// Some steps are done: what they did, and where to go on, stands beside what went wrong.
Response broken_off(const ActionResult& total) {
  Response response = Response::failure(*total.broken);
  auto problem = http::parse_json(view(response.body), max_depth);
  if (!problem) return response;
  auto object = problem->extract<Object::Ptr>();
  object->set("matched", total.matched);
  object->set("changed", total.changed);
  object->set("cursor", text_or_null(total.cursor));
  std::ostringstream text;
  object->stringify(text);
  const std::string body = text.str();
  response.body.assign(body.begin(), body.end());
  return response;
}

Response act(const QueueRoutesContext& context, const Request& request) {
  auto wish = read_wish(request);
  if (!wish) return std::move(wish).error();
  const std::string actor = "account " + request.caller->account;
  ActionResult total;
  total.cursor = wish->cursor;
  do {
    total.add(wish->dry_run ? context.actions.count(wish->order, wish->choice, total.cursor)
                            : context.actions.act(wish->order, wish->choice, actor,
                                                  wish->limit.value_or(QueueActions::step), total.cursor));
  } while (total.goes_on() && !wish->limit);
  if (!total.broken) return respond(to_json(total));
  return total.matched == 0 ? refuse(*total.broken, "/cursor") : broken_off(total);
}

}  // namespace

std::vector<http::Route> queue_routes(QueueRoutesContext& context) {
  using http::Access;
  const auto call = [&context](Response (*handle)(const QueueRoutesContext&, const Request&)) {
    return [&context, handle](const Request& request) { return handle(context, request); };
  };
  return {
      {"GET", "/v1/queue/summary", Access::Operator, 0, call(summary)},
      {"GET", "/v1/queue/deliveries", Access::Operator, 0, call(list)},
      {"GET", "/v1/queue/deliveries/{id}", Access::Operator, 0, call(show)},
      {"GET", "/v1/queue/why", Access::Operator, 0, call(why)},
      {"POST", "/v1/queue/actions", Access::Operator, 64UL * 1024, call(act), 8},
  };
}

}  // namespace sealpost
