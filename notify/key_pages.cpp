// SPDX-License-Identifier: Apache-2.0
// Implements key_pages.h.
#include "notify/key_pages.h"

#include <functional>

namespace sealpost {
namespace {

bool can_be_kept(const PageKey& key) { return !key.own && key.state == PairState::Interim; }
bool can_be_forgotten(const PageKey& key) { return !key.own && key.available; }

std::vector<std::size_t> places_of(const std::vector<PageKey>& keys, const std::function<bool(const PageKey&)>& fits) {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (fits(keys[i])) places.push_back(i);
  }
  return places;
}

Result<std::string> state_of(const Wording& wording, const PageKey& key) {
  switch (key.state) {
    case PairState::Interim:
      if (!key.expires) return wording.sentence("state_interim_endless");
      return wording.sentence("state_interim", {{"expires", date_of(*key.expires)}});
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

Result<std::string> KeyPages::row(const PageKey& key) const {
  const auto* copy = key.own ? "keys_copy_own" : key.available ? "keys_copy_yes" : "keys_copy_no";
  return frame_.layout("keys_row.html", {{"state", state_of(frame_.wording(), key)},
                                         {"assigned", date_of(key.assigned)},
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
  for (const auto& key : visit.keys) {
    auto made = row(key);
    if (!made) return made;
    (current.empty() ? current : earlier) += *made;
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

Result<std::string> KeyPages::keep(const VisitFacts& visit, bool send_again) const {
  return frame_.page(
      "title_keep", PickupStep::None,
      frame_.layout("keep.html", {{"problem", problem(send_again ? "problem_send_again" : "")},
                                  {"address", visit.address},
                                  {"action", frame_.path(visit.token, "/keep")},
                                  {"csrf", visit.csrf},
                                  {"keys", frame_.key_choices(visit.keys, places_of(visit.keys, can_be_kept))},
                                  {"back", frame_.path(visit.token)}}));
}

Result<std::string> KeyPages::kept(const std::string& token) const { return done("kept", token); }

Result<std::string> KeyPages::replace(const VisitFacts& visit, bool send_again) const {
  return replace_with(visit, send_again ? frame_.wording().sentence("problem_send_again") : std::string());
}

Result<std::string> KeyPages::refused(const VisitFacts& visit, std::string_view check) const {
  std::string text;
  for (const std::string& name :
       {std::string("problem_refused"), "refused_" + std::string(check), std::string("problem_nothing_changed")}) {
    auto sentence = frame_.wording().sentence(name);
    if (!sentence) return sentence;
    text += (text.empty() ? "" : " ") + *sentence;
  }
  return replace_with(visit, text);
}

Result<std::string> KeyPages::replace_with(const VisitFacts& visit, const Result<std::string>& problem) const {
  return frame_.page("title_replace", PickupStep::None,
                     frame_.layout("replace.html", {{"problem", frame_.problem(problem)},
                                                    {"address", visit.address},
                                                    {"action", frame_.path(visit.token, "/certificate")},
                                                    {"csrf", visit.csrf},
                                                    {"described", PageFrame::described(problem && !problem->empty())},
                                                    {"back", frame_.path(visit.token)}}));
}

Result<std::string> KeyPages::pending(const VisitFacts& visit, const std::string& fingerprint) const {
  return pending_with(visit, fingerprint, std::string());
}

Result<std::string> KeyPages::pending_wrong_code(const VisitFacts& visit, const std::string& fingerprint,
                                                 unsigned attempts_left) const {
  return pending_with(visit, fingerprint,
                      frame_.wording().sentence("problem_wrong_code", {{"left", std::to_string(attempts_left)}}));
}

Result<std::string> KeyPages::pending_with(const VisitFacts& visit, const std::string& fingerprint,
                                           const Result<std::string>& problem) const {
  return frame_.page("title_pending", PickupStep::None,
                     frame_.layout("pending.html", {{"problem", frame_.problem(problem)},
                                                    {"address", visit.address},
                                                    {"fingerprint", fingerprint},
                                                    {"action", frame_.path(visit.token, "/certificate/confirm")},
                                                    {"csrf", visit.csrf},
                                                    {"described", PageFrame::described(problem && !problem->empty())},
                                                    {"back", frame_.path(visit.token)}}));
}

Result<std::string> KeyPages::replaced(const std::string& token) const { return done("replaced", token); }

Result<std::string> KeyPages::forget(const VisitFacts& visit, ForgetProblem why) const {
  const bool unconfirmed = why == ForgetProblem::NotConfirmed;
  const auto* sentence = unconfirmed                       ? "problem_forget_confirm"
                         : why == ForgetProblem::SendAgain ? "problem_send_again"
                                                           : "";
  return frame_.page(
      "title_forget", PickupStep::None,
      frame_.layout("forget.html", {{"problem", problem(sentence)},
                                    {"address", visit.address},
                                    {"action", frame_.path(visit.token, "/forget")},
                                    {"csrf", visit.csrf},
                                    {"keys", frame_.key_choices(visit.keys, places_of(visit.keys, can_be_forgotten))},
                                    {"described", PageFrame::described(unconfirmed, false)},
                                    {"back", frame_.path(visit.token)}}));
}

Result<std::string> KeyPages::forgotten(const std::string& token, std::string_view receipt) const {
  return frame_.page(
      "title_forgotten", PickupStep::None,
      frame_.layout("forgotten.html", {{"receipt", frame_.path(token, receipt)}, {"back", frame_.path(token)}}));
}

Result<std::string> KeyPages::done(std::string_view name, const std::string& token) const {
  return frame_.page("title_" + std::string(name), PickupStep::None,
                     frame_.layout("message.html", {{"text", frame_.wording().sentence("text_" + std::string(name))},
                                                    {"next", frame_.button(frame_.path(token), "back_to_key")}}));
}

}  // namespace sealpost
