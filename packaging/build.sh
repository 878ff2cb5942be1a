#!/usr/bin/env bash
# Builds dayfly and lays out what a package installs, below DIR:
#
#     packaging/build.sh DIR [BINARY]
#
# Takes BINARY if it is named, else builds one: the server alone, without what only tests others. Needs a Rust toolchain with its C compiler, and no container engine: the
# Containerfile runs this script too. Then looks at what it made; a check whose tool is not installed is skipped, loudly.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
out=${1:?usage: packaging/build.sh DIR [BINARY]}
binary=${2:-}

if [ -z "$binary" ]; then
  (cd "$here" && cargo build --release --locked --package dayfly --no-default-features)
  binary=$(cd "$here" && cargo metadata --format-version 1 --no-deps --offline |
    sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/release/dayfly
fi

share=$out/usr/share
install -D -m 755 "$binary" "$out/usr/bin/dayfly"
dayfly=$out/usr/bin/dayfly
"$dayfly" man "$share/man/man1"
for shell in bash:bash-completion/completions/dayfly zsh:zsh/site-functions/_dayfly fish:fish/vendor_completions.d/dayfly.fish; do
  mkdir -p "$(dirname "$share/${shell#*:}")"
  "$dayfly" completions "${shell%%:*}" >"$share/${shell#*:}"
done
install -D -m 644 "$here/packaging/dayfly.service" "$out/usr/lib/systemd/system/dayfly.service"
mkdir -p "$share/doc/dayfly"
"$dayfly" serve --print-config >"$share/doc/dayfly/dayfly.toml"
install -m 644 "$here"/LICENSE-* "$here/README.md" "$here/CHANGELOG.md" "$share/doc/dayfly/"

# What was made, looked at.
failed=0
check() { # NAME TOOL COMMAND...
  local name=$1 tool=$2
  shift 2
  if ! command -v "$tool" >/dev/null; then
    echo "== SKIPPED: $name: $tool is not installed"
  elif "$@"; then
    echo "ok: $name"
  else
    echo "FAILED: $name"
    failed=1
  fi
}
lint_pages() {
  local said
  said=$(mandoc -Tlint "$share"/man/man1/*.1 2>&1) || true
  [ -z "$said" ] || { echo "$said"; return 1; }
}
hardened() {
  # Under 2.0 on systemd's scale of 10. What another version of systemd does not know it says itself.
  systemd-analyze security --offline=yes --threshold=20 "$here/packaging/dayfly.service" | tail -n 1
}
# What every binary with the conformance suite has in it.
suite=('dayfly_check' 'crates/check/src' 'a permanent key is made')
without_the_suite() {
  local word
  for word in "${suite[@]}"; do
    ! grep -aqF -e "$word" "$dayfly" || { echo "$dayfly has the conformance suite in it: $word"; return 1; }
  done
}
check 'the conformance suite is not in the binary' grep without_the_suite
check 'the printed configuration is right' true "$dayfly" serve --config "$share/doc/dayfly/dayfly.toml" --check-config
check 'man pages' mandoc lint_pages
check 'completions for bash' bash bash -n "$share/bash-completion/completions/dayfly"
check 'exposure of the systemd unit' systemd-analyze hardened
exit "$failed"
