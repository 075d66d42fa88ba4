// SPDX-License-Identifier: Apache-2.0
// HTTP as the folders see it: requests, responses, and one visible table of routes, each with its scope (deny by
// default).
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/authenticator.h"
#include "base/result.h"
#include "base/secret.h"

namespace sealpost::http {

class EventStream;

/// Names in lower case; a name that came twice has its values joined by ", " (RFC 9110 section 5.3).
using Fields = std::map<std::string, std::string>;

struct Request {
  std::string method;
  std::multimap<std::string, std::string> query;
  Fields fields;
  WipedBuffer body;
  std::size_t announced = 0;                         ///< Content-Length, octets
  std::chrono::steady_clock::time_point received{};  ///< when the last octet of the body was there
  std::map<std::string, std::string> parameters;     ///< {names} of the route's pattern
  std::string client;                                ///< numeric address; X-Forwarded-For when a trusted proxy says so
  std::string client_network;
  bool secure = false;  ///< TLS, direct_loopback, or a trusted proxy that says https: codes and credentials may travel
  bool direct_loopback = false;  ///< a loopback client with no proxy's fields
  std::optional<Caller> caller;  ///< set on routes that need a scope

  /// Value of a field, empty when absent. `name` in lower case.
  [[nodiscard]] std::string_view field(std::string_view name) const;
  /// Value of a cookie, empty when absent.
  [[nodiscard]] std::string cookie(std::string_view name) const;
  /// The fields of an application/x-www-form-urlencoded body.
  [[nodiscard]] std::map<std::string, std::string> form() const;
};

/// Names and values of an application/x-www-form-urlencoded text, a query included.
std::multimap<std::string, std::string> parse_form(std::string_view text);

/// What is wrong with one member of a JSON body, or with one parameter of the query.
struct FieldError {
  std::string pointer;  ///< RFC 6901; of a parameter its name, without a slash
  std::string detail;
};

struct Response {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> fields;
  WipedBuffer body;
  /// Why it is a 500 or 503, for the server's log; nothing when there is nothing to log.
  std::optional<Error> fault;
  /// Instead of a body: events, until the listener leaves (event_stream.h).
  std::shared_ptr<EventStream> events;
  std::string listener;  ///< the account whose place the events take

  static Response json(int status, std::string_view body);
  static Response html(int status, std::string_view body);
  static Response text(int status, std::string_view content_type, std::string_view body);
  /// RFC 9457. `detail` is shown to the peer, and so are the `errors`, if any.
  static Response problem(int status, std::string_view title, std::string_view detail,
                          const std::vector<FieldError>& errors = {});
  /// Invalid 400, NotFound 404, Temporary 503 with Retry-After, Permanent 422, Internal 500; public_text becomes
  /// detail.
  static Response from(const Error& error);
  /// For what the caller cannot help, a damaged record among it: Temporary 503 with Retry-After, all else 500.
  static Response failure(const Error& error);
  /// Events for an account, or 503 when all places for listeners are taken.
  static Response event_stream(std::shared_ptr<EventStream> events, std::string account);
  /// 303 to another page (POST, redirect, GET).
  static Response see_other(std::string location);
  Response&& with(std::string name, std::string value) &&;
};

/// Who may call a route. There is no default: every row says it.
enum class Access {
  Public,        ///< anybody (the handler may still want a code)
  PublicSecure,  ///< anybody, but a code or session travels: refused over plain HTTP from afar
  Submit,
  Keys,
  Operator,
  SubmitOrOperator,
  OperatorOrLoopback  ///< operator scope, or a direct loopback client
};

struct Route {
  std::string method;   ///< GET also answers HEAD
  std::string pattern;  ///< "/v1/keys/{address}"; {name} matches one segment
  Access access;
  std::size_t max_body = 64UL * 1024;
  std::function<Response(const Request&)> handle;  ///< runs on a worker, may block
  /// How much memory handling takes for each octet of the body, which is one of them.
  std::size_t memory_per_octet = 1;
  /// Asked before memory is given to a body: who may send it, and what is told of one beyond max_body, of which the
  /// server itself only says that it is too large. Nothing means: go on. Runs on a worker, may block.
  std::function<std::optional<Response>(const Request&)> admit = {};
};

/// The table of all folders' routes; immutable once the server listens.
class Router final {
 public:
  void add(std::vector<Route> routes);
  struct Match {
    const Route* route = nullptr;
    std::map<std::string, std::string> parameters;
    std::vector<std::string> allowed;  ///< methods of the path, for a 405 when there is no route
  };
  /// Of several patterns that fit, the one with the fewest {names} owns the path, whatever its methods.
  [[nodiscard]] Match match(std::string_view method, std::string_view path) const;
  /// In the order in which they were added.
  [[nodiscard]] const std::vector<Route>& routes() const { return routes_; }

 private:
  std::vector<Route> routes_;
};

}  // namespace sealpost::http
