// SPDX-License-Identifier: Apache-2.0
// Pickup for people: the page behind the link, its forms, and the download. GET and HEAD change nothing.
#include <utility>

#include "base/encoding.h"
#include "notify/accept_language.h"
#include "notify/codes.h"
#include "notify/form_origin.h"
#include "notify/pickup_routes.h"

namespace sealpost {
namespace {

constexpr std::string_view cookie_name = "sealpost_pickup";

/// In the reader's language, as far as the browser tells it.
Pages pages_for(const PickupRoutesContext& context, const http::Request& request) {
  const auto available = context.site.templates->languages().tags();
  return {context.site, choose_language(request.field("accept-language"), available, context.language)};
}

http::Response show(const Pages& pages, int status, const Result<std::string>& page) {
  if (!page) return http::Response::failure(page.error());
  auto response = http::Response::html(status, *page)
                      .with("Content-Language", pages.frame().wording().language())
                      .with("Vary", "Accept-Language");
  if (!pages.frame().site().templates->logo()) return response;
  return std::move(response).with("Content-Security-Policy",
                                  "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
                                  "base-uri 'none'; frame-ancestors 'none'");
}

/// Each problem has a page of its own that names the one thing to do next.
http::Response refuse(const Pages& pages, const std::string& token, const PickupError& error) {
  const auto tell = [&](int status, PageMessage what) { return show(pages, status, pages.message(what, token)); };
  switch (error.fault) {
    case PickupFault::UnknownLink:
      return tell(404, PageMessage::UnknownLink);
    case PickupFault::Expired:
      return tell(410, PageMessage::Expired);
    case PickupFault::Locked:
      return tell(423, PageMessage::Locked);
    case PickupFault::WrongCode:
      if (error.attempts_left == 0) return tell(423, PageMessage::Locked);
      return show(pages, 403, pages.wrong_code(token, error.attempts_left));
    case PickupFault::NoSession:
      return show(pages, 401, pages.session_ended(token));
    case PickupFault::NoKey:
      return tell(404, PageMessage::KeyGone);
    case PickupFault::NoFile:
      return tell(404, PageMessage::FileGone);
    case PickupFault::BadPassword:
    case PickupFault::Failed:
      break;
  }
  const bool later = error.error.kind == ErrorKind::Temporary;
  return later ? tell(503, PageMessage::Busy) : tell(500, PageMessage::Failed);
}

/// Bound to the session, so that no other page can post in the visitor's name.
std::string csrf_of(const PickupRoutesContext& context, std::string_view session) {
  return to_hex(context.wrapper.mac(Purpose::PickupSession, "csrf " + std::string(session)));
}

Platform browser_platform(const http::Request& request) {
  return platform_of(request.field("user-agent"), request.field("sec-ch-ua-platform"));
}

KeyLife life_of(PairState state) {
  switch (state) {
    case PairState::Interim:
      return KeyLife::Interim;
    case PairState::Permanent:
      return KeyLife::Permanent;
    case PairState::Replaced:
      return KeyLife::Replaced;
    case PairState::Forgotten:
      break;
  }
  return KeyLife::Forgotten;
}

VisitFacts facts_of(const PickupRoutesContext& context, const std::string& token, std::string_view session,
                    const OpenedPickup& opened) {
  VisitFacts facts{token, opened.address, {}, csrf_of(context, session)};
  for (const auto& key : opened.keys) {
    facts.keys.push_back(
        {key.fingerprint, life_of(key.state), key.assigned, key.expires, false, key.state != PairState::Forgotten});
  }
  return facts;
}

http::Response opened_page(const PickupRoutesContext& context, const http::Request& request, std::string_view session,
                           const OpenedPickup& opened, bool send_again) {
  const Pages pages = pages_for(context, request);
  const VisitFacts facts = facts_of(context, request.parameters.at("token"), session, opened);
  return show(pages, send_again ? 403 : 200,
              pages.opened({facts, opened.attached_password, browser_platform(request), send_again}));
}

http::Response landing(PickupRoutesContext& context, const http::Request& request) {
  const std::string& token = request.parameters.at("token");
  if (const std::string session = request.cookie(cookie_name); !session.empty()) {
    if (auto opened = context.pickup.show(token, session))
      return opened_page(context, request, session, *opened, false);
  }
  const Pages pages = pages_for(context, request);
  auto link = context.pickup.look(token);
  if (!link) return refuse(pages, token, link.error());
  return show(pages, 200, pages.code(token));
}

http::Response enter_code(PickupRoutesContext& context, const http::Request& request) {
  const std::string& token = request.parameters.at("token");
  const Pages pages = pages_for(context, request);
  if (!posted_from_here(request, context.public_url)) {
    return show(pages, 403, pages.message(PageMessage::ForeignForm, token));
  }
  const auto form = request.form();
  const auto code = form.find("code");
  auto session = context.pickup.open(token, code == form.end() ? std::string() : code->second);
  if (!session) return refuse(pages, token, session.error());
  const bool https = context.public_url.rfind("https://", 0) == 0;
  const std::string page = pages.path(token);
  return http::Response::see_other(page).with(
      "Set-Cookie", std::string(cookie_name) + "=" + std::string(session->reveal()) + "; Path=" + page +
                        "; Max-Age=1800; HttpOnly; SameSite=Strict" + (https ? "; Secure" : ""));
}

http::Response make_file(PickupRoutesContext& context, const http::Request& request) {
  const std::string& token = request.parameters.at("token");
  const std::string session = request.cookie(cookie_name);
  const Pages pages = pages_for(context, request);
  auto form = request.form();
  if (!Secret::copy_of(csrf_of(context, session)).equals(form["csrf"]) ||
      !posted_from_here(request, context.public_url)) {
    auto opened = context.pickup.show(token, session);
    if (!opened) return refuse(pages, token, opened.error());
    return opened_page(context, request, session, *opened, true);
  }
  const auto format = form["format"] == "compatible" ? Pkcs12Format::Compatible : Pkcs12Format::Modern;
  auto password = context.pickup.prepare(token, session, form["fingerprint"], format);
  if (!password) return refuse(pages, token, password.error());
  return show(pages, 200, pages.taken(token, *password, browser_platform(request)));
}

http::Response download(PickupRoutesContext& context, const http::Request& request) {
  const std::string& token = request.parameters.at("token");
  auto file = context.pickup.download(token, request.cookie(cookie_name));
  if (!file) return refuse(pages_for(context, request), token, file.error());
  return http::Response::text(200, "application/x-pkcs12", view(*file))
      .with("Content-Disposition", "attachment; filename=\"" + std::string(Pages::file_name) + "\"");
}

/// A form's address typed or reloaded, or a slash too many: there is nothing to read there, but the page is near.
http::Response to_page(const PickupRoutesContext& context, const http::Request& request) {
  const std::string& token = request.parameters.at("token");
  const Pages pages = pages_for(context, request);
  if (!is_token(token)) return refuse(pages, token, {PickupFault::UnknownLink, {}});
  return http::Response::see_other(pages.path(token));
}

http::Response resend_page(const PickupRoutesContext& context, const http::Request& request) {
  const Pages pages = pages_for(context, request);
  return show(pages, 200, pages.message(PageMessage::AskForCode, {}));
}

http::Response resend(PickupRoutesContext& context, const http::Request& request) {
  const Pages pages = pages_for(context, request);
  auto form = request.form();
  if (auto address = EmailAddress::parse(form["address"])) {
    context.notifier.resend(*address, request.client_network);
  }
  return show(pages, 202, pages.message(PageMessage::CodeAsked, {}));
}

http::Response style(const PickupRoutesContext& context) {
  return http::Response::text(200, "text/css; charset=utf-8", context.site.templates->style());
}

/// Looked at by itself, a picture of the operator's may have styles of its own, but nothing that acts.
http::Response logo(const PickupRoutesContext& context) {
  const auto& logo = context.site.templates->logo();
  if (!logo) return http::Response::problem(404, "Not found", "there is no logo");
  return http::Response::text(200, logo->content_type, logo->octets)
      .with("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox");
}

}  // namespace

std::vector<http::Route> pickup_page_routes(PickupRoutesContext& context) {
  using http::Access;
  constexpr std::size_t max_body = 4096;
  const auto back = [&context](const http::Request& request) { return to_page(context, request); };
  return {
      {"GET", "/pickup/style.css", Access::Public, 0, [&context](const http::Request&) { return style(context); }},
      {"GET", "/pickup/logo", Access::Public, 0, [&context](const http::Request&) { return logo(context); }},
      {"GET", "/pickup/resend", Access::Public, 0,
       [&context](const http::Request& request) { return resend_page(context, request); }},
      {"POST", "/pickup/resend", Access::Public, max_body,
       [&context](const http::Request& request) { return resend(context, request); }},
      {"GET", "/pickup/{token}", Access::PublicSecure, 0,
       [&context](const http::Request& request) { return landing(context, request); }},
      {"GET", "/pickup/{token}/", Access::PublicSecure, 0, back},
      {"GET", "/pickup/{token}/session", Access::PublicSecure, 0, back},
      {"GET", "/pickup/{token}/pkcs12", Access::PublicSecure, 0, back},
      {"POST", "/pickup/{token}/session", Access::PublicSecure, max_body,
       [&context](const http::Request& request) { return enter_code(context, request); }},
      {"POST", "/pickup/{token}/pkcs12", Access::PublicSecure, max_body,
       [&context](const http::Request& request) { return make_file(context, request); }},
      {"GET", "/pickup/{token}/file", Access::PublicSecure, 0,
       [&context](const http::Request& request) { return download(context, request); }},
  };
}

}  // namespace sealpost
