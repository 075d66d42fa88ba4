#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Follows a notification by the HTTP calls and leaves OUT.p12, OUT.password and OUT.pem: pickup.sh MAILDIR_NEW OUT
set -euo pipefail
if [ $# -ne 2 ]; then
  echo "Usage: $0 MAILDIR_NEW OUT" >&2
  exit 64
fi
new=$1
out=$2
umask 077
# The notification follows the mail by a moment.
for _ in $(seq 100); do
  notification=$(grep -ls '^Authentication code: ' "$new"/* | tail -n 1) || true
  [ -z "$notification" ] || break
  sleep 0.1
done
if [ -z "$notification" ]; then
  echo "$0: no notification in $new" >&2
  exit 1
fi
link=$(sed -n 's/^Link: \([^\r]*\)\r*$/\1/p' "$notification" | head -n 1)
code=$(sed -n 's/^Authentication code: \([^\r]*\)\r*$/\1/p' "$notification" | head -n 1)
api=${link%/pickup/*}/v1/pickup/${link##*/}
value() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }

session=$(printf '{"code":"%s"}' "$code" | curl -sSf "$api/session" -d @- | value session)
answer=$(printf 'header = "Authorization: Bearer %s"' "$session" | curl -sSf -K - "$api/pkcs12" -d '{"format":"compatible"}')
printf '%s' "$answer" | value pkcs12 | sed 's/\\//g' | base64 -d >"$out.p12"
printf '%s' "$answer" | value password >"$out.password"
openssl pkcs12 -in "$out.p12" -passin "file:$out.password" -nodes -clcerts -out "$out.pem"
echo "The key stands in $out.p12; its password in $out.password; both for openssl in $out.pem."
