// SPDX-License-Identifier: Apache-2.0
// Implements import_guide.h. The sentences of a program are client_NAME and NAME_1, NAME_2, ...
#include "notify/import_guide.h"

#include <algorithm>
#include <vector>

namespace sealpost {
namespace {

using Names = std::vector<std::string_view>;

const Names& all_clients() {
  static const Names names = {"thunderbird", "outlook_windows", "outlook_mac", "outlook_web", "apple_mac",
                              "apple_ios",   "gmail",           "android",     "evolution",   "gnupg"};
  return names;
}

Names clients_of(Platform platform) {
  switch (platform) {
    case Platform::Windows:
      return {"outlook_windows", "thunderbird"};
    case Platform::Mac:
      return {"apple_mac", "outlook_mac", "thunderbird"};
    case Platform::MacOrIpad:
      return {"apple_mac", "apple_ios", "outlook_mac", "thunderbird"};
    case Platform::Ios:
      return {"apple_ios"};
    case Platform::Android:
      return {"android"};
    case Platform::Linux:
      return {"thunderbird", "evolution", "gnupg"};
    case Platform::Other:
      break;
  }
  return {"thunderbird"};
}

Result<std::string> steps_of(const Wording& wording, std::string_view client, const std::string& filename) {
  std::string steps;
  for (int number = 1; wording.has(std::string(client) + "_" + std::to_string(number)); ++number) {
    auto step = wording.sentence(std::string(client) + "_" + std::to_string(number), {{"filename", filename}});
    if (!step) return step;
    auto line = wording.fill("guide_step.html", {{"step", *step}});
    if (!line) return line;
    steps += *line;
  }
  return steps;
}

Result<std::string> clients(const Wording& wording, const Names& names, std::string_view layout,
                            const std::string& filename) {
  std::string all;
  for (const auto name : names) {
    auto client = wording.sentence("client_" + std::string(name));
    if (!client) return client;
    auto steps = steps_of(wording, name, filename);
    if (!steps) return steps;
    auto section = wording.fill(layout, {{"client", *client}, {"steps", *steps}});
    if (!section) return section;
    all += *section;
  }
  return all;
}

}  // namespace

Result<std::string> import_guide(const Wording& wording, Platform platform, std::string_view filename) {
  const Names fitting = clients_of(platform);
  Names others = all_clients();
  std::erase_if(
      others, [&](std::string_view name) { return std::find(fitting.begin(), fitting.end(), name) != fitting.end(); });
  auto first = clients(wording, fitting, "guide_first.html", std::string(filename));
  if (!first) return first;
  auto rest = clients(wording, others, "guide_other.html", std::string(filename));
  if (!rest) return rest;
  return wording.fill("guide.html", {{"first", *first}, {"others", *rest}});
}

}  // namespace sealpost
