// SPDX-License-Identifier: Apache-2.0
// Implements routes.h: the table, the login, and what stands in front of every page: a session, and of a form that it
// came from one of this session's pages.
#include "queue/dashboard/routes.h"

#include <utility>

#include "base/encoding.h"
#include "base/http/form_origin.h"
#include "dashboard_files.h"

namespace sealpost::dashboard {
namespace {

using http::Request;
using http::Response;
using Handler = Response (*)(Context&, const Request&, const OperatorSession&);

/// A page of ours to return to after the login; the overview for anything else.
std::string next_of(const Site& site, const std::string& wanted) {
  const bool ours = wanted.starts_with(site.path("/deliveries")) && wanted == printable_ascii(wanted) &&
                    wanted.find_first_of(" \"<>\\") == std::string::npos;
  return ours ? wanted : site.path();
}

Response login_page(const Context& context, int status, const std::string& problem, const std::string& next,
                    const std::string& name = {}) {
  Draw draw;
  const std::string box = problem.empty() ? std::string() : draw(dashboard_files::problem_html, {{"text", problem}});
  const std::string content =
      draw(dashboard_files::login_html,
           {{"problem", box},
            {"root", context.site.path()},
            {"next", next},
            {"name", name},
            {"described",
             problem.empty() ? " autofocus" : " aria-describedby=\"problem\" aria-invalid=\"true\" autofocus"}});
  return context.site.show(status, {"Log in"}, draw, content);
}

/// Where a page that was asked for stands, for after the login.
std::string target_of(const Context& context, const Request& request) {
  const auto id = request.parameters.find("id");
  std::string target = context.site.path("/deliveries");
  if (id != request.parameters.end()) return target + "/" + percent_encode(id->second, "-");
  char before = '?';
  for (const auto& [name, value] : request.query) {
    target += before + percent_encode(name, "_") + "=" + percent_encode(value, "-_.@");
    before = '&';
  }
  return target;
}

Response log_in(const Context& context, const Request& request) {
  auto form = request.form();
  const std::string next = next_of(context.site, form["next"]);
  if (!posted_from_here(request, context.site.public_url())) {
    return login_page(context, 403, "This form came from another site. Log in here.", next);
  }
  const std::string name = form["name"];
  auto cookie = context.sessions.log_in(name, Secret::copy_of(form["password"]), request.client_network);
  if (cookie) {
    return Response::see_other(next).with("Set-Cookie", context.site.set_cookie(cookie->reveal()));
  }
  const Error& why = cookie.error();
  switch (why.kind) {
    case ErrorKind::Invalid:
      return login_page(context, 401, "Wrong account or password.", next, name);
    case ErrorKind::Permanent:
      return login_page(context, 403, "This account is no operator’s.", next, name);
    case ErrorKind::Temporary:
      break;
    default: {
      Response failed = login_page(context, 500, "The fault is ours; the log has the reason.", next, name);
      failed.fault = why;
      return failed;
    }
  }
  if (why.retry_after) {
    const std::string seconds = std::to_string(why.retry_after->count());
    return login_page(context, 429, "Too many wrong logins. Try again in " + seconds + " s.", next, name)
        .with("Retry-After", seconds);
  }
  Response away = login_page(context, 503, "The store cannot be reached. Try again soon.", next, name);
  away.fault = why;
  return std::move(away).with("Retry-After", "10");
}

Response log_out(Context& context, const Request& request, const OperatorSession& session) {
  if (auto gone = context.sessions.log_out(request.cookie(cookie_name)); !gone) {
    return context.site.failure(session, gone.error());
  }
  return Response::see_other(context.site.path()).with("Set-Cookie", context.site.set_cookie({}));
}

/// With a session: the page; without one: the login, which leads there.
Response guarded_page(Context& context, const Request& request, Handler handle) {
  auto session = context.sessions.find(request.cookie(cookie_name));
  if (session) return handle(context, request, *session);
  const bool ended = session.error().kind == ErrorKind::NotFound;
  if (!ended) {
    Response away = login_page(context, 503, "The store cannot be reached. Try again soon.", context.site.path());
    away.fault = session.error();
    return away;
  }
  const bool knew = !request.cookie(cookie_name).empty();
  const std::string problem = knew ? "The session has ended. Log in again; nothing was changed." : "";
  const bool below = request.method != "POST" && handle != show_overview;
  return login_page(context, below || request.method == "POST" ? 401 : 200, problem,
                    below ? target_of(context, request) : context.site.path());
}

/// A form of this very session, sent from a page of ours.
Response guarded_form(Context& context, const Request& request, Handler handle) {
  auto session = context.sessions.find(request.cookie(cookie_name));
  if (session) {
    auto form = request.form();
    const bool ours =
        posted_from_here(request, context.site.public_url()) && Secret::copy_of(session->csrf).equals(form["csrf"]);
    if (!ours) {
      return context.site.message(403, {"Send it again", &*session},
                                  "This form was not of your present session. Nothing was changed.",
                                  context.site.path(), "To the overview");
    }
  }
  return guarded_page(context, request, handle);
}

Response stream(Context& context, const Request& request) {
  const std::string cookie = request.cookie(cookie_name);
  // That a page stands open is no use of the session.
  const auto watches = OperatorSessions::Use::OnlyWatches;
  auto session = context.sessions.find(cookie, watches);
  if (!session && session.error().kind == ErrorKind::NotFound) {
    return Response::problem(401, "Not authenticated", "log in at /operator");
  }
  if (!session) return Response::failure(session.error());
  const auto admitted = [&context, cookie, watches] {
    auto still = context.sessions.find(cookie, watches);
    return still || still.error().kind == ErrorKind::Temporary;
  };
  return Response::event_stream(context.pulse.listen(request.field("last-event-id"), admitted), session->account);
}

Response asset(const Context& context, const Request& request) {
  for (const auto& one : context.site.assets()) {
    if (one.name != request.parameters.at("name")) continue;
    return Response::text(200, one.content_type, one.content)
        .with("Cache-Control", "public, max-age=31536000, immutable");
  }
  return Response::problem(404, "Not found", "there is no such resource");
}

}  // namespace

std::vector<http::Route> routes(Context& context) {
  using http::Access;
  constexpr std::size_t form = 4096;
  constexpr std::size_t ticked = 64UL * 1024;
  const auto page = [&context](Handler handle) {
    return [&context, handle](const Request& request) { return guarded_page(context, request, handle); };
  };
  const auto posted = [&context](Handler handle) {
    return [&context, handle](const Request& request) { return guarded_form(context, request, handle); };
  };
  return {
      {"GET", "/operator", Access::PublicSecure, 0, page(show_overview)},
      {"GET", "/operator/", Access::PublicSecure, 0,
       [&context](const Request&) { return Response::see_other(context.site.path()); }},
      {"POST", "/operator/login", Access::PublicSecure, form,
       [&context](const Request& request) { return log_in(context, request); }},
      {"POST", "/operator/logout", Access::PublicSecure, form, posted(log_out)},
      {"GET", "/operator/stream", Access::PublicSecure, 0,
       [&context](const Request& request) { return stream(context, request); }},
      {"GET", "/operator/deliveries", Access::PublicSecure, 0, page(list_deliveries)},
      {"GET", "/operator/deliveries/{id}", Access::PublicSecure, 0, page(show_delivery)},
      {"POST", "/operator/actions", Access::PublicSecure, ticked, posted(act)},
      {"GET", "/operator/assets/{name}", Access::Public, 0,
       [&context](const Request& request) { return asset(context, request); }},
  };
}

}  // namespace sealpost::dashboard
