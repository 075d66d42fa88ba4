// SPDX-License-Identifier: Apache-2.0
// Reads the folder of notify.templates: every file below it, by its path from there.
#pragma once

#include <string>

#include "base/result.h"
#include "notify/languages.h"

namespace sealpost {

/// Nothing for an empty path. Invalid for a folder that cannot be read, a file over 1 MiB, or more than 200 of them.
Result<NamedFiles> read_operator_folder(const std::string& path);

}  // namespace sealpost
