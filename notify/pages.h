// SPDX-License-Identifier: Apache-2.0
// The pickup pages from the code to the key file, and those that say one thing. They work without script and name no
// outside host. What becomes of a key later stands in key_pages.h.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"
#include "notify/page_frame.h"
#include "notify/platform.h"

namespace sealpost {

/// Pages that say one thing, and offer the one thing to do next.
enum class PageMessage {
  UnknownLink,
  Expired,
  Locked,
  CodeTooOld,  ///< for a certificate of the recipient's own
  KeyGone,     ///< forgotten already, or never there
  FileGone,    ///< what waited for its download does so no longer
  ForeignForm,
  TooFast,          ///< after wrong codes
  TooOften,         ///< uploads in a day
  NothingWaits,     ///< for a second code
  SecondCodesGone,  ///< five were wrong: the certificate is forgotten
  NotCurrent,       ///< another key took its place
  InUse,            ///< the very certificate is there already
  Revoked,
  Busy,
  Failed,
  AskForCode,
  CodeAsked
};

class Pages final {
 public:
  /// The file name of a pair for download.
  static constexpr std::string_view file_name = "mail-key.p12";

  Pages(const PageSite& site, std::string_view language) : frame_(site, language) {}

  [[nodiscard]] const PageFrame& frame() const { return frame_; }
  /// Where browsers find the page of a link.
  [[nodiscard]] std::string path(const std::string& token) const { return frame_.path(token); }

  /// The form for the code; `problem` is shown above it when it is not empty.
  [[nodiscard]] Result<std::string> code(const std::string& token, const Result<std::string>& problem) const;
  [[nodiscard]] Result<std::string> code(const std::string& token) const { return code(token, std::string()); }
  /// After a wrong code.
  [[nodiscard]] Result<std::string> wrong_code(const std::string& token, unsigned attempts_left) const;
  [[nodiscard]] Result<std::string> session_ended(const std::string& token) const;

  struct Opened {
    const VisitFacts& visit;
    std::string attached_password;  ///< of the PKCS#12 in the notification (notify.mode=attach), else empty
    Platform platform = Platform::Other;
    bool send_again = false;  ///< the form did not come from this visit
  };
  [[nodiscard]] Result<std::string> opened(const Opened& facts) const;
  /// The file is made: its password, shown this once, and how to import it.
  [[nodiscard]] Result<std::string> taken(const std::string& token, const Secret& password, Platform platform) const;
  /// `token` may be empty where none is known.
  [[nodiscard]] Result<std::string> message(PageMessage what, const std::string& token) const;

 private:
  [[nodiscard]] Result<std::string> key_form(const Opened& facts) const;
  PageFrame frame_;
};

}  // namespace sealpost
