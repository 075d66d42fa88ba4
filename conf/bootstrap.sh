#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages that are missing: those to build and run Sealpost, with --tests also those that the tests use.
# May be run again at any time; says what it installs.
set -euo pipefail

build=(g++ cmake ninja-build pkg-config libssl-dev libpoco-dev libhiredis-dev libboost-program-options-dev libidn2-dev
       libmsgpack-cxx-dev libunbound-dev redis-server openssl curl ca-certificates)
tests=(libgtest-dev libgmock-dev gpg gpgsm gnupg-agent libnss3-tools python3 python3-aiosmtpd nsd
       chromium chromium-driver python3-selenium git clang-format clang-tidy)

packages=("${build[@]}")
if [ "${1:-}" = --tests ]; then packages+=("${tests[@]}"); fi

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then exit 0; fi

echo "Installing: ${missing[*]}" >&2
# A package that starts a service on installation (redis-server) must not: Sealpost runs a private one. sudo passes no variables on.
run=(env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1)
if [ "$(id -u)" -ne 0 ]; then run=(sudo "${run[@]}"); fi
"${run[@]}" apt-get update -qq
"${run[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
