#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing, builds, and starts a relay on its embedded defaults with a demo account; prints how to send a first message
# and to read it. Ctrl-C stops the relay.
#   DEMO_DIR    where everything that it makes stands (build/demo)
#   DEMO_PORTS  ports for SMTP, SMTP over TLS and HTTP ("2587 2465 8080")
#   DEMO_BIN    programs that are built already; nothing is installed or built then
set -euo pipefail
cd "$(dirname "$0")/.."
source=$PWD
dir=${DEMO_DIR:-$source/build/demo}
bin=${DEMO_BIN:-$source/build/bin}
read -r smtp smtps http <<<"${DEMO_PORTS:-2587 2465 8080}"

if [ -z "${DEMO_BIN:-}" ]; then
  conf/bootstrap.sh
  # A build folder that was made by hand keeps its generator.
  CMAKE_GENERATOR=Ninja cmake -S . -B build -DCMAKE_BUILD_TYPE=Release >/dev/null
  cmake --build build --target sealpostd sealpostctl
fi

umask 077
mkdir -p "$dir"
chmod 700 "$dir"
config=$dir/sealpost.conf
cat >"$config" <<CONF
[relay]
hostname = relay.example.com
state_dir = $dir/state
[smtp]
listen = 127.0.0.1:$smtp
listen_tls = 127.0.0.1:$smtps
[http]
listen = 127.0.0.1:$http
public_url = http://127.0.0.1:$http
[delivery]
route = maildir:$dir/mail
CONF

: >"$dir/log"  # here, not behind the &: an earlier run's "ready" must not be read
"$bin/sealpostd" --config "$config" 2>>"$dir/log" &
relay=$!
trap 'kill "$relay" 2>/dev/null; wait "$relay" 2>/dev/null || true' EXIT
until grep -q ' ready ' "$dir/log"; do
  kill -0 "$relay" 2>/dev/null || {
    cat "$dir/log" >&2
    echo "The relay did not start. If a port is taken, name three others in DEMO_PORTS." >&2
    exit 1
  }
  sleep 0.2
done

ctl=("$bin/sealpostctl" --config "$config")
# Written last: without it the account may be missing, or have a password that nobody knows.
if [ ! -f "$dir/netrc" ]; then
  "${ctl[@]}" account remove demo >/dev/null 2>&1 || true
  openssl rand -hex 16 >"$dir/password"
  "${ctl[@]}" account add demo --send-as @example.com --admin --password-stdin <"$dir/password" >&2
  # curl reads it from here: what stands in its arguments, everybody on this machine can see.
  echo "machine 127.0.0.1 login demo password $(cat "$dir/password")" >"$dir/netrc.new"
  mv "$dir/netrc.new" "$dir/netrc"
fi

# As the shell wants them: the path may hold blanks.
printf -v d %q "$dir"
printf -v pickup %q "$source/conf/pickup.sh"
printf -v operate '%q ' "${ctl[@]}"

cat <<TEXT

The relay runs (process $relay, log in $dir/log). In another terminal:

1. Send a first message, in plain text, to somebody who has no key:

   printf 'From: alice@example.com\r\nTo: bob@example.net\r\nSubject: Offer\r\n\r\nThe price is 42.\r\n' |
     curl -sS --ssl-reqd -k smtp://127.0.0.1:$smtp --netrc-file $d/netrc \\
       --mail-from alice@example.com --mail-rcpt bob@example.net -T -

2. See what arrived: the encrypted mail, and the notification with link and code:

   ls $d/mail/bob@example.net/new
   cat $d/mail/bob@example.net/new/*

3. Pick the key up as bob: open the link in a browser, or

   $pickup $d/mail/bob@example.net/new $d/bob

4. Read the mail:

   openssl cms -decrypt -recip $d/bob.pem -inkey $d/bob.pem \\
     -in "\$(grep -l smime-type $d/mail/bob@example.net/new/* | tail -n 1)"

5. Look at it as the operator:

   ${operate}queue summary
   ${operate}queue list
   ${operate}key show bob@example.net
   ${operate}check

The last one finds fault with the demo's self-signed certificate (tls) and made-up host name (dns), and ends with 1. That is expected here;
a relay in service has a certificate and a name of its own.

Ctrl-C stops the relay.
TEXT
wait "$relay"
