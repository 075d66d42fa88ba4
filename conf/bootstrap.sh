#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages that are missing: those to build and run Sealpost, with --tests also those that the tests use.
# May be run again at any time; says what it installs.
set -euo pipefail

build=(g++ cmake ninja-build pkg-config libssl-dev libpoco-dev libhiredis-dev libboost-program-options-dev libidn2-dev
       libmsgpack-cxx-dev libunbound-dev redis-server openssl curl ca-certificates)
tests=(libgtest-dev libgmock-dev gpg gpgsm gnupg-agent libnss3-tools python3 python3-aiosmtpd nsd
       postfix dovecot-lmtpd chromium chromium-driver python3-selenium git clang-format clang-tidy
       libemail-mime-perl libmime-tools-perl nodejs python3-jsonschema)

packages=("${build[@]}")
if [ "${1:-}" = --tests ]; then packages+=("${tests[@]}"); fi

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then exit 0; fi

echo "Installing: ${missing[*]}" >&2
# A package that brings a service (redis-server; for the tests nsd, postfix, dovecot) must not start it: Sealpost runs private ones. Debian
# asks policy-rc.d before it starts any; one that is there already is its owner's. sudo passes no variables on.
install='
if [ ! -e "$POLICY" ]; then
  trap "rm -f \"$POLICY\"" EXIT
  printf "#!/bin/sh\nexit 101\n" >"$POLICY"
  chmod 755 "$POLICY"
fi
apt-get update -qq
apt-get install -y -qq --no-install-recommends "$@" >&2'
run=(env DEBIAN_FRONTEND=noninteractive POLICY="${POLICY:-/usr/sbin/policy-rc.d}" sh -ec "$install" sh)
if [ "$(id -u)" -ne 0 ]; then run=(sudo "${run[@]}"); fi
"${run[@]}" "${missing[@]}"
