#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages that are missing: those to build and run Sealpost, with --tests also those that the tests use; and from npm what
# the build embeds (queue/dashboard/package-lock.json) and what drives the tests' browser (tests/browser/package-lock.json). May be run again at
# any time; says what it installs.
set -euo pipefail

build=(g++ cmake ninja-build pkg-config libssl-dev libpoco-dev libhiredis-dev libboost-program-options-dev libidn2-dev
       libmsgpack-cxx-dev libunbound-dev prometheus-cpp-dev redis-server openssl curl ca-certificates)
tests=(libgtest-dev libgmock-dev gpg gpgsm gnupg-agent libnss3-tools openjdk-17-jre-headless python3 python3-aiosmtpd nsd
       postfix dovecot-lmtpd chromium-headless-shell git clang-format clang-tidy
       libemail-mime-perl libmime-tools-perl nodejs python3-jsonschema prometheus)

packages=("${build[@]}")
if [ "${1:-}" = --tests ]; then
  packages+=("${tests[@]}")
fi
command -v npm >/dev/null || packages+=(npm)  # other packages of Node.js than Debian's bring it along

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' || missing+=("$package")
done

# A package that brings a service (redis-server; for the tests nsd, postfix, dovecot, prometheus) must not start it: Sealpost runs private ones. Debian
# asks policy-rc.d before it starts any; one that is there already is its owner's. sudo passes no variables on.
install='
if [ ! -e "$POLICY" ]; then
  trap "rm -f \"$POLICY\"" EXIT
  printf "#!/bin/sh\nexit 101\n" >"$POLICY"
  chmod 755 "$POLICY"
fi
apt-get update -qq
apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 "$@" >&2'
run=(env DEBIAN_FRONTEND=noninteractive POLICY="${POLICY:-/usr/sbin/policy-rc.d}" sh -ec "$install" sh)
if [ "$(id -u)" -ne 0 ]; then run=(sudo "${run[@]}"); fi
if [ ${#missing[@]} -ne 0 ]; then
  echo "Installing: ${missing[*]}" >&2
  "${run[@]}" "${missing[@]}"
fi

# Exactly what the lock file says, checked by its digests; no package's own scripts are run.
from_npm() {
  local folder=$(dirname "$0")/../$1
  if cmp -s "$folder/package-lock.json" "$folder/node_modules/installed"; then return; fi
  echo "Installing from npm: $2" >&2
  npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund --loglevel error >&2
  cp "$folder/package-lock.json" "$folder/node_modules/installed"
}
from_npm queue/dashboard uplot
if [ "${1:-}" = --tests ]; then from_npm tests/browser "playwright-core axe-core"; fi
