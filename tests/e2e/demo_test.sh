#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A newcomer's first minutes: runs conf/demo.sh on programs that are built already, does word for word what it prints, and sees the original text
# come out. Then sees that the README tells the same walk, and that what else the README says to type is there: demo_test.sh BIN_DIR
set -euo pipefail
bin=$(cd "$1" && pwd)
cd "$(dirname "$0")/../.."
dir=$(mktemp -d)
# A clone whose path holds a blank.
source="$dir/a clone"
mkdir -p "$source/build"
cp -R conf "$source"
ln -s "$bin" "$source/build/bin"
demo="$source/build/demo"
demo_pid=
fail() {
  echo "FAILED: $*" >&2
  echo "--- the demo said:" >&2
  printf '%s\n' "${said:-nothing}" >&2
  exit 1
}
end() {
  if [ -n "$demo_pid" ]; then
    kill "$demo_pid" 2>/dev/null || true
    wait "$demo_pid" 2>/dev/null || true
  fi
  rm -rf "$dir"
}
trap end EXIT

ports=$(python3 - <<'PY'
import socket
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
print(*(s.getsockname()[1] for s in sockets))
PY
)

# The demo runs until it is ended: read what it prints up to its last line.
mkfifo "$dir/out"
start_demo() {
  DEMO_PORTS=$ports DEMO_BIN=$source/build/bin "$source/conf/demo.sh" >"$dir/out" 2>"$dir/err" &
  demo_pid=$!
  exec 3<"$dir/out"
  said=
  while true; do
    IFS= read -r -t 120 line <&3 || return 1
    said+=$line$'\n'
    if [ "$line" = "Ctrl-C stops the relay." ]; then return 0; fi
  done
}

# A first run whose account could not be made (here: no operator's tool) must not spoil the later ones.
rm "$source/build/bin"
mkdir "$source/build/bin"
ln -s "$bin/sealpostd" "$source/build/bin/sealpostd"
if start_demo; then fail "the demo goes on without its account"; fi
wait "$demo_pid" 2>/dev/null || true
ln -s "$bin/sealpostctl" "$source/build/bin/sealpostctl"
start_demo || fail "the demo ended or hangs: $(cat "$dir/err")"

# The commands of a numbered step: its lines that are indented.
step() { awk -v step="$1." '/^[0-9]\./ { on = $1 == step } on && /^   / { sub(/^   /, ""); print }' <<<"$said"; }
follow() {
  commands=$(step "$1")
  [ -n "$commands" ] || fail "step $1 holds no commands"
  bash -euo pipefail -c "$commands" 2>&1 || fail "step $1 ended with $?: $commands"
}
holds() { grep -qF -- "$2" <<<"$1" || fail "no '$2' in: $1"; }

holds "$(follow 1; echo sent)" sent
# The relay logs what it delivers: the mail and its notification. tail ends with this script.
# Not -q, which ends with the first.
timeout 60 grep -m 2 'delivery.attempt .*outcome=delivered' <(tail --pid=$$ -n +1 -f "$demo/log") >"$dir/delivered" || true
[ "$(wc -l <"$dir/delivered")" = 2 ] || fail "mail and notification were not both delivered"
arrived=$(follow 2)
holds "$arrived" "Authentication code: "
holds "$arrived" "smime-type=enveloped-data"
if grep -qF "The price is 42." <<<"$arrived"; then fail "the text arrived in clear"; fi
holds "$(follow 3)" "The key stands in"
holds "$(follow 4)" "The price is 42."
# The doctor is right to find fault with a demo (self-signed certificate, a name that does not exist), so step 5 may end with 1.
operator=$(step 5)
shown=$(bash -c "$operator" 2>&1) || true
holds "$shown" "delivered: "
holds "$shown" "fingerprint: "
holds "$shown" "tls: the certificate is self-signed"
holds "$said" "finds fault with the demo's self-signed certificate (tls) and made-up host name (dns), and ends with 1"
grep -qF "finds fault with the demo's self-signed certificate (tls) and made-up host name (dns), and ends with 1" README.md ||
  fail "the README does not say what check finds in the demo"

# The README's walk is what was just run, at the demo's default places.
read -r smtp smtps http <<<"$ports"
walk=$(step 1; step 2; step 3; step 4; step 5)
walk=${walk//"$(printf %q "$source/")"/}
walk=${walk//":$smtp"/:2587}
while IFS= read -r line; do
  grep -qxF -- "    $line" README.md || fail "the README's walk lacks this line of the demo's: $line"
done <<<"$walk"

# What else the README says to type: programs and files exist, and sealpostctl's commands run on the demo's relay.
grep -oE '(conf|tests|docs)/[a-z_/]+\.(sh|conf|md|service|supp)|\.ci/run' README.md | sort -u | while IFS= read -r file; do
  [ -e "$file" ] || { echo "the README names $file, which is not there" >&2; exit 1; }
done || fail "a file is missing"
ran=0
while IFS= read -r command; do
  command=${command%%#*}
  command=${command/"sealpostctl --config /etc/sealpost/sealpost.conf"/"$bin/sealpostctl --config '$demo/sealpost.conf'"}
  command=${command/"account add"/"account add --password-stdin"}
  status=0
  output=$(printf 'a-long-password\n' | bash -c "$command" 2>&1) || status=$?
  # check ends with 1 when it finds something; everything else must succeed.
  case "$command" in *" check"*) expected='[01]' ;; *) expected=0 ;; esac
  [[ $status =~ ^$expected$ ]] || fail "README: $command ended with $status: $output"
  ran=$((ran + 1))
done < <(grep -E '^    sealpostctl ' README.md)
[ "$ran" -ge 5 ] || fail "only $ran commands of sealpostctl were found in the README"

# Ending the demo ends the relay and its redis-server.
relay=$(sed -n 's/^The relay runs (process \([0-9]*\),.*/\1/p' <<<"$said")
kill "$demo_pid"
wait "$demo_pid" 2>/dev/null || true
demo_pid=
if kill -0 "$relay" 2>/dev/null; then fail "the relay still runs"; fi
if [ -S "$demo/state/redis.sock" ]; then fail "its Redis still runs"; fi
grep -q ' stopped' "$demo/log" || fail "the relay did not end in order: $(cat "$demo/log")"
echo "The walk leads to the original text."
