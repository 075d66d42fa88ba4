// SPDX-License-Identifier: Apache-2.0
// How a key file is imported, program by program: those of the reader's platform first and open, the others folded.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "notify/platform.h"
#include "notify/templates.h"

namespace sealpost {

/// A section of HTML. `filename`: of the key file.
Result<std::string> import_guide(const Wording& wording, Platform platform, std::string_view filename);

}  // namespace sealpost
