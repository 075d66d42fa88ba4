// SPDX-License-Identifier: Apache-2.0
// The pages about what becomes of a recipient's keys: keep, replace, forget, each with a form of its own, and what is
// shown when it is done. The forms post to "/PATH/pickup/TOKEN/keep" (fields csrf, fingerprint), ".../certificate"
// (multipart/form-data: csrf, file, certificate), ".../certificate/confirm" (csrf, code) and ".../forget" (csrf,
// fingerprint, confirm=yes). The form for the second code stands alone, too, for who has no visit.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/certificate_check.h"
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

  /// `waiting`: one that was uploaded before waits for its code.
  [[nodiscard]] Result<std::string> replace(const VisitFacts& visit, bool waiting = false) const;
  [[nodiscard]] Result<std::string> replace_again(const VisitFacts& visit) const;
  /// The form anew, above it which check failed, and what was found.
  [[nodiscard]] Result<std::string> refused(const VisitFacts& visit, const CertificateRefusal& why) const;
  /// A mail that is sealed to the certificate is on its way; asks for the code in it. `problem` is shown above the form
  /// when it is not empty.
  [[nodiscard]] Result<std::string> pending(const VisitFacts& visit, const std::string& fingerprint,
                                            const Result<std::string>& problem) const;
  [[nodiscard]] Result<std::string> pending(const VisitFacts& visit, const std::string& fingerprint) const {
    return pending(visit, fingerprint, std::string());
  }
  /// The same form without a visit: tells nothing of the address.
  [[nodiscard]] Result<std::string> second_code(const std::string& token, const Result<std::string>& problem) const;
  [[nodiscard]] Result<std::string> wrong_code(unsigned attempts_left) const;
  [[nodiscard]] Result<std::string> replaced(const std::string& token) const;

  enum class ForgetProblem { None, NotConfirmed, SendAgain };
  [[nodiscard]] Result<std::string> forget(const VisitFacts& visit, ForgetProblem problem = ForgetProblem::None) const;
  /// `receipt`: path behind "/PATH/pickup/TOKEN" from which the signed receipt is downloaded, such as "/receipt".
  [[nodiscard]] Result<std::string> forgotten(const std::string& token, std::string_view receipt) const;

 private:
  [[nodiscard]] Result<std::string> problem(std::string_view sentence) const;
  [[nodiscard]] Result<std::string> row(const VisitFacts& visit, std::size_t place) const;
  [[nodiscard]] Result<std::string> choices(const VisitFacts& visit) const;
  [[nodiscard]] Result<std::string> choice(std::string_view name, const std::string& target) const;
  [[nodiscard]] Result<std::string> replace_with(const VisitFacts& visit, const Result<std::string>& problem,
                                                 bool waiting) const;
  [[nodiscard]] Result<std::string> why_refused(const CertificateRefusal& why) const;
  /// The key that the page is about, or a choice of several.
  [[nodiscard]] Result<std::string> shown_keys(const VisitFacts& visit, const std::vector<std::size_t>& places) const;
  /// What forgetting means for these keys, beyond what it means for all.
  [[nodiscard]] Result<std::string> notes(const VisitFacts& visit, const std::vector<std::size_t>& places) const;
  [[nodiscard]] Result<std::string> note(const PageKey& key, bool current) const;
  [[nodiscard]] Result<std::string> message(std::string_view title, std::string_view text,
                                            const std::string& token) const;
  [[nodiscard]] Result<std::string> done(std::string_view name, const std::string& token) const;
  PageFrame frame_;
};

}  // namespace sealpost
