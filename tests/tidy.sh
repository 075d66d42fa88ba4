#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# clang-tidy over the sources: tests/tidy.sh [--changed [COMMIT]]. --changed takes those that differ from COMMIT (the one before the last); a
# header stands for the sources of its folder that include it. Where history ends (first commit, shallow clone) that is everything.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${BUILD_DIR:-$PWD/build}/tidy
folders=(base conf crypto queue notify relay)

sources=("${folders[@]/%/\/*.cpp}")
since=${2:-HEAD~1}
if [ "${1:-}" = --changed ] && ! git rev-parse -q --verify "$since^{commit}" >/dev/null; then
  echo "There is no commit $since here, so that everything counts as changed." >&2
  since=
fi
if [ "${1:-}" = --changed ] && [ -n "$since" ]; then
  changed=$(git diff --name-only --diff-filter=d "$since" -- "${sources[@]}" "${folders[@]/%/\/*.h}")
  files=$(
    while IFS= read -r file; do
      case "$file" in
        *.cpp) echo "$file" ;;
        *.h) git grep -lF "\"$file\"" -- "${file%%/*}/*.cpp" || true ;;
      esac
    done <<<"$changed" | sort -u
  )
else
  files=$(git ls-files -- "${sources[@]}")
fi
[ -n "$files" ] || exit 0

# Each source's own command, and the headers that are generated; nothing is compiled.
cmake --preset debug -B "$build" >/dev/null
ninja -C "$build" -t targets all | sed -n 's/: CUSTOM_COMMAND$//p' | grep "^generated/" | xargs ninja -C "$build" >/dev/null
printf '%s\n' "$files" | xargs -P "$(nproc)" -n 1 clang-tidy -p "$build" --quiet --extra-arg=-Wno-unknown-warning-option
