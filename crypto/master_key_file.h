// SPDX-License-Identifier: Apache-2.0
// Reads and writes a file that only its owner may see, durably. What stands in it is the caller's business.
#pragma once

#include <string>

#include "base/result.h"
#include "base/secret.h"

namespace sealpost {

/// NotFound when there is none; Invalid with the reason when it is no plain file, not ours (root may read everybody's),
/// or open to group or others.
Result<Secret> read_private_file(const std::string& path);
/// Makes the file with mode 0600; whole and on disk when this returns. Invalid when there is one already.
Status create_private_file(const std::string& path, const Secret& content);
/// Takes back what create_private_file made.
void remove_private_file(const std::string& path);

}  // namespace sealpost
