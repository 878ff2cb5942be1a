#!/usr/bin/env bash
# Runs the conformance suite against a server, in one's own CI:
#
#     packaging/check/run.sh ADDR PEM [OPTIONS...]
#
# ADDR is where the server listens, PEM its public RSA key, OPTIONS are those of `dayfly check server`. The text goes to standard
# output, JUnit's XML to dayfly-check.xml, Markdown to dayfly-check.md and, on GitHub, into the summary of the job. Takes the binary
# in DAYFLY if there is one, else builds it, which needs a Rust toolchain with its C compiler; without arguments it only builds.
# Exit codes are those of `dayfly check`: 0 the server has passed, 1 it has not, 2 wrong usage.
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)

if [ -z "${DAYFLY:-}" ]; then
  (cd "$here" && cargo build --quiet --release --locked --package dayfly)
  DAYFLY=${CARGO_TARGET_DIR:-$here/target}/release/dayfly
fi
[ $# -gt 0 ] || exit 0
[ $# -gt 1 ] || { echo 'usage: run.sh ADDR PEM [OPTIONS...]' >&2; exit 2; }

address=$1
key=$2
shift 2
code=0
rm -f dayfly-check.xml dayfly-check.md
"$DAYFLY" check server "$address" --server-key "$key" --junit=dayfly-check.xml --markdown=dayfly-check.md "$@" || code=$?
if [ -n "${GITHUB_STEP_SUMMARY:-}" ] && [ -f dayfly-check.md ]; then
  cat dayfly-check.md >>"$GITHUB_STEP_SUMMARY"
fi
exit "$code"
