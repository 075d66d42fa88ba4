// SPDX-License-Identifier: Apache-2.0
// Implements loader.h.
#include "conf/loader.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "base/email_address.h"
#include "conf/ini.h"
#include "conf/keys.h"

namespace sealpost {
namespace {

constexpr std::string_view environment_prefix = "SEALPOST_";

/// A value and where it was found, for the complaint about it.
struct Given {
  std::string value;
  std::string source;
};
using GivenValues = std::map<std::string, Given>;

using Complaints = std::vector<SettingsComplaint>;

void complain(Complaints& complaints, const std::string& source, const std::string& key, const std::string& reason) {
  complaints.push_back({key, source + ": " + key + ": " + reason});
}

const SettingKey* find_key(const std::string& name) {
  const auto& keys = setting_keys();
  const auto found = std::find_if(keys.begin(), keys.end(), [&](const SettingKey& key) { return key.name == name; });
  return found == keys.end() ? nullptr : &*found;
}

/// The row of a key such as delivery.domain.EXAMPLE.COM.tls.
const DomainKey* find_domain_key(const std::string& name) {
  const auto& keys = domain_keys();
  const auto found = std::find_if(keys.begin(), keys.end(), [&](const DomainKey& key) {
    return name.starts_with(key.section) && name.ends_with("." + key.name) &&
           name.size() > key.section.size() + key.name.size() + 1;
  });
  return found == keys.end() ? nullptr : &*found;
}

/// Invalid when group or others have one of the `forbidden` permission bits.
Status check_mode(const std::string& path, mode_t forbidden, const std::string& wanted) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return Error::invalid(path + ": " + std::strerror(errno));
  if (!S_ISREG(status.st_mode)) return Error::invalid(path + ": not a file");
  if ((status.st_mode & forbidden) != 0) return Error::invalid(path + ": wrong mode, " + wanted);
  return {};
}

Result<std::string> read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  if (!file) return Error::invalid(path + ": " + std::strerror(errno));
  return content.str();
}

Result<std::vector<IniEntry>> read_entries(const std::string& file) {
  if (auto mode = check_mode(file, 022, "nobody but its owner may write to it (chmod go-w)"); !mode) {
    return mode.error();
  }
  auto content = read_text(file);
  if (!content) return content.error();
  auto entries = parse_ini(*content);
  if (!entries) return Error::invalid(file + ": " + entries.error().public_text);
  return entries;
}

void add_file(const std::string& file, GivenValues& values, Complaints& complaints) {
  auto entries = read_entries(file);
  if (!entries) {
    complaints.push_back({{}, entries.error().public_text});
    return;
  }
  for (auto& entry : *entries) {
    if (find_key(entry.key) == nullptr && find_domain_key(entry.key) == nullptr) {
      complain(complaints, file, entry.key, "unknown key");
    } else if (values.contains(entry.key)) {
      complain(complaints, file, entry.key, "given twice");
    } else {
      values[entry.key] = {std::move(entry.value), file};
    }
  }
}

void add_environment(const std::vector<std::string>& environment, GivenValues& values, Complaints& complaints) {
  for (const auto& variable : environment) {
    if (!variable.starts_with(environment_prefix)) continue;
    const auto equals = variable.find('=');
    const std::string name = variable.substr(0, equals);
    const auto& keys = setting_keys();
    const auto key =
        std::find_if(keys.begin(), keys.end(), [&](const SettingKey& row) { return row.environment_name() == name; });
    if (key == keys.end()) {
      complain(complaints, "environment", name, "unknown key");
    } else {
      values[key->name] = {variable.substr(equals + 1), "environment"};
    }
  }
}

void add_command_line(const std::vector<std::pair<std::string, std::string>>& options, GivenValues& values,
                      Complaints& complaints) {
  GivenValues seen;
  for (const auto& [name, value] : options) {
    if (find_key(name) == nullptr) {
      complain(complaints, "command line", name, "unknown key");
    } else if (!seen.emplace(name, Given{value, "command line"}).second) {
      complain(complaints, "command line", name, "given twice");
    }
  }
  for (auto& [name, given] : seen) values[name] = std::move(given);
}

std::string source_of(const GivenValues& values, const std::string& key) {
  const auto found = values.find(key);
  return found == values.end() ? "defaults" : found->second.source;
}

/// What a key alone cannot tell.
void check_together(const Settings& settings, const GivenValues& values, Complaints& complaints) {
  const auto complain_of = [&](const char* key, const std::string& reason) {
    complain(complaints, source_of(values, key), key, reason);
  };
  if (settings.tls.certificate.empty() != settings.tls.private_key.empty()) {
    complain_of("tls.certificate", "tls.certificate and tls.private_key belong together");
  }
  if (!settings.delivery.username.empty() && settings.delivery.password_file.empty()) {
    complain_of("delivery.username", "needs delivery.password_file");
  }
  struct SecretFile {
    const char* key;
    const std::string& path;
    mode_t forbidden;
  };
  for (const auto& file : {SecretFile{"tls.private_key", settings.tls.private_key, 07},
                           SecretFile{"redis.password_file", settings.redis.password_file, 077},
                           SecretFile{"delivery.password_file", settings.delivery.password_file, 077}}) {
    if (file.path.empty()) continue;
    if (auto mode = check_mode(file.path, file.forbidden, "others may not read it (chmod 600)"); !mode) {
      complain_of(file.key, mode.error().public_text);
    }
  }
}

void derive(LoadedSettings& loaded) {
  Settings& settings = loaded.settings;
  if (settings.keys.master_key_file.empty()) settings.keys.master_key_file = settings.relay.state_dir + "/master.key";
  if (settings.notify.from_address.empty()) {
    settings.notify.from_name = "Sealpost";
    settings.notify.from_address = "postmaster@" + settings.relay.hostname;
  }
  for (auto& [key, value] : loaded.effective) {
    if (key == "keys.master_key_file") value = settings.keys.master_key_file;
    if (key == "notify.from" && value.empty()) {
      value = settings.notify.from_name + " <" + settings.notify.from_address + ">";
    }
  }
}

/// `seen` holds the keys of before, with their domain in A-labels.
Status apply_domain_key(const DomainKey& key, const std::string& name, const std::string& value,
                        std::set<std::string>& seen, Settings& settings) {
  const std::size_t around = key.section.size() + key.name.size() + 1;
  const std::string domain = name.substr(key.section.size(), name.size() - around);
  auto parsed = DomainName::parse(domain);
  if (!parsed) return Error::invalid("not a domain: " + domain);
  if (!seen.insert(key.section + parsed->a_label() + "." + key.name).second) {
    return Error::invalid("given twice, in two spellings");
  }
  return key.apply(settings, parsed->a_label(), value);
}

/// A key whose value is bad stands at its default, so that the rest can be judged.
void apply_all(const GivenValues& values, LoadedSettings& loaded, Complaints& complaints) {
  for (const auto& key : setting_keys()) {
    const auto given = values.find(key.name);
    const std::string& text = given == values.end() ? key.default_value : given->second.value;
    loaded.effective.emplace_back(key.name, text);
    auto applied = key.apply(loaded.settings, text);
    if (applied) continue;
    complain(complaints, source_of(values, key.name), key.name, applied.error().public_text);
    // A default that does not apply either was complained about just now.
    if (given != values.end()) applied = key.apply(loaded.settings, key.default_value);
  }
  std::set<std::string> seen;
  for (const auto& [name, given] : values) {
    const DomainKey* key = find_domain_key(name);
    if (key == nullptr) continue;
    loaded.effective.emplace_back(name, given.value);
    if (auto applied = apply_domain_key(*key, name, given.value, seen, loaded.settings); !applied) {
      complain(complaints, given.source, name, applied.error().public_text);
    }
  }
}

}  // namespace

std::string settings_file(const std::string& named) {
  const std::string usual = "/etc/sealpost/sealpost.conf";
  return named.empty() && access(usual.c_str(), F_OK) == 0 ? usual : named;
}

std::vector<std::string> process_environment() {
  std::vector<std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) variables.emplace_back(*entry);
  return variables;
}

SettingsReport examine_settings(const SettingsSource& source) {
  GivenValues values;
  SettingsReport report;
  if (!source.file.empty()) add_file(source.file, values, report.complaints);
  add_environment(source.environment, values, report.complaints);
  add_command_line(source.command_line, values, report.complaints);
  apply_all(values, report.loaded, report.complaints);
  derive(report.loaded);
  check_together(report.loaded.settings, values, report.complaints);
  return report;
}

Result<LoadedSettings> load_settings(const SettingsSource& source) {
  auto report = examine_settings(source);
  if (!report.complaints.empty()) return Error::invalid(report.complaints.front().text);
  return std::move(report.loaded);
}

std::string print_settings(const LoadedSettings& loaded) {
  std::map<std::string, std::vector<std::pair<std::string, std::string>>> sections;
  std::vector<std::string> order;
  for (const auto& [name, value] : loaded.effective) {
    const auto dot = name.rfind('.');
    const std::string section = name.substr(0, dot);
    if (!sections.contains(section)) order.push_back(section);
    sections[section].emplace_back(name.substr(dot + 1), value);
  }
  std::ostringstream out;
  for (const auto& section : order) {
    out << '[' << section << "]\n";
    for (const auto& [key, value] : sections[section]) {
      const bool quote = value.find('#') != std::string::npos;
      out << key << " = " << (quote ? "\"" + value + "\"" : value) << '\n';
    }
    out << '\n';
  }
  return out.str();
}

Result<Secret> read_secret_file(const std::string& path) {
  if (auto mode = check_mode(path, 077, "others may not read it (chmod 600)"); !mode) return mode.error();
  std::ifstream file(path, std::ios::binary);
  WipedBuffer content((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  while (!content.empty() && (content.back() == '\n' || content.back() == '\r')) content.pop_back();
  if (content.empty()) return Error::invalid(path + ": empty or not readable");
  return Secret(std::move(content));
}

Result<redis::Endpoint> redis_endpoint(const Settings& settings) {
  redis::Endpoint endpoint;
  const RedisUrl& url = settings.redis.url;
  if (url.embedded()) {
    endpoint.unix_path = settings.relay.state_dir + "/redis.sock";
    return endpoint;
  }
  endpoint.unix_path = url.unix_path;
  endpoint.host = url.host;
  endpoint.port = url.port;
  endpoint.database = url.database;
  endpoint.username = settings.redis.username;
  if (settings.redis.password_file.empty()) return endpoint;
  auto password = read_secret_file(settings.redis.password_file);
  if (!password) return password.error();
  endpoint.password = std::move(*password);
  return endpoint;
}

}  // namespace sealpost
