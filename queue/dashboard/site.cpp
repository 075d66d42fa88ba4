// SPDX-License-Identifier: Apache-2.0
// Implements site.h.
#include "queue/dashboard/site.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/encoding.h"
#include "base/time_text.h"
#include "dashboard_files.h"

namespace sealpost::dashboard {
namespace {

constexpr const char* current = " aria-current=\"page\"";
/// Nothing from anywhere else; the script asks for the stream alone. uPlot sets styles through the DOM, not in markup.
constexpr const char* policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'";

std::string path_of(std::string_view url) {
  url.remove_prefix(std::min(url.size(), url.find("://") + 3));
  const auto slash = url.find('/');
  return slash == std::string_view::npos ? std::string() : std::string(url.substr(slash));
}

/// "NAME-HASH.EXT".
Asset asset(std::string_view name, std::string_view extension, const char* content_type, std::string_view content) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(content.data(), content.size(), digest.data(), &size, EVP_sha256(), nullptr);
  constexpr std::size_t enough = 8;
  const std::string hash = to_hex({reinterpret_cast<const char*>(digest.data()), enough});
  return {std::string(name) + "-" + hash + std::string(extension), content_type, content};
}

std::string two_units(std::int64_t count, std::int64_t in_one, const char* large, const char* small) {
  const std::string rest = count % in_one == 0 ? "" : " " + std::to_string(count % in_one) + " " + small;
  return std::to_string(count / in_one) + " " + large + rest;
}

}  // namespace

std::string Draw::operator()(std::string_view layout, const TemplateValues& values) {
  auto filled = fill(layout, TemplateKind::Html, values);
  if (filled) return std::move(*filled);
  if (!error_) error_ = filled.error();
  return {};
}

std::string Draw::hidden(const std::string& name, const std::string& value) {
  return (*this)(dashboard_files::hidden_html, {{"name", name}, {"value", value}});
}

Site::Site(std::string hostname, std::string public_url)
    : hostname_(std::move(hostname)),
      public_url_(std::move(public_url)),
      root_(path_of(public_url_) + "/operator"),
      assets_({asset("dashboard", ".css", "text/css; charset=utf-8", dashboard_files::dashboard_css),
               asset("dashboard", ".js", "text/javascript; charset=utf-8", dashboard_files::dashboard_js),
               asset("uplot", ".css", "text/css; charset=utf-8", dashboard_files::uPlot_min_css),
               asset("uplot", ".js", "text/javascript; charset=utf-8", dashboard_files::uPlot_iife_min_js)}) {}

std::string Site::asset_path(std::string_view beginning, std::string_view end) const {
  const auto found = std::find_if(assets_.begin(), assets_.end(), [&](const Asset& one) {
    return one.name.starts_with(beginning) && one.name.ends_with(end);
  });
  return path("/assets/" + found->name);
}

std::string Site::set_cookie(std::string_view session) const {
  const bool https = public_url_.starts_with("https://");
  return std::string(cookie_name) + "=" + std::string(session) + "; Path=" + root_ +
         "; Max-Age=" + std::to_string(session.empty() ? 0 : std::chrono::seconds(OperatorSessions::longest).count()) +
         "; HttpOnly; SameSite=Strict" + (https ? "; Secure" : "");
}

http::Response Site::show(int status, const Frame& frame, Draw& draw, const std::string& content) const {
  std::string head = draw(dashboard_files::head_html,
                          {{"style", asset_path("dashboard", ".css")}, {"plot_style", asset_path("uplot", ".css")}});
  if (frame.scripts) {
    head += draw(dashboard_files::scripts_html,
                 {{"script", asset_path("dashboard", ".js")}, {"plot_script", asset_path("uplot", ".js")}});
  }
  const auto at = [&](Page page) { return std::string(frame.page == page ? current : ""); };
  const std::string bar = frame.session == nullptr
                              ? std::string()
                              : draw(dashboard_files::bar_html, {{"hostname", hostname_},
                                                                 {"root", root_},
                                                                 {"at_overview", at(Page::Overview)},
                                                                 {"at_deliveries", at(Page::Deliveries)},
                                                                 {"csrf", frame.session->csrf},
                                                                 {"account", frame.session->account}});
  const std::string page =
      draw(dashboard_files::page_html,
           {{"title", frame.title}, {"hostname", hostname_}, {"head", head}, {"bar", bar}, {"content", content}});
  if (draw.error()) return http::Response::failure(*draw.error());
  return http::Response::html(status, page).with("Content-Security-Policy", policy);
}

http::Response Site::message(int status, const Frame& frame, const std::string& text, const std::string& target,
                             const std::string& label) const {
  Draw draw;
  const std::string content =
      draw(dashboard_files::message_html, {{"text", text}, {"target", target}, {"label", label}});
  return show(status, frame, draw, content);
}

http::Response Site::failure(const OperatorSession& session, const Error& error) const {
  const bool later = error.kind == ErrorKind::Temporary;
  auto response =
      later ? message(503, {"Not now", &session}, error.public_text + ". Nothing was changed.", path(), "Try again")
                  .with("Retry-After", "10")
            : message(500, {"Something went wrong", &session},
                      "The fault is ours; the log of sealpostd has the reason.", path(), "To the overview");
  response.fault = error;
  return response;
}

std::string to_second(const std::optional<Time>& time) {
  if (!time) return "–";
  std::string text = to_rfc3339(*time);
  text[10] = ' ';
  return text.substr(0, 19);
}

std::string to_short(const std::optional<Time>& time, Time now) {
  if (!time) return "–";
  const std::string whole = to_second(time);
  constexpr std::size_t day = 10;
  if (whole.compare(0, day, to_second(now), 0, day) == 0) return whole.substr(day + 1);
  return whole.substr(5, day + 1);
}

std::string to_age(Duration age) {
  const std::int64_t seconds = std::max<std::int64_t>(0, age.count() / 1000);
  constexpr std::int64_t minute = 60, hour = 60 * minute, day = 24 * hour;
  if (seconds < minute) return std::to_string(seconds) + " s";
  if (seconds < hour) return std::to_string(seconds / minute) + " min";
  if (seconds < day) return two_units(seconds / minute, 60, "h", "min");
  return two_units(seconds / hour, 24, "d", "h");
}

std::string to_size(std::uint64_t octets) {
  if (octets < 1000) return std::to_string(octets) + " B";
  const double kilo = static_cast<double>(octets) / 1000;
  return kilo < 1000 ? decimal_text(kilo) + " KB" : decimal_text(kilo / 1000) + " MB";
}

std::string link_to(const std::string& target, const std::string& text) {
  return "<a href=\"" + html_escape(target) + "\">" + html_escape(text) + "</a>";
}

std::string counted(std::size_t count) { return std::to_string(count) + (count == 1 ? " delivery" : " deliveries"); }

}  // namespace sealpost::dashboard
