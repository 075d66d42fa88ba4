// SPDX-License-Identifier: Apache-2.0
// What all pages of the dashboard share: where they stand, their frame, their script and style, and how templates
// become answers.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/http/router.h"
#include "base/template.h"
#include "queue/operator_session.h"

namespace sealpost::dashboard {

/// Fills templates one into the other and keeps the first thing that went wrong: a page is shown whole or not at all.
class Draw final {
 public:
  std::string operator()(std::string_view layout, const TemplateValues& values);
  /// <input type="hidden">.
  std::string hidden(const std::string& name, const std::string& value);
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  std::optional<Error> error_;
};

/// A file of the pages. Its name changes with its content, so that browsers keep it for good.
struct Asset {
  std::string name;
  const char* content_type;
  std::string_view content;
};

class Site final {
 public:
  enum class Page { Overview, Deliveries, Other };

  /// `public_url`: http.public_url, whose path stands in front of ours: a proxy takes it off.
  Site(std::string hostname, std::string public_url);

  /// "/PATH/operator" and what is below it.
  [[nodiscard]] std::string path(std::string_view below = {}) const { return root_ + std::string(below); }
  [[nodiscard]] const std::string& public_url() const { return public_url_; }
  [[nodiscard]] const std::vector<Asset>& assets() const { return assets_; }
  /// The Set-Cookie field of a session; of an empty one, which ends it.
  [[nodiscard]] std::string set_cookie(std::string_view session) const;

  struct Frame {
    std::string title;
    const OperatorSession* session = nullptr;  ///< none: nobody is logged in
    Page page = Page::Other;
    bool scripts = false;
  };
  [[nodiscard]] http::Response show(int status, const Frame& frame, Draw& draw, const std::string& content) const;
  /// A page that says one thing, with a link that leads on.
  [[nodiscard]] http::Response message(int status, const Frame& frame, const std::string& text,
                                       const std::string& target, const std::string& label) const;
  /// Redis is away, or the fault is ours.
  [[nodiscard]] http::Response failure(const OperatorSession& session, const Error& error) const;

 private:
  [[nodiscard]] std::string asset_path(std::string_view beginning, std::string_view end) const;
  std::string hostname_;
  std::string public_url_;
  std::string root_;
  std::vector<Asset> assets_;
};

/// The cookie of a session.
inline constexpr std::string_view cookie_name = "sealpost_operator";

/// 2026-01-31 09:30:00; – for none. UTC, as all times of the pages.
std::string to_second(const std::optional<Time>& time);
/// The same without what is plain: 09:30:00 today, 01-31 09:30 on another day.
std::string to_short(const std::optional<Time>& time, Time now);
/// For people: 12 s, 3 min, 4 h 10 min, 2 d 3 h.
std::string to_age(Duration age);
/// For people: 17 B, 12.3 KB, 1.2 MB.
std::string to_size(std::uint64_t octets);
/// <a href="TARGET">TEXT</a>, both escaped.
std::string link_to(const std::string& target, const std::string& text);
/// 1 delivery, 2 deliveries.
std::string counted(std::size_t count);

}  // namespace sealpost::dashboard
