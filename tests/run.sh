#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing, builds, and runs every test: tests/run.sh [PRESET] [ctest options]. PRESET: release (default), debug, asan-ubsan, tsan.
# BUILD_DIR moves the build directory elsewhere.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=release
case "${1:-}" in release | debug | asan-ubsan | tsan) preset=$1; shift ;; esac
build=${BUILD_DIR:-$PWD/build}/$preset

conf/bootstrap.sh --tests
export PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH  # Debian's programs, not another set's python3 that may stand before them
options=()
if [ "$preset" = asan-ubsan ]; then  # it tests with the release's tests (tests/CMakeLists.txt)
  release=$(dirname "$build")/release
  cmake --preset release -B "$release" >/dev/null
  cmake --build "$release"
  options+=("-DSEALPOST_TEST_OBJECTS=$(realpath "$release")")
fi
cmake --preset "$preset" -B "$build" "${options[@]}" >/dev/null
cmake --build "$build"
eval "$(python3 - "$preset" "$PWD" <<'PY'
import json, shlex, sys
preset, source = sys.argv[1:]
for entry in json.load(open("CMakePresets.json"))["testPresets"]:
    if entry["name"] == preset:
        for name, value in entry.get("environment", {}).items():
            print("export", name + "=" + shlex.quote(value.replace("${sourceDir}", source)))
PY
)"
# Many tests wait for others most of the time: one more than there are processors.
exec ctest --test-dir "$build" --output-on-failure --parallel "$(($(nproc) + 1))" --no-tests=error "$@"
