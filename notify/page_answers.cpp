// SPDX-License-Identifier: Apache-2.0
// Implements page_answers.h.
#include "notify/page_answers.h"

#include "base/encoding.h"
#include "base/http/form_origin.h"
#include "notify/accept_language.h"

namespace sealpost {

std::string language_for(const PickupRoutesContext& context, const http::Request& request) {
  const auto available = context.site.templates->languages().tags();
  return choose_language(request.field("accept-language"), available, context.language);
}

Pages pages_for(const PickupRoutesContext& context, const http::Request& request) {
  return {context.site, language_for(context, request)};
}

http::Response show(const PageFrame& frame, int status, const Result<std::string>& page) {
  if (!page) return http::Response::failure(page.error());
  auto response = http::Response::html(status, *page)
                      .with("Content-Language", frame.wording().language())
                      .with("Vary", "Accept-Language");
  if (!frame.site().templates->logo()) return response;
  return std::move(response).with("Content-Security-Policy",
                                  "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
                                  "base-uri 'none'; frame-ancestors 'none'");
}

http::Response refuse(const Pages& pages, const std::string& token, const PickupError& error) {
  const auto tell = [&](int status, PageMessage what) {
    return show(pages.frame(), status, pages.message(what, token));
  };
  switch (error.fault) {
    case PickupFault::UnknownLink:
      return tell(404, PageMessage::UnknownLink);
    case PickupFault::Expired:
      return tell(410, PageMessage::Expired);
    case PickupFault::Locked:
      return tell(423, PageMessage::Locked);
    case PickupFault::WrongCode:
      if (error.attempts_left == 0) return tell(423, PageMessage::Locked);
      return show(pages.frame(), 403, pages.wrong_code(token, error.attempts_left));
    case PickupFault::NoSession:
      return show(pages.frame(), 401, pages.session_ended(token));
    case PickupFault::NoKey:
      return tell(404, PageMessage::KeyGone);
    case PickupFault::NoFile:
      return tell(404, PageMessage::FileGone);
    case PickupFault::TooFast:
      return tell(429, PageMessage::TooFast)
          .with("Retry-After", std::to_string(error.error.retry_after.value_or(std::chrono::seconds(1)).count()));
    case PickupFault::TooOften:
      return tell(429, PageMessage::TooOften).with("Retry-After", "86400");
    case PickupFault::OldCode:
      return tell(403, PageMessage::CodeTooOld);
    case PickupFault::NoCertificate:
      return tell(404, PageMessage::NothingWaits);
    case PickupFault::KeyGone:
      return tell(409, PageMessage::KeyGone);
    case PickupFault::NotCurrent:
      return tell(409, PageMessage::NotCurrent);
    case PickupFault::InUse:
      return tell(409, PageMessage::InUse);
    case PickupFault::Revoked:
      return tell(409, PageMessage::Revoked);
    case PickupFault::BadCertificate:
    case PickupFault::BadPassword:
    case PickupFault::Failed:
      break;
  }
  const bool later = error.error.kind == ErrorKind::Temporary;
  return later ? tell(503, PageMessage::Busy) : tell(500, PageMessage::Failed);
}

std::string csrf_of(const PickupRoutesContext& context, std::string_view session) {
  return to_hex(context.wrapper.mac(Purpose::PickupSession, "csrf " + std::string(session)));
}

Platform browser_platform(const http::Request& request) {
  return platform_of(request.field("user-agent"), request.field("sec-ch-ua-platform"));
}

VisitFacts facts_of(const PickupRoutesContext& context, const std::string& token, std::string_view session,
                    const OpenedPickup& opened) {
  VisitFacts facts{token, opened.address, {}, csrf_of(context, session), opened.now};
  for (const auto& key : opened.keys) {
    facts.keys.push_back({key.fingerprint, key.state, key.assigned, key.expires, key.own, key.available,
                          key.picked_up.has_value(), false});
  }
  return facts;
}

bool posted_in_visit(const PickupRoutesContext& context, const http::Request& request, std::string_view csrf) {
  const std::string expected = csrf_of(context, request.cookie(pickup_cookie));
  return Secret::copy_of(expected).equals(csrf) && posted_from_here(request, context.public_url);
}

}  // namespace sealpost
