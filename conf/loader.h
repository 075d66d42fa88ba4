// SPDX-License-Identifier: Apache-2.0
// Loads the settings: defaults, then the file, then the environment, then the command line; checks each value and what
// they mean together.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/redis/client.h"
#include "base/result.h"
#include "conf/settings.h"

namespace sealpost {

struct SettingsSource {
  std::string file;                                               ///< empty: no file
  std::vector<std::pair<std::string, std::string>> command_line;  ///< "section.key" and value
  std::vector<std::string> environment;                           ///< "NAME=value"
};

struct LoadedSettings {
  Settings settings;
  std::vector<std::pair<std::string, std::string>> effective;  ///< every key as it would be written
};

struct SettingsComplaint {
  std::string key;   ///< as its source has it; empty when the file as a whole cannot be used
  std::string text;  ///< source, key and reason
};

struct SettingsReport {
  LoadedSettings loaded;  ///< a key that was complained about stands at its default
  std::vector<SettingsComplaint> complaints;
};

/// The file that --config names; without one /etc/sealpost/sealpost.conf when it is there, else none.
std::string settings_file(const std::string& named);

/// The environment of this process, for SettingsSource.
std::vector<std::string> process_environment();

/// All that is wrong, not only the first of it.
SettingsReport examine_settings(const SettingsSource& source);
/// Invalid names source, key and reason (exit 78): unknown or repeated keys, bad values, files with wrong modes.
Result<LoadedSettings> load_settings(const SettingsSource& source);

/// The effective settings as a file that load_settings reads back. Secrets stand in files of their own, never in a
/// value.
std::string print_settings(const LoadedSettings& loaded);

/// Where Redis is: the embedded one's socket, or what redis.url says, with the password from its file.
Result<redis::Endpoint> redis_endpoint(const Settings& settings);

/// The content of a file that holds one secret; Invalid when it is readable by others, empty, or cannot be read.
Result<Secret> read_secret_file(const std::string& path);

}  // namespace sealpost
