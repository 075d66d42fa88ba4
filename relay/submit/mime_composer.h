// SPDX-License-Identifier: Apache-2.0
// Writes a Composition as a message: RFC 5322 header fields and MIME parts (RFC 2045 to 2047, 2231, 2387).
#pragma once

#include <cstddef>

#include "base/secret.h"
#include "relay/submit/composition.h"

namespace sealpost::submit {

/// What the text and the attachments come to as they are encoded at least, in octets.
std::size_t least_size(const Composition& composition);
/// Header block, empty line, body; CRLF throughout. Without Message-ID and Date, which the intake adds, and without
/// Bcc. The same composition gives the same octets.
WipedBuffer compose(const Composition& composition);

}  // namespace sealpost::submit
