# shellcheck shell=bash
# What the run scripts share. A script sets `suite`, its name for people, and sources this file; it then gets
#   $workspace, $interop     the folders of the workspace and of the interop suites
#   $work                    a scratch folder of this run, which goes away with it
#   the functions below, of which it needs: need, need_chromium, prepare, install_npm, install_python, drive, bounded, fail
# Exit codes of a suite: 0 all well, 1 something is not as it should be, 4 a tool is missing.
# Exit codes of a driver: 0, 1, and 3: the client lost a key by a flaw of its own, which says nothing about the server.
# Bash ignores `set -e` in what an `||` or `if` calls, so that these functions say of each step by themselves that it failed.
set -euo pipefail

interop=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
workspace=$(dirname "$interop")
target=${CARGO_TARGET_DIR:-$workspace/target}
: "${suite:?the script that sources lib.sh names itself first}"

work=$(mktemp -d)
server=
settings=
trap 'end_server; rm -rf "$work"' EXIT

EXIT_LOST_KEY=3
EXIT_NO_TOOL=4

# The server of a run that failed goes at once and without a word.
end_server() {
  [ -n "$server" ] || return 0
  kill -9 "$server" 2>/dev/null || true
  wait "$server" 2>/dev/null || true
}

complain() { echo "$suite: $*" >&2; }

fail() {
  complain "$*"
  exit 1
}

# need TOOL WHICH: ends the suite when there is no such command; WHICH says what is needed.
need() {
  command -v "$1" >/dev/null && return
  complain "$1 is not installed ($2 is needed)"
  exit "$EXIT_NO_TOOL"
}

# need_chromium: sets CHROMIUM to the browser; whoever may install it and lacks it does so.
need_chromium() {
  CHROMIUM=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || true)}
  if [ -z "$CHROMIUM" ] && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    echo "$suite: installing chromium"
    DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=600 install chromium >"$work/apt" 2>&1 ||
      tail -n 5 "$work/apt" >&2
    CHROMIUM=$(command -v chromium || true)
  fi
  [ -n "$CHROMIUM" ] || need chromium 'a browser: apt-get install chromium, or the path of one in CHROMIUM,'
  export CHROMIUM
}

# find_dayfly [PATH]: sets $dayfly to the binary at PATH, or to the release build of the workspace, made if needed.
find_dayfly() {
  if [ $# -gt 0 ]; then
    dayfly=$(realpath "$1")
    [ -x "$dayfly" ] || fail "$1 is no program"
  else
    (cd "$workspace" && cargo build --quiet --release --package dayfly)
    dayfly=$target/release/dayfly
  fi
}

# prepare [PATH-TO-DAYFLY]: what every suite begins with.
prepare() {
  need node 'node 20 or later, which reads the event log,'
  find_dayfly "$@"
  node --test --test-reporter=dot "$interop/check.test.mjs" || fail 'the check of event logs is broken'
}

# install_npm FOLDER: what the lock file of FOLDER pins, kept while that is the same. No install scripts: nothing here needs
# compiled parts.
install_npm() {
  local stamp=$1/node_modules/installed-from.json
  cmp -s "$1/package-lock.json" "$stamp" && return
  (cd "$1" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
  cp "$1/package-lock.json" "$stamp"
}

# install_python FOLDER: sets $venv to one with what the requirements.txt of FOLDER pins, kept while that is the same.
install_python() {
  local requirements=$1/requirements.txt
  venv=$target/interop/$(basename "$1")
  cmp -s "$requirements" "$venv/requirements.txt" && return
  rm -rf "$venv"
  python3 -m venv "$venv" || return 1
  "$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r "$requirements" || return 1
  cp "$requirements" "$venv/requirements.txt"
}

# listens FOLDER: waits up to 10 s until the server that writes to FOLDER/out says where it listens, and sets $address: the
# first HOST:PORT of its output.
listens() {
  for _ in $(seq 200); do
    address=$(grep -shoE '127\.0\.0\.1:[1-9][0-9]*' "$1/out" | head -n 1 || true)
    [ -n "$address" ] && return
    kill -0 "$server" 2>/dev/null || break
    sleep 0.05
  done
  complain 'the server did not start:'
  cat "$1/out" "$1/err" >&2
  return 1
}

# start FOLDER [OPTION...]: starts a fresh `dayfly serve` in the new FOLDER, with a home of its own for the sealing key, and with
# the settings of the file $settings if a suite has any.
# Sets $address to where it listens and $events to its event log.
start() {
  local folder=$1
  shift
  mkdir "$folder" || return 1
  events=$folder/events.jsonl
  env -u XDG_CONFIG_HOME HOME="$folder/home" "$dayfly" serve --listen 127.0.0.1:0 --data-dir "$folder/data" \
    --event-log "$events" ${settings:+--config "$settings"} "$@" >"$folder/out" 2>"$folder/err" </dev/null &
  server=$!
  listens "$folder"
}

# Asks the server to stop and demands that it does so within 15 s, with exit code 0.
stop() {
  local code=0
  kill "$server" 2>/dev/null || true
  for _ in $(seq 150); do
    kill -0 "$server" 2>/dev/null || break
    sleep 0.1
  done
  if kill -0 "$server" 2>/dev/null; then
    complain 'the server did not stop within 15 s of SIGTERM'
    return 1
  fi
  wait "$server" || code=$?
  server=
  [ "$code" -eq 0 ] && return
  complain "the server ended with exit code $code"
  return 1
}

# what_the_server_said FOLDER
what_the_server_said() {
  complain 'the server said:'
  tail -n 50 "$1/err" "$1/events.jsonl" >&2 || true
}

# bounded COMMAND...: runs it, for 90 s at most; the drivers end by themselves after 60.
bounded() {
  local code=0
  timeout --kill-after=5 90 "$@" || code=$?
  case $code in # 124: TERM ended it, 137: only KILL did
    124 | 137) complain "$(basename "$1") was stopped: it did not end within 90 s" ;;
  esac
  return "$code"
}

# check LOG STORY [OPTION...]: compares an event log with what should have happened (see check.mjs).
check() { node "$interop/check.mjs" "$@"; }

# drive_once FOLDER STORY TRANSPORT ALLOW COMMAND...: one whole run. A fresh server in FOLDER with --allow ALLOW ('' for none),
# then COMMAND ADDRESS PUBLIC-KEY TRANSPORT, which must succeed, then the event log, which must tell STORY.
drive_once() {
  local folder=$1 story=$2 transport=$3 allow=$4 code=0
  shift 4
  start "$folder" ${allow:+--allow "$allow"} || return 1
  echo "$suite: $transport, against $address${allow:+ with --allow $allow}"
  "$@" "$address" "$folder/data/server.pub.pem" "$transport" || code=$?
  if [ "$code" -ne 0 ] && [ "$code" -ne "$EXIT_LOST_KEY" ]; then
    what_the_server_said "$folder"
    return 1
  fi
  stop || return 1
  [ "$code" -eq 0 ] || return "$code"
  check "$events" "$story" --transport "$transport"
}

# drive STORY TRANSPORT ALLOW COMMAND...: drive_once in a scratch folder, and again while the client loses its key: one key in
# about 199 begins with a zero byte, which some clients strip before they hash it. Ends the suite when the run fails.
drive() {
  local code attempt
  for attempt in 1 2 3; do
    code=0
    drive_once "$work/$1-$2${settings:+-set}-$attempt" "$@" || code=$?
    [ "$code" -eq 0 ] && return
    [ "$code" -eq "$EXIT_LOST_KEY" ] || exit 1
    complain 'it lost a key that begins with a zero byte (its own flaw); again'
  done
  fail 'three runs in a row lost a key; that is no accident'
}
