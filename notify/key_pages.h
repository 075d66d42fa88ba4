// SPDX-License-Identifier: Apache-2.0
// The pages about what becomes of a recipient's keys: keep, replace, forget, each with a form of its own, and what is
// shown when it is done. The forms post to "/PATH/pickup/TOKEN/keep" (fields csrf, fingerprint), ".../certificate"
// (multipart/form-data: csrf, file, certificate), ".../certificate/confirm" (csrf, code) and ".../forget" (csrf,
// fingerprint, confirm=yes). Without a field `fingerprint` the current key is meant.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "notify/page_frame.h"

namespace sealpost {

class KeyPages final {
 public:
  KeyPages(const PageSite& site, std::string_view language) : frame_(site, language) {}

  [[nodiscard]] const PageFrame& frame() const { return frame_; }

  /// All keys of the address, and the three choices.
  [[nodiscard]] Result<std::string> keys(const VisitFacts& visit) const;

  /// `send_again`: the form did not come from this visit.
  [[nodiscard]] Result<std::string> keep(const VisitFacts& visit, bool send_again = false) const;
  [[nodiscard]] Result<std::string> kept(const std::string& token) const;

  [[nodiscard]] Result<std::string> replace(const VisitFacts& visit, bool send_again = false) const;
  /// The form anew, above it which check failed: the name of a sentence `refused_CHECK`, such as "wrong_address".
  [[nodiscard]] Result<std::string> refused(const VisitFacts& visit, std::string_view check) const;
  /// A mail that is sealed to the certificate is on its way; asks for the code in it.
  [[nodiscard]] Result<std::string> pending(const VisitFacts& visit, const std::string& fingerprint) const;
  [[nodiscard]] Result<std::string> pending_wrong_code(const VisitFacts& visit, const std::string& fingerprint,
                                                       unsigned attempts_left) const;
  [[nodiscard]] Result<std::string> replaced(const std::string& token) const;

  enum class ForgetProblem { None, NotConfirmed, SendAgain };
  [[nodiscard]] Result<std::string> forget(const VisitFacts& visit, ForgetProblem problem = ForgetProblem::None) const;
  /// `receipt`: path behind "/PATH/pickup/TOKEN" from which the signed receipt is downloaded, such as "/receipt".
  [[nodiscard]] Result<std::string> forgotten(const std::string& token, std::string_view receipt) const;

 private:
  [[nodiscard]] Result<std::string> problem(std::string_view sentence) const;
  [[nodiscard]] Result<std::string> row(const PageKey& key) const;
  [[nodiscard]] Result<std::string> choices(const VisitFacts& visit) const;
  [[nodiscard]] Result<std::string> choice(std::string_view name, const std::string& target) const;
  [[nodiscard]] Result<std::string> replace_with(const VisitFacts& visit, const Result<std::string>& problem) const;
  [[nodiscard]] Result<std::string> pending_with(const VisitFacts& visit, const std::string& fingerprint,
                                                 const Result<std::string>& problem) const;
  [[nodiscard]] Result<std::string> done(std::string_view name, const std::string& token) const;
  PageFrame frame_;
};

}  // namespace sealpost
