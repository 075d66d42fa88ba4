// SPDX-License-Identifier: Apache-2.0
// Implements filter_form.h.
#include "queue/dashboard/filter_form.h"

#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "dashboard_files.h"

namespace sealpost::dashboard {
namespace {

namespace files = dashboard_files;

struct Choice {
  const char* value;
  const char* label;
};
constexpr std::array state_choices = {Choice{"", "any"},
                                      Choice{"waiting", "waiting"},
                                      Choice{"queued", "– queued"},
                                      Choice{"sending", "– sending"},
                                      Choice{"deferred", "– deferred"},
                                      Choice{"held", "– held"},
                                      Choice{"delivered", "delivered"},
                                      Choice{"bounced", "bounced"},
                                      Choice{"dropped", "dropped"}};
constexpr std::array order_choices = {Choice{"", "oldest first"}, Choice{"newest", "newest first"}};

struct Field {
  const char* name;
  const char* label;
  const char* hint;
};
constexpr std::array fields = {Field{"domain", "Domain", "example.net"},
                               Field{"recipient", "Recipient", "name@…"},
                               Field{"sender", "Sender", "name@…, or <>"},
                               Field{"account", "Account", ""},
                               Field{"message", "Message", "its id"},
                               Field{"older_than", "Older than", "30m, 4h, 2d"},
                               Field{"newer_than", "Newer than", "30m, 4h, 2d"},
                               Field{"error", "Last failure", "words, 451, 4.7.1"}};

std::string value_of(const Parts& parts, const std::string& name) {
  const auto found = parts.find(name);
  return found == parts.end() ? std::string() : found->second;
}

std::string mark(bool wrong) {
  return wrong ? " aria-describedby=\"problem\" aria-invalid=\"true\" autofocus" : std::string();
}

template <std::size_t size>
std::string select(Draw& draw, const char* name, const char* label, const std::array<Choice, size>& choices,
                   const std::string& value, bool wrong) {
  std::string options;
  for (const auto& choice : choices) {
    options += draw(
        files::option_html,
        {{"value", choice.value}, {"label", choice.label}, {"selected", choice.value == value ? " selected" : ""}});
  }
  return draw(files::select_html, {{"name", name}, {"label", label}, {"options", options}, {"described", mark(wrong)}});
}

}  // namespace

Parts filter_parts_of(const std::multimap<std::string, std::string>& parameters, Parts* rest) {
  Parts parts;
  for (const auto& [name, value] : parameters) {
    const auto& known = filter_parts();
    const bool is_part = std::any_of(known.begin(), known.end(),
                                     [&, &wanted = name](const FilterPart& part) { return wanted == part.name; });
    if (!is_part) {
      if (rest != nullptr) rest->emplace(name, value);
    } else if (const auto blank = trimmed(value); !blank.empty()) {
      parts.emplace(name, blank);
    }
  }
  return parts;
}

std::string query_of(const Parts& parts) {
  std::string query;
  for (const auto& [name, value] : parts) {
    query += (query.empty() ? "?" : "&") + percent_encode(name, "_") + "=" + percent_encode(value, "-_.@");
  }
  return query;
}

std::string described(const Parts& parts) {
  std::string text;
  for (const auto& [name, value] : parts) {
    if (name == "order") continue;
    std::string label = name;
    std::replace(label.begin(), label.end(), '_', ' ');
    text.append(text.empty() ? "" : ", ").append(label).append(" ").append(value);
  }
  return text.empty() ? "every delivery that waits" : text;
}

std::string filter_fields(Draw& draw, const Parts& parts, const std::string& wrong) {
  std::string all = select(draw, "state", "State", state_choices, value_of(parts, "state"), wrong == "state");
  for (const auto& field : fields) {
    all += draw(files::field_html, {{"name", field.name},
                                    {"label", field.label},
                                    {"hint", field.hint},
                                    {"value", value_of(parts, field.name)},
                                    {"described", mark(wrong == field.name)}});
  }
  return all + select(draw, "order", "Order", order_choices, value_of(parts, "order"), wrong == "order");
}

std::string hidden_filter(Draw& draw, const Parts& parts) {
  std::string all;
  for (const auto& [name, value] : parts) all += draw.hidden(name, value);
  return all;
}

}  // namespace sealpost::dashboard
