#!/usr/bin/env bash
# Runs the conformance suite in one's own CI; the words are those of `dayfly check`:
#
#     packaging/check/run.sh server ADDR --server-key PEM [OPTIONS...]
#     packaging/check/run.sh client --run 'COMMAND {addr} {pem}' [OPTIONS...]
#
# The text goes to standard output, JUnit's XML to dayfly-check-ROLE.xml, Markdown to dayfly-check-ROLE.md and, on GitHub, into the
# summary of the job. Takes the binary in DAYFLY if there is one, else builds it, which needs a Rust toolchain with its C compiler;
# without words it only builds. Exit codes are those of `dayfly check`: 0 the peer has passed, 1 it has not, 2 wrong usage.
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)

if [ -z "${DAYFLY:-}" ]; then
  (cd "$here" && cargo build --quiet --release --locked --package dayfly)
  DAYFLY=${CARGO_TARGET_DIR:-$here/target}/release/dayfly
fi
[ $# -gt 0 ] || exit 0
case $1 in
  server | client) role=$1 ;;
  *)
    echo 'usage: run.sh server ADDR --server-key PEM [OPTIONS...] | client --run COMMAND [OPTIONS...]' >&2
    exit 2
    ;;
esac
shift

report=dayfly-check-$role
code=0
rm -f "$report.xml" "$report.md"
"$DAYFLY" check "$role" --junit="$report.xml" --markdown="$report.md" "$@" || code=$?
if [ -n "${GITHUB_STEP_SUMMARY:-}" ] && [ -f "$report.md" ]; then
  cat "$report.md" >>"$GITHUB_STEP_SUMMARY"
fi
exit "$code"
