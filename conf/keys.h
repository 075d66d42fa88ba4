// SPDX-License-Identifier: Apache-2.0
// The one table of all settings: name, default, meaning, and how a value becomes part of Settings.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "conf/settings.h"

namespace sealpost {

struct SettingKey {
  std::string name;           ///< "section.key"
  std::string default_value;  ///< as it would be written; empty when the key has none
  std::string meaning;
  std::function<Status(Settings&, const std::string&)> apply;

  /// "SEALPOST_SECTION_KEY"
  [[nodiscard]] std::string environment_name() const;
};

/// In the order of the README. Defaults that depend on the machine are filled in.
const std::vector<SettingKey>& setting_keys();

/// A key of sections that are named after a domain, such as [delivery.domain.EXAMPLE.COM]; they stand in files only.
struct DomainKey {
  std::string section;  ///< with a dot at its end
  std::string name;
  std::function<Status(Settings&, const std::string& a_label, const std::string&)> apply;
};

const std::vector<DomainKey>& domain_keys();

}  // namespace sealpost
