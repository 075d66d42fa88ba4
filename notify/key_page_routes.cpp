// SPDX-License-Identifier: Apache-2.0
// The pages on which a recipient decides about a key: keep, replace, forget. GET and HEAD change nothing; a form counts
// only when it comes from the visit that shows it, and names the key that it showed. The second code alone wants no
// visit: the mail with it is read days later or elsewhere, and its code is enough.
#include <algorithm>
#include <optional>

#include "base/encoding.h"
#include "base/http/form_origin.h"
#include "base/http/multipart_form.h"
#include "crypto/certificate_bundle.h"
#include "notify/key_pages.h"
#include "notify/page_answers.h"

namespace sealpost {
namespace {

/// One look at a page of a visit: what is shown, and in which words.
struct Visit {
  VisitFacts facts;
  KeyPages keys;
  Pages pages;

  [[nodiscard]] http::Response answer(int status, const Result<std::string>& page) const {
    return show(keys.frame(), status, page);
  }
  [[nodiscard]] http::Response refuse(const PickupError& error) const {
    return sealpost::refuse(pages, facts.token, error);
  }
};

/// The error is the page that says why there is no visit.
Result<Visit, http::Response> visit_of(const PickupRoutesContext& context, const http::Request& request) {
  const std::string& token = request.parameters.at("token");
  const std::string session = request.cookie(pickup_cookie);
  const std::string language = language_for(context, request);
  const Pages pages(context.site, language);
  auto opened = context.pickup.show(token, session);
  if (!opened) return refuse(pages, token, opened.error());
  auto owed = context.choices.owed(token, session);
  if (!owed) return refuse(pages, token, owed.error());
  VisitFacts facts = facts_of(context, token, session, *opened);
  for (auto& key : facts.keys) {
    key.receipt_owed = !key.available && std::find(owed->begin(), owed->end(), key.fingerprint) != owed->end();
  }
  return Visit{std::move(facts), {context.site, language}, pages};
}

/// A page of a visit that only shows something.
using Draw = Result<std::string> (*)(const Visit& visit);
http::Response look(const PickupRoutesContext& context, const http::Request& request, Draw draw) {
  auto visit = visit_of(context, request);
  return visit ? visit->answer(200, draw(*visit)) : std::move(visit).error();
}

http::Response keep(PickupRoutesContext& context, const http::Request& request) {
  auto visit = visit_of(context, request);
  if (!visit) return std::move(visit).error();
  auto form = request.form();
  if (!posted_in_visit(context, request, form["csrf"]) || form["fingerprint"].empty()) {
    return visit->answer(403, visit->keys.keep(visit->facts, true));
  }
  auto kept = context.choices.keep(visit->facts.token, request.cookie(pickup_cookie), form["fingerprint"]);
  if (!kept) return visit->refuse(kept.error());
  return visit->answer(200, visit->keys.kept(visit->facts.token));
}

/// The form for a certificate, whether or not one waits for its code.
http::Response look_at_certificate(const PickupRoutesContext& context, const http::Request& request) {
  auto visit = visit_of(context, request);
  if (!visit) return std::move(visit).error();
  auto waiting = context.choices.waiting(visit->facts.token, request.cookie(pickup_cookie));
  if (!waiting) return visit->refuse(waiting.error());
  return visit->answer(200, visit->keys.replace(visit->facts, waiting->has_value()));
}

/// The form for the second code. Without a visit it tells nothing but that the link is known.
http::Response look_at_confirm(const PickupRoutesContext& context, const http::Request& request) {
  if (auto visit = visit_of(context, request)) {
    auto waiting = context.choices.waiting(visit->facts.token, request.cookie(pickup_cookie));
    if (!waiting) return visit->refuse(waiting.error());
    return visit->answer(200, *waiting ? visit->keys.pending(visit->facts, (*waiting)->pair.fingerprint)
                                       : visit->keys.replace(visit->facts));
  }
  const std::string& token = request.parameters.at("token");
  auto link = context.pickup.find(token);
  if (!link) return refuse(pages_for(context, request), token, link.error());
  const KeyPages keys(context.site, language_for(context, request));
  return show(keys.frame(), 200, keys.second_code(token, std::string()));
}

/// Around a certificate stand boundaries and the other fields.
constexpr std::size_t max_upload = max_upload_octets + 8192;

/// Before anything of a file is taken in: whose visit it is, and that it can be looked at.
std::optional<http::Response> admit_upload(const PickupRoutesContext& context, const http::Request& request) {
  auto visit = visit_of(context, request);
  if (!visit) return std::move(visit).error();
  if (request.announced <= max_upload) return std::nullopt;
  return visit->answer(413, visit->keys.refused(visit->facts, refuse_too_large(static_cast<int>(max_upload_octets))));
}

/// The certificate as text when there is one, else the file.
http::Response upload(PickupRoutesContext& context, const http::Request& request) {
  auto visit = visit_of(context, request);
  if (!visit) return std::move(visit).error();
  auto form = http::parse_multipart_form(request.field("content-type"), view(request.body));
  if (!form || !posted_in_visit(context, request, view((*form)["csrf"]))) {
    return visit->answer(403, visit->keys.replace_again(visit->facts));
  }
  const std::string_view pasted = trimmed(view((*form)["certificate"]), " \t\r\n");
  auto pending = context.choices.upload(visit->facts.token, request.cookie(pickup_cookie),
                                        pasted.empty() ? view((*form)["file"]) : pasted);
  if (pending) return visit->answer(202, visit->keys.pending(visit->facts, pending->pair.fingerprint));
  const PickupError& why = pending.error();
  if (why.fault != PickupFault::BadCertificate || !why.certificate) return visit->refuse(why);
  return visit->answer(422, visit->keys.refused(visit->facts, *why.certificate));
}

/// What became of a second code. `form` draws the form anew, with a problem above it.
template <class Form>
http::Response confirmed(const Pages& pages, const KeyPages& keys, const std::string& token,
                         const Result<KeyRecord, PickupError>& current, Form form) {
  if (current) return show(keys.frame(), 200, keys.replaced(token));
  const PickupError& why = current.error();
  if (why.fault == PickupFault::TooFast) {
    return show(keys.frame(), 429, form(keys.frame().wording().sentence("text_too_fast")))
        .with("Retry-After", std::to_string(why.error.retry_after.value_or(std::chrono::seconds(1)).count()));
  }
  if (why.fault != PickupFault::WrongCode) return refuse(pages, token, why);
  if (why.attempts_left == 0) return show(keys.frame(), 403, pages.message(PageMessage::SecondCodesGone, token));
  return show(keys.frame(), 403, form(keys.wrong_code(why.attempts_left)));
}

http::Response confirm_outside(PickupRoutesContext& context, const http::Request& request) {
  const std::string& token = request.parameters.at("token");
  const Pages pages = pages_for(context, request);
  if (!posted_from_here(request, context.public_url)) {
    return show(pages.frame(), 403, pages.message(PageMessage::ForeignForm, token));
  }
  const KeyPages keys(context.site, language_for(context, request));
  return confirmed(pages, keys, token, context.choices.confirm(token, request.form()["code"], request.client_network),
                   [&](const Result<std::string>& problem) { return keys.second_code(token, problem); });
}

http::Response confirm(PickupRoutesContext& context, const http::Request& request) {
  auto visit = visit_of(context, request);
  if (!visit) return confirm_outside(context, request);
  auto form = request.form();
  if (!posted_in_visit(context, request, form["csrf"])) {
    return visit->answer(403, visit->keys.replace_again(visit->facts));
  }
  auto waiting = context.choices.waiting(visit->facts.token, request.cookie(pickup_cookie));
  if (!waiting) return visit->refuse(waiting.error());
  const std::string fingerprint = *waiting ? (*waiting)->pair.fingerprint : std::string();
  return confirmed(
      visit->pages, visit->keys, visit->facts.token,
      context.choices.confirm(visit->facts.token, form["code"], request.client_network),
      [&](const Result<std::string>& problem) { return visit->keys.pending(visit->facts, fingerprint, problem); });
}

http::Response forget(PickupRoutesContext& context, const http::Request& request) {
  auto visit = visit_of(context, request);
  if (!visit) return std::move(visit).error();
  auto form = request.form();
  using Problem = KeyPages::ForgetProblem;
  if (!posted_in_visit(context, request, form["csrf"]) || form["fingerprint"].empty()) {
    return visit->answer(403, visit->keys.forget(visit->facts, Problem::SendAgain));
  }
  if (form["confirm"] != "yes") return visit->answer(422, visit->keys.forget(visit->facts, Problem::NotConfirmed));
  const std::string session = request.cookie(pickup_cookie);
  auto forgotten = context.choices.forget(visit->facts.token, session, form["fingerprint"]);
  if (!forgotten) return visit->refuse(forgotten.error());
  // The mail brings it, too: what fails here takes nothing away.
  static_cast<void>(context.pickup.offer_receipt(visit->facts.token, session, view(forgotten->receipt.message)));
  return visit->answer(200, visit->keys.forgotten(visit->facts.token, "/receipt"));
}

http::Response receipt(const PickupRoutesContext& context, const http::Request& request) {
  const std::string& token = request.parameters.at("token");
  auto file = context.pickup.download(token, request.cookie(pickup_cookie), Pickup::FileKind::Receipt);
  if (!file) return refuse(pages_for(context, request), token, file.error());
  return http::Response::text(200, "message/rfc822", view(*file))
      .with("Content-Disposition", "attachment; filename=\"receipt.eml\"");
}

}  // namespace

std::vector<http::Route> key_page_routes(PickupRoutesContext& context) {
  using http::Access;
  constexpr std::size_t max_body = 4096;
  const auto call = [&context](auto* handler) {
    return [&context, handler](const http::Request& request) { return handler(context, request); };
  };
  const auto page = [&context](Draw draw) {
    return [&context, draw](const http::Request& request) { return look(context, request, draw); };
  };
  return {
      {"GET", "/pickup/{token}/keys", Access::PublicSecure, 0,
       page([](const Visit& visit) { return visit.keys.keys(visit.facts); })},
      {"GET", "/pickup/{token}/keep", Access::PublicSecure, 0,
       page([](const Visit& visit) { return visit.keys.keep(visit.facts); })},
      {"POST", "/pickup/{token}/keep", Access::PublicSecure, max_body, call(keep)},
      {"GET", "/pickup/{token}/certificate", Access::PublicSecure, 0, call(look_at_certificate)},
      {"POST", "/pickup/{token}/certificate", Access::PublicSecure, max_upload, call(upload), 3, call(admit_upload)},
      {"GET", "/pickup/{token}/certificate/confirm", Access::PublicSecure, 0, call(look_at_confirm)},
      {"POST", "/pickup/{token}/certificate/confirm", Access::PublicSecure, max_body, call(confirm)},
      {"GET", "/pickup/{token}/forget", Access::PublicSecure, 0,
       page([](const Visit& visit) { return visit.keys.forget(visit.facts); })},
      {"POST", "/pickup/{token}/forget", Access::PublicSecure, max_body, call(forget)},
      {"GET", "/pickup/{token}/receipt", Access::PublicSecure, 0, call(receipt)},
  };
}

}  // namespace sealpost
