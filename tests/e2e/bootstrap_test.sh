#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# conf/bootstrap.sh among stand-ins for Debian's tools and npm: it says what it installs, installs only what is missing, does nothing the second time,
# and is the same to root and to a user with sudo: bootstrap_test.sh
set -euo pipefail
cd "$(dirname "$0")/../.."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
fail() {
  echo "FAILED: $*" >&2
  exit 1
}

# What is installed stands in a file; every call is written down.
export INSTALLED=$dir/installed CALLS=$dir/calls USER_ID=0 POLICY=$dir/policy-rc.d
stand_in() {
  printf '#!/usr/bin/env bash\n%s\n' "$2" >"$dir/bin/$1"
  chmod +x "$dir/bin/$1"
}
mkdir "$dir/bin"
stand_in dpkg-query 'if grep -qxF -- "${!#}" "$INSTALLED"; then printf "install ok installed"; else exit 1; fi'
stand_in id 'echo "$USER_ID"'
# sudo keeps no variables of its caller; these are the test's.
stand_in sudo 'echo "sudo" >>"$CALLS"; exec env -i PATH="$PATH" INSTALLED="$INSTALLED" CALLS="$CALLS" "$@"'
stand_in apt-get '
code=0; if [ -x "$POLICY" ]; then "$POLICY" || code=$?; fi
echo "apt-get $DEBIAN_FRONTEND $code $*" >>"$CALLS"
if [ "$1" = install ]; then shift; for word in "$@"; do [ "${word#-}" != "$word" ] || echo "$word" >>"$INSTALLED"; done; fi'
stand_in npm '
echo "npm $*" >>"$CALLS"
while [ $# -gt 0 ]; do [ "$1" != --prefix ] || mkdir -p "$2/node_modules"; shift; done'
mkdir -p "$dir/tree/conf" "$dir/tree/tests/browser" "$dir/tree/queue/dashboard"
cp conf/bootstrap.sh "$dir/tree/conf"
cp tests/browser/package*.json "$dir/tree/tests/browser"
cp queue/dashboard/package*.json "$dir/tree/queue/dashboard"
bootstrap() { PATH=$dir/bin:$PATH "$dir/tree/conf/bootstrap.sh" "$@" 2>"$dir/said"; }
start_with() {
  printf '%s\n' "$@" >"$INSTALLED"
  : >"$CALLS"
}
calls() { cat "$CALLS"; }

start_with g++ cmake pkg-config libssl-dev libpoco-dev libhiredis-dev libboost-program-options-dev libidn2-dev libunbound-dev prometheus-cpp-dev redis-server openssl curl ca-certificates
bootstrap
grep -qxF 'Installing: ninja-build libmsgpack-cxx-dev' "$dir/said" || fail "said: $(cat "$dir/said")"
expected='apt-get noninteractive 101 update -qq
apt-get noninteractive 101 install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 ninja-build libmsgpack-cxx-dev
npm ci --prefix '$dir'/tree/conf/../queue/dashboard --ignore-scripts --no-audit --no-fund --loglevel error'
grep -qxF 'Installing from npm: uplot' "$dir/said" || fail "said: $(cat "$dir/said")"
[ "$(calls)" = "$expected" ] || fail "called: $(calls)"

: >"$CALLS"
bootstrap
[ -z "$(calls)$(cat "$dir/said")" ] || fail "the second time: $(calls) $(cat "$dir/said")"

bootstrap --tests
grep -q '^Installing: .*libgtest-dev' "$dir/said" || fail "--tests said: $(cat "$dir/said")"
if grep -qw 'ninja-build\|curl' "$dir/said"; then fail "--tests installs what is there: $(cat "$dir/said")"; fi
grep -q '^Installing from npm: playwright-core axe-core$' "$dir/said" || fail "--tests said: $(cat "$dir/said")"
[ "$(grep -c '^npm ci ' "$CALLS")" = 1 ] || fail "--tests called: $(calls)"
: >"$CALLS"
bootstrap --tests
[ -z "$(calls)$(cat "$dir/said")" ] || fail "--tests the second time: $(calls) $(cat "$dir/said")"
echo >>"$dir/tree/tests/browser/package-lock.json"
bootstrap --tests
[ "$(grep -c '^npm ci ' "$CALLS")" = 1 ] || fail "with other versions: $(calls)"

start_with nothing
USER_ID=1000 bootstrap
[ "$(grep -c sudo "$CALLS")" = 1 ] || fail "as a user: $(calls)"
grep -q '^apt-get noninteractive 101 install .*redis-server' "$CALLS" || fail "as a user: $(calls)"

# No service starts meanwhile (the calls above say 101), afterwards as ever; what the machine's owner says about it stays.
[ ! -e "$POLICY" ] || fail "policy-rc.d is left behind"
printf '#!/bin/sh\nexit 0\n' >"$POLICY"
chmod +x "$POLICY"
start_with nothing
bootstrap
grep -q '^apt-get noninteractive 0 install' "$CALLS" || fail "the owner's policy is replaced: $(calls)"
grep -q 'exit 0' "$POLICY" || fail "the owner's policy is gone"
rm "$POLICY"

# What is written down of each package's state must be exactly this: a removed one counts as missing.
stand_in dpkg-query 'printf "deinstall ok config-files"'
: >"$CALLS"
bootstrap
grep -q 'install .* g++ ' "$CALLS" || fail "a removed package: $(calls)"
