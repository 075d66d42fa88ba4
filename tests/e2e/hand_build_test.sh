#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The build by hand that the README tells: it configures where only the packages of conf/bootstrap.sh are installed, without those of --tests,
# while a preset insists on the tests: hand_build_test.sh
set -euo pipefail
cd "$(dirname "$0")/../.."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
fail() {
  echo "FAILED: $*" >&2
  exit 1
}

by_hand='cmake -S . -B build -DCMAKE_BUILD_TYPE=Release'
grep -qF -- "$by_hand" README.md || fail "the README no longer says: $by_hand"
# As on a machine without libgtest-dev.
${by_hand/-B build/-B "$dir/hand"} -DCMAKE_DISABLE_FIND_PACKAGE_GTest=TRUE >"$dir/log" 2>&1 || fail "$(cat "$dir/log")"
if cmake --preset release -B "$dir/preset" -DCMAKE_DISABLE_FIND_PACKAGE_GTest=TRUE >"$dir/log" 2>&1; then
  fail "the preset leaves the tests out"
fi
grep -q GTest "$dir/log" || fail "the preset fails for another reason: $(cat "$dir/log")"
