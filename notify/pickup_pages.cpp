// SPDX-License-Identifier: Apache-2.0
// Pickup for people: the page behind the link, its forms, and the download. GET and HEAD change nothing.
#include <utility>

#include "base/encoding.h"
#include "base/http/form_origin.h"
#include "notify/codes.h"
#include "notify/page_answers.h"
#include "notify/pickup_routes.h"

namespace sealpost {
namespace {

http::Response opened_page(const PickupRoutesContext& context, const http::Request& request, std::string_view session,
                           const OpenedPickup& opened, bool send_again) {
  const Pages pages = pages_for(context, request);
  const VisitFacts facts = facts_of(context, request.parameters.at("token"), session, opened);
  return show(pages.frame(), send_again ? 403 : 200,
              pages.opened({facts, opened.attached_password, browser_platform(request), send_again}));
}

http::Response landing(PickupRoutesContext& context, const http::Request& request) {
  const std::string& token = request.parameters.at("token");
  if (const std::string session = request.cookie(pickup_cookie); !session.empty()) {
    if (auto opened = context.pickup.show(token, session))
      return opened_page(context, request, session, *opened, false);
  }
  const Pages pages = pages_for(context, request);
  auto link = context.pickup.look(token);
  if (!link) return refuse(pages, token, link.error());
  return show(pages.frame(), 200, pages.code(token));
}

http::Response enter_code(PickupRoutesContext& context, const http::Request& request) {
  const std::string& token = request.parameters.at("token");
  const Pages pages = pages_for(context, request);
  if (!posted_from_here(request, context.public_url)) {
    return show(pages.frame(), 403, pages.message(PageMessage::ForeignForm, token));
  }
  const auto form = request.form();
  const auto code = form.find("code");
  auto session = context.pickup.open(token, code == form.end() ? std::string() : code->second, request.client_network);
  if (!session) return refuse(pages, token, session.error());
  const bool https = context.public_url.rfind("https://", 0) == 0;
  const std::string page = pages.path(token);
  return http::Response::see_other(page).with(
      "Set-Cookie", std::string(pickup_cookie) + "=" + std::string(session->reveal()) + "; Path=" + page +
                        "; Max-Age=1800; HttpOnly; SameSite=Strict" + (https ? "; Secure" : ""));
}

http::Response make_file(PickupRoutesContext& context, const http::Request& request) {
  const std::string& token = request.parameters.at("token");
  const std::string session = request.cookie(pickup_cookie);
  const Pages pages = pages_for(context, request);
  auto form = request.form();
  if (!posted_in_visit(context, request, form["csrf"])) {
    auto opened = context.pickup.show(token, session);
    if (!opened) return refuse(pages, token, opened.error());
    return opened_page(context, request, session, *opened, true);
  }
  const auto format = form["format"] == "compatible" ? Pkcs12Format::Compatible : Pkcs12Format::Modern;
  auto password = context.pickup.prepare(token, session, form["fingerprint"], format);
  if (!password) return refuse(pages, token, password.error());
  return show(pages.frame(), 200, pages.taken(token, *password, browser_platform(request)));
}

http::Response download(PickupRoutesContext& context, const http::Request& request) {
  const std::string& token = request.parameters.at("token");
  auto file = context.pickup.download(token, request.cookie(pickup_cookie), Pickup::FileKind::Key);
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
  return show(pages.frame(), 200, pages.message(PageMessage::AskForCode, {}));
}

http::Response resend(PickupRoutesContext& context, const http::Request& request) {
  const Pages pages = pages_for(context, request);
  auto form = request.form();
  if (auto address = EmailAddress::parse(form["address"])) {
    context.notifier.resend(*address, request.client_network);
  }
  return show(pages.frame(), 202, pages.message(PageMessage::CodeAsked, {}));
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
