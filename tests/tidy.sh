#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# clang-tidy over the sources: tests/tidy.sh [--changed]. --changed takes those of the last commit only.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${SEALPOST_BUILD_DIR:-$PWD/build}/release
cmake --preset release -B "$build" >/dev/null
cmake --build "$build" --target sealpost_notify sealpost_queue sealpost_crypto >/dev/null  # generated headers
if [ "${1:-}" = --changed ]; then
  files=$(git diff --name-only --diff-filter=d HEAD~1 -- 'base/*.cpp' 'conf/*.cpp' 'crypto/*.cpp' 'queue/*.cpp' 'notify/*.cpp' 'relay/*.cpp' 2>/dev/null || true)
else
  files=$(git ls-files -- 'base/*.cpp' 'conf/*.cpp' 'crypto/*.cpp' 'queue/*.cpp' 'notify/*.cpp' 'relay/*.cpp')
fi
[ -n "$files" ] || exit 0
printf '%s\n' $files | xargs -P "$(nproc)" -n 4 clang-tidy -p "$build" --quiet --extra-arg=-Wno-unknown-warning-option
