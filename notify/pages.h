// SPDX-License-Identifier: Apache-2.0
// The pickup pages as HTML: what each shows. Works without script; names no outside host.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "notify/pickup.h"

namespace sealpost {

class Pages final {
 public:
  /// `public_url`: http.public_url. Its path stands in front of every path that a page names: a proxy takes it off.
  Pages(std::string hostname, std::string_view public_url);

  /// Where browsers find the page of a link: "/PATH/pickup/TOKEN".
  [[nodiscard]] std::string path(const std::string& token) const { return root_ + "/" + token; }

  /// The form for the code; `problem` is shown above it when it is not empty.
  [[nodiscard]] Result<std::string> code(const std::string& token, std::string_view problem) const;
  struct Opened {
    const std::string& token;
    const OpenedPickup& pickup;
    std::string csrf;
    bool prefer_compatible = false;  ///< the browser's platform reads the compatible format only
    std::string_view problem;
  };
  [[nodiscard]] Result<std::string> opened(const Opened& facts) const;
  [[nodiscard]] Result<std::string> taken(const std::string& token, const Secret& password) const;
  /// What waited for its download does so no longer.
  [[nodiscard]] Result<std::string> file_gone(const std::string& token) const;
  /// A page that says one thing; with the form for a new code when that is what to do next.
  [[nodiscard]] Result<std::string> message(std::string_view title, std::string_view text, bool offer_resend) const;

  static std::string_view style();
  static constexpr std::string_view file_name = "mail-key.p12";

 private:
  [[nodiscard]] Result<std::string> page(std::string_view title, const Result<std::string>& content) const;
  [[nodiscard]] Result<std::string> resend_form() const;
  std::string hostname_;
  std::string root_;  ///< "/pickup" behind the path of http.public_url
};

}  // namespace sealpost
