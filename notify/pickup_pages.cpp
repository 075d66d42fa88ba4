// SPDX-License-Identifier: Apache-2.0
// Pickup for people: the page behind the link, its forms, and the download. GET and HEAD change nothing.
#include "base/encoding.h"
#include "notify/codes.h"
#include "notify/form_origin.h"
#include "notify/pickup_routes.h"

namespace sealpost {
namespace {

constexpr std::string_view cookie_name = "sealpost_pickup";

http::Response show(int status, const Result<std::string>& page) {
  if (!page) return http::Response::failure(page.error());
  return http::Response::html(status, *page);
}

/// Each problem has a page of its own that names the one thing to do next.
http::Response refuse(const PickupRoutesContext& context, const std::string& token, const PickupError& error) {
  const auto& pages = context.pages;
  switch (error.fault) {
    case PickupFault::UnknownLink:
      return show(404, pages.message("This link is not known",
                                     "Please check that you copied the whole link, or have a new one sent.", true));
    case PickupFault::Expired:
      return show(410, pages.message("This code has expired", "Your key is still there. Have a new code sent.", true));
    case PickupFault::Locked:
      return show(423, pages.message("This link is locked",
                                     "The code was entered wrongly five times. Have a new code sent.", true));
    case PickupFault::WrongCode:
      if (error.attempts_left == 0) return refuse(context, token, {PickupFault::Locked, error.error});
      return show(403, pages.code(token, "The code is wrong. Attempts left: " + std::to_string(error.attempts_left)));
    case PickupFault::NoSession:
      return show(401, pages.code(token, "Your visit has ended. Please enter the code again."));
    case PickupFault::NoKey:
      return show(404, pages.message("This key is not here any more", error.error.public_text, false));
    case PickupFault::NoFile:
      return show(404, pages.file_gone(token));
    case PickupFault::TooFast:
    case PickupFault::TooOften:
      return show(429, pages.message("Please wait", error.error.public_text, false));
    case PickupFault::OldCode:
      return show(403, pages.message("This code is too old", error.error.public_text, true));
    case PickupFault::BadCertificate:
      return show(422, pages.message("This certificate cannot be used", error.error.public_text, false));
    case PickupFault::NoCertificate:
      return show(404, pages.message("No certificate waits", error.error.public_text, false));
    case PickupFault::KeyGone:
    case PickupFault::NotCurrent:
    case PickupFault::Revoked:
      return show(409, pages.message("This is not possible", error.error.public_text, false));
    case PickupFault::BadPassword:
    case PickupFault::Failed:
      break;
  }
  const bool later = error.error.kind == ErrorKind::Temporary;
  return show(later ? 503 : 500, pages.message("This did not work",
                                               later ? "The server is busy for a moment. Please try again."
                                                     : "The fault is ours. Please try again later.",
                                               false));
}

/// Bound to the session, so that no other page can post in the visitor's name.
std::string csrf_of(const PickupRoutesContext& context, std::string_view session) {
  return to_hex(context.wrapper.mac(Purpose::PickupSession, "csrf " + std::string(session)));
}

bool prefers_compatible(const http::Request& request) {
  const auto agent = request.field("user-agent");
  return agent.find("iPhone") != std::string_view::npos || agent.find("iPad") != std::string_view::npos ||
         agent.find("Macintosh") != std::string_view::npos || agent.find("Android") != std::string_view::npos;
}

http::Response opened_page(const PickupRoutesContext& context, const http::Request& request, std::string_view session,
                           const OpenedPickup& opened, std::string_view problem) {
  return show(problem.empty() ? 200 : 403,
              context.pages.opened({request.parameters.at("token"), opened, csrf_of(context, session),
                                    prefers_compatible(request), problem}));
}

http::Response landing(PickupRoutesContext& context, const http::Request& request) {
  const std::string& token = request.parameters.at("token");
  if (const std::string session = request.cookie(cookie_name); !session.empty()) {
    if (auto opened = context.pickup.show(token, session)) return opened_page(context, request, session, *opened, {});
  }
  auto link = context.pickup.look(token);
  if (!link) return refuse(context, token, link.error());
  return show(200, context.pages.code(token, {}));
}

http::Response enter_code(PickupRoutesContext& context, const http::Request& request) {
  const std::string& token = request.parameters.at("token");
  if (!posted_from_here(request, context.public_url)) {
    return show(403, context.pages.message("This did not work", "The form came from another site.", false));
  }
  const auto form = request.form();
  const auto code = form.find("code");
  auto session = context.pickup.open(token, code == form.end() ? std::string() : code->second, request.client_network);
  if (!session) return refuse(context, token, session.error());
  const bool https = context.public_url.rfind("https://", 0) == 0;
  const std::string page = context.pages.path(token);
  return http::Response::see_other(page).with(
      "Set-Cookie", std::string(cookie_name) + "=" + std::string(session->reveal()) + "; Path=" + page +
                        "; Max-Age=1800; HttpOnly; SameSite=Strict" + (https ? "; Secure" : ""));
}

http::Response make_file(PickupRoutesContext& context, const http::Request& request) {
  const std::string& token = request.parameters.at("token");
  const std::string session = request.cookie(cookie_name);
  auto form = request.form();
  if (!Secret::copy_of(csrf_of(context, session)).equals(form["csrf"]) ||
      !posted_from_here(request, context.public_url)) {
    auto opened = context.pickup.show(token, session);
    if (!opened) return refuse(context, token, opened.error());
    return opened_page(context, request, session, *opened, "Please send the form once more.");
  }
  const auto format = form["format"] == "compatible" ? Pkcs12Format::Compatible : Pkcs12Format::Modern;
  auto password = context.pickup.prepare(token, session, form["fingerprint"], format);
  if (!password) return refuse(context, token, password.error());
  return show(200, context.pages.taken(token, *password));
}

http::Response download(PickupRoutesContext& context, const http::Request& request) {
  const std::string& token = request.parameters.at("token");
  auto file = context.pickup.download(token, request.cookie(cookie_name));
  if (!file) return refuse(context, token, file.error());
  return http::Response::text(200, "application/x-pkcs12", view(*file))
      .with("Content-Disposition", "attachment; filename=\"" + std::string(Pages::file_name) + "\"");
}

/// A form's address typed or reloaded, or a slash too many: there is nothing to read there, but the page is near.
http::Response to_page(const PickupRoutesContext& context, const http::Request& request) {
  const std::string& token = request.parameters.at("token");
  if (!is_token(token)) return refuse(context, token, {PickupFault::UnknownLink, {}});
  return http::Response::see_other(context.pages.path(token));
}

http::Response resend_page(const PickupRoutesContext& context) {
  return show(200,
              context.pages.message("A new code", "Have one sent when yours has expired, is locked or is lost.", true));
}

http::Response resend(PickupRoutesContext& context, const http::Request& request) {
  auto form = request.form();
  if (auto address = EmailAddress::parse(form["address"])) {
    context.notifier.resend(*address, request.client_network);
  }
  return show(202, context.pages.message("Look into your mailbox",
                                         "If there is a key for this address, a message with a new code is on its way. "
                                         "A code that you had before works on until it expires or is locked.",
                                         false));
}

http::Response style(const http::Request&) {
  return http::Response::text(200, "text/css; charset=utf-8", Pages::style());
}

}  // namespace

std::vector<http::Route> pickup_page_routes(PickupRoutesContext& context) {
  using http::Access;
  constexpr std::size_t max_body = 4096;
  const auto back = [&context](const http::Request& request) { return to_page(context, request); };
  return {
      {"GET", "/pickup/style.css", Access::Public, 0, style},
      {"GET", "/pickup/resend", Access::Public, 0, [&context](const http::Request&) { return resend_page(context); }},
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
