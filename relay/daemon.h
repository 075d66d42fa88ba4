// SPDX-License-Identifier: Apache-2.0
// sealpostd as an object: puts all parts together, runs them until a signal comes, and takes them down in order.
#pragma once

#include "base/log.h"
#include "conf/loader.h"

namespace sealpost {

/// Runs until SIGTERM or SIGINT; SIGHUP reloads the TLS files. Returns an exit code of sysexits.h: 0 after an orderly
/// end, 78 when settings or files stop the start, 69 when Redis or a port cannot be had.
int run_daemon(const LoadedSettings& loaded, Log& log);

}  // namespace sealpost
