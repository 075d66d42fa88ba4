// SPDX-License-Identifier: Apache-2.0
// Implements key_pages.h.
#include "notify/key_pages.h"

#include <functional>

namespace sealpost {
namespace {

bool can_be_kept(const PageKey& key) { return !key.own && key.state == PairState::Interim; }
bool can_be_forgotten(const PageKey& key) { return !key.own && (key.available || key.receipt_owed); }

std::vector<std::size_t> places_of(const std::vector<PageKey>& keys, const std::function<bool(const PageKey&)>& fits) {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (fits(keys[i])) places.push_back(i);
  }
  return places;
}

/// Of a certificate of the recipient's own that mail is sealed to.
Result<std::string> state_of_own(const Wording& wording, const PageKey& key, Time now) {
  if (key.state == PairState::Revoked) return wording.sentence("state_own_revoked");
  if (!key.expires) return wording.sentence("state_permanent");
  return wording.sentence(now < *key.expires ? "state_own" : "state_own_ended",
                          {{"expires", to_utc_day(*key.expires)}});
}

Result<std::string> state_of(const Wording& wording, const PageKey& key) {
  switch (key.state) {
    case PairState::Interim:
      if (!key.expires) return wording.sentence("state_interim_endless");
      return wording.sentence("state_interim", {{"expires", to_utc_day(*key.expires)}});
    case PairState::Permanent:
      return wording.sentence("state_permanent");
    case PairState::Replaced:
      return wording.sentence("state_replaced");
    case PairState::Forgotten:
      return wording.sentence("state_forgotten");
    case PairState::Revoked:
      break;
  }
  return wording.sentence("state_revoked");
}

}  // namespace

Result<std::string> KeyPages::problem(std::string_view sentence) const {
  return sentence.empty() ? Result<std::string>(std::string()) : frame_.problem(frame_.wording().sentence(sentence));
}

Result<std::string> KeyPages::row(const VisitFacts& visit, std::size_t place) const {
  const PageKey& key = visit.keys[place];
  const auto* copy = key.own ? "keys_copy_own" : key.available ? "keys_copy_yes" : "keys_copy_no";
  const bool in_use = key.own && place == 0;
  return frame_.layout("keys_row.html", {{"state", in_use ? state_of_own(frame_.wording(), key, visit.now)
                                                          : state_of(frame_.wording(), key)},
                                         {"assigned", to_utc_day(key.assigned)},
                                         {"copy", frame_.wording().sentence(copy)},
                                         {"fingerprint", key.fingerprint}});
}

Result<std::string> KeyPages::choice(std::string_view name, const std::string& target) const {
  const std::string prefix(name);
  return frame_.layout("choice.html", {{"title", frame_.wording().sentence(prefix + "_title")},
                                       {"text", frame_.wording().sentence(prefix + "_text")},
                                       {"target", target},
                                       {"label", frame_.wording().sentence(prefix + "_link")}});
}

/// Those that would change something.
Result<std::string> KeyPages::choices(const VisitFacts& visit) const {
  std::string all;
  const auto add = [&](std::string_view name, std::string_view below) -> Status {
    auto made = choice(name, frame_.path(visit.token, below));
    if (!made) return made.error();
    all += *made;
    return {};
  };
  if (!places_of(visit.keys, can_be_kept).empty()) {
    if (auto added = add("keep", "/keep"); !added) return added.error();
  }
  if (auto added = add("replace", "/certificate"); !added) return added.error();
  if (!places_of(visit.keys, can_be_forgotten).empty()) {
    if (auto added = add("forget", "/forget"); !added) return added.error();
  }
  return all;
}

Result<std::string> KeyPages::keys(const VisitFacts& visit) const {
  std::string current;
  std::string earlier;
  for (std::size_t place = 0; place < visit.keys.size(); ++place) {
    auto made = row(visit, place);
    if (!made) return made;
    (place == 0 ? current : earlier) += *made;
  }
  Result<std::string> section = std::string();
  if (!earlier.empty()) section = frame_.layout("keys_earlier.html", {{"keys", earlier}});
  return frame_.page("title_keys", PickupStep::None,
                     frame_.layout("keys.html", {{"address", visit.address},
                                                 {"current", current},
                                                 {"choices", choices(visit)},
                                                 {"earlier", section},
                                                 {"back", frame_.path(visit.token)}}));
}

Result<std::string> KeyPages::shown_keys(const VisitFacts& visit, const std::vector<std::size_t>& places) const {
  auto field = frame_.key_choices(visit.keys, places);
  if (!field || places.size() != 1) return field;
  auto shown = frame_.layout("key_shown.html", {{"description", frame_.key_description(visit.keys, places.front())},
                                                {"fingerprint", visit.keys[places.front()].fingerprint}});
  if (!shown) return shown;
  return *shown + *field;
}

Result<std::string> KeyPages::keep(const VisitFacts& visit, bool send_again) const {
  const auto places = places_of(visit.keys, can_be_kept);
  if (places.empty()) {
    const bool is_kept = !visit.keys.empty() && !visit.keys[0].own && visit.keys[0].state == PairState::Permanent;
    return is_kept ? kept(visit.token) : message("title_keys", "text_nothing_to_keep", visit.token);
  }
  return frame_.page("title_keep", PickupStep::None,
                     frame_.layout("keep.html", {{"problem", problem(send_again ? "problem_send_again" : "")},
                                                 {"address", visit.address},
                                                 {"action", frame_.path(visit.token, "/keep")},
                                                 {"csrf", visit.csrf},
                                                 {"keys", shown_keys(visit, places)},
                                                 {"back", frame_.path(visit.token)}}));
}

Result<std::string> KeyPages::kept(const std::string& token) const { return done("kept", token); }

Result<std::string> KeyPages::replace(const VisitFacts& visit, bool waiting) const {
  return replace_with(visit, std::string(), waiting);
}

Result<std::string> KeyPages::replace_again(const VisitFacts& visit) const {
  return replace_with(visit, frame_.wording().sentence("problem_send_again"), false);
}

Result<std::string> KeyPages::why_refused(const CertificateRefusal& why) const {
  std::string addresses;
  for (const auto& address : why.addresses) addresses += (addresses.empty() ? "" : ", ") + address;
  const int limit = why.limit.value_or(0);
  std::string name = "refused_" + std::string(to_text(why.check));
  if (why.check == CertificateCheck::WrongAddress && addresses.empty()) name += "_none";
  return frame_.wording().sentence(
      name, {{"addresses", addresses},
             {"date", why.date ? to_utc_day(*why.date) : std::string()},
             {"bits", std::to_string(why.bits.value_or(0))},
             {"limit", std::to_string(why.check == CertificateCheck::TooLarge ? limit / 1024 : limit)}});
}

Result<std::string> KeyPages::refused(const VisitFacts& visit, const CertificateRefusal& why) const {
  std::string text;
  for (const auto& part : {frame_.wording().sentence("problem_refused"), why_refused(why),
                           frame_.wording().sentence("problem_nothing_changed")}) {
    if (!part) return part;
    text += (text.empty() ? "" : " ") + *part;
  }
  return replace_with(visit, text, false);
}

Result<std::string> KeyPages::replace_with(const VisitFacts& visit, const Result<std::string>& problem,
                                           bool waiting) const {
  Result<std::string> link = std::string();
  if (waiting) {
    link = frame_.layout("replace_waiting.html", {{"target", frame_.path(visit.token, "/certificate/confirm")}});
  }
  return frame_.page("title_replace", PickupStep::None,
                     frame_.layout("replace.html", {{"problem", frame_.problem(problem)},
                                                    {"address", visit.address},
                                                    {"action", frame_.path(visit.token, "/certificate")},
                                                    {"csrf", visit.csrf},
                                                    {"described", PageFrame::described(problem && !problem->empty())},
                                                    {"waiting", link},
                                                    {"back", frame_.path(visit.token)}}));
}

Result<std::string> KeyPages::wrong_code(unsigned attempts_left) const {
  return frame_.wording().sentence("problem_wrong_code", {{"left", std::to_string(attempts_left)}});
}

Result<std::string> KeyPages::pending(const VisitFacts& visit, const std::string& fingerprint,
                                      const Result<std::string>& problem) const {
  return frame_.page("title_pending", PickupStep::None,
                     frame_.layout("pending.html", {{"problem", frame_.problem(problem)},
                                                    {"address", visit.address},
                                                    {"fingerprint", fingerprint},
                                                    {"action", frame_.path(visit.token, "/certificate/confirm")},
                                                    {"csrf", visit.csrf},
                                                    {"described", PageFrame::described(problem && !problem->empty())},
                                                    {"another", frame_.path(visit.token, "/certificate")},
                                                    {"back", frame_.path(visit.token)}}));
}

Result<std::string> KeyPages::second_code(const std::string& token, const Result<std::string>& problem) const {
  return frame_.page(
      "title_pending", PickupStep::None,
      frame_.layout("second_code.html", {{"problem", frame_.problem(problem)},
                                         {"action", frame_.path(token, "/certificate/confirm")},
                                         {"described", PageFrame::described(problem && !problem->empty())},
                                         {"another", frame_.path(token, "/certificate")},
                                         {"back", frame_.path(token)}}));
}

Result<std::string> KeyPages::replaced(const std::string& token) const { return done("replaced", token); }

Result<std::string> KeyPages::note(const PageKey& key, bool current) const {
  const Wording& wording = frame_.wording();
  if (!key.available) return wording.sentence("forget_owed", {{"assigned", to_utc_day(key.assigned)}});
  if (!key.picked_up && current) return wording.sentence("forget_never_taken");
  if (!key.picked_up) return wording.sentence("forget_never_taken_earlier", {{"assigned", to_utc_day(key.assigned)}});
  if (!current || key.state != PairState::Interim || !key.expires) return std::string();
  return wording.sentence("forget_ends", {{"expires", to_utc_day(*key.expires)}});
}

Result<std::string> KeyPages::notes(const VisitFacts& visit, const std::vector<std::size_t>& places) const {
  std::string all;
  for (const auto place : places) {
    auto text = note(visit.keys[place], place == 0);
    if (!text) return text;
    if (text->empty()) continue;
    auto made = frame_.layout("forget_note.html", {{"note", text}});
    if (!made) return made;
    all += *made;
  }
  return all;
}

Result<std::string> KeyPages::forget(const VisitFacts& visit, ForgetProblem why) const {
  const auto places = places_of(visit.keys, can_be_forgotten);
  if (places.empty()) return message("title_gone", "text_gone", visit.token);
  const bool unconfirmed = why == ForgetProblem::NotConfirmed;
  const auto* sentence = unconfirmed                       ? "problem_forget_confirm"
                         : why == ForgetProblem::SendAgain ? "problem_send_again"
                                                           : "";
  return frame_.page("title_forget", PickupStep::None,
                     frame_.layout("forget.html", {{"problem", problem(sentence)},
                                                   {"address", visit.address},
                                                   {"action", frame_.path(visit.token, "/forget")},
                                                   {"csrf", visit.csrf},
                                                   {"keys", shown_keys(visit, places)},
                                                   {"notes", notes(visit, places)},
                                                   {"described", PageFrame::described(unconfirmed, false)},
                                                   {"back", frame_.path(visit.token)}}));
}

Result<std::string> KeyPages::forgotten(const std::string& token, std::string_view receipt) const {
  return frame_.page(
      "title_forgotten", PickupStep::None,
      frame_.layout("forgotten.html", {{"receipt", frame_.path(token, receipt)}, {"back", frame_.path(token)}}));
}

Result<std::string> KeyPages::message(std::string_view title, std::string_view text, const std::string& token) const {
  return frame_.page(title, PickupStep::None,
                     frame_.layout("message.html", {{"text", frame_.wording().sentence(text)},
                                                    {"next", frame_.button(frame_.path(token), "back_to_key")}}));
}

Result<std::string> KeyPages::done(std::string_view name, const std::string& token) const {
  return message("title_" + std::string(name), "text_" + std::string(name), token);
}

}  // namespace sealpost
