#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing, builds, and starts a relay on its embedded defaults with a demo account; prints how to send a first message
# and to read it. Everything it makes stands in one folder (SEALPOST_DEMO_DIR, else build/demo); Ctrl-C stops the relay.
set -euo pipefail
cd "$(dirname "$0")/.."
source=$PWD

conf/bootstrap.sh
cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release -DSEALPOST_TESTS=OFF >/dev/null
cmake --build build --target sealpostd sealpostctl

dir=${SEALPOST_DEMO_DIR:-$source/build/demo}
mkdir -p "$dir"
chmod 700 "$dir"
config=$dir/sealpost.conf
( umask 077; cat >"$config" <<CONF
[relay]
hostname = relay.example.com
state_dir = $dir/state
[smtp]
listen = 127.0.0.1:2587
listen_tls = 127.0.0.1:2465
[http]
listen = 127.0.0.1:8080
[delivery]
route = maildir:$dir/mail
CONF
)

build/bin/sealpostd --config "$config" 2>"$dir/log" &
relay=$!
trap 'kill "$relay" 2>/dev/null; wait "$relay" 2>/dev/null || true' EXIT
until grep -q ' ready ' "$dir/log"; do
  kill -0 "$relay" 2>/dev/null || { cat "$dir/log" >&2; exit 1; }
  sleep 0.2
done

ctl="$source/build/bin/sealpostctl --config $config"
if [ ! -f "$dir/password" ]; then
  ( umask 077; openssl rand -base64 18 >"$dir/password" )
  $ctl account add demo --send-as @example.com --admin --password-stdin <"$dir/password"
fi

cat <<TEXT

The relay runs (process $relay, log in $dir/log). In another terminal:

1. Send a first message, in plain text, to somebody who has no key:

   printf 'From: alice@example.com\r\nTo: bob@example.net\r\nSubject: Offer\r\n\r\nThe price is 42.\r\n' |
   curl -sS --ssl-reqd -k smtp://127.0.0.1:2587 --user "demo:\$(cat $dir/password)" \\
        --mail-from alice@example.com --mail-rcpt bob@example.net -T -

2. See what arrived: the sealed mail, and the notification with link and code:

   ls $dir/mail/bob@example.net/new
   cat $dir/mail/bob@example.net/new/*

3. Pick the key up as bob: open the link in a browser, or

   $source/conf/pickup.sh $dir/mail/bob@example.net/new $dir/bob

4. Read the mail:

   openssl cms -decrypt -in "\$(grep -l smime-type $dir/mail/bob@example.net/new/*)" -recip $dir/bob.pem -inkey $dir/bob.pem

5. Look at it as the operator:

   $ctl queue summary
   $ctl key show bob@example.net

Ctrl-C stops the relay.
TEXT
wait "$relay"
