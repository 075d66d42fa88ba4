// SPDX-License-Identifier: Apache-2.0
// The header block that leaves in clear around a sealed body, and the MIME entity that goes inside it.
#pragma once

#include <string_view>

#include "base/result.h"
#include "base/secret.h"
#include "crypto/submitted_message.h"

namespace sealpost {

/// Which fields stay outside.
enum class OuterFields {
  Sealed,        ///< all but the withheld ones; those of a CMS body follow behind
  PassedThrough  ///< MIME fields stay too, since the body stays
};

/// Header fields that the relay adds, complete with CRLF.
struct HeaderAdditions {
  std::string_view top;
  std::string_view bottom;
};

/// The outer block with CRLF line ends, without the empty line. Permanent when a line has more than 998 octets and no
/// white space to fold it at (RFC 5322 section 2.1.1).
Result<WipedBuffer> outer_header(const SubmittedMessage& message, OuterFields which, const HeaderAdditions& additions);

/// What stands before the body in the original MIME entity: its Content-* fields, byte for byte, Content-Type:
/// text/plain when it has none, and the empty line. The body itself is not copied.
WipedBuffer inner_header(const SubmittedMessage& message);

}  // namespace sealpost
