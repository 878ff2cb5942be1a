# shellcheck shell=bash
# The peers, each in the exact version that a lock file pins. A function `peer_NAME` installs one and runs its suite by
# `judge_client` or `judge_server`. `run` sources this after lib.sh.

ALL_PEERS='telethon kurigram mtcute gramjs mtproto-core grammers ferogram gotd tdlib gotd-server'

# What npm installed in FOLDER of PACKAGE.
npm_version() { node -p 'require(process.argv[1]).version' "$1/node_modules/$2/package.json"; }

# The version that the requirements.txt of FOLDER pins of PACKAGE.
python_version() { sed -n "s/^$2==\([^ ]*\).*/\1/p" "$1/requirements.txt"; }

# without_pfs COMMAND...: a peer that knows no forward secrecy is asked about the rest alone, unless cases are chosen.
without_pfs() {
  local kept=("${choice[@]}")
  [[ " ${choice[*]} " == *' --only '* ]] || choice+=(--only HS,MS,TR)
  "$@"
  choice=("${kept[@]}")
}

build_gotd() {
  need go 'go 1.25 or later'
  export GOTOOLCHAIN=local GOFLAGS=-mod=readonly
  gotd=$target/interop/gotd
  mkdir -p "$gotd"
  echo 'findings: building gotd; the first time this takes minutes' >&2
  (cd "$interop/gotd" && go build -o "$gotd" ./...)
  gotd_version=$(cd "$interop/gotd" && go list -m -f '{{.Version}}' github.com/gotd/td)
}

# The version that the drivers in Rust pin of PACKAGE.
crate_version() { sed -n "s/^$1 = .*\"=\([0-9.]*\)\".*/\1/p" "$interop/findings/rust/Cargo.toml"; }

build_rust() {
  need cargo 'the Rust toolchain of this workspace'
  crates=$target/interop/rust
  echo 'findings: building grammers and ferogram; the first time this takes minutes' >&2
  "$interop/findings/rust/build" "$crates"
}

peer_telethon() {
  need python3 'python 3.11 or later'
  install_python "$interop/telethon/requirements.txt" "$target/interop/telethon"
  without_pfs judge_client telethon "Telethon $(python_version "$interop/telethon" telethon)" \
    "exec '$venv/bin/python' '$interop/findings/telethon/stay.py' {addr} {pem}"
}

peer_kurigram() {
  need python3 'python 3.11 or later'
  install_python "$interop/findings/kurigram/requirements.txt" "$target/interop/kurigram"
  without_pfs judge_client kurigram "Kurigram $(python_version "$interop/findings/kurigram" kurigram)" \
    "exec '$venv/bin/python' '$interop/findings/kurigram/stay.py' {addr} {pem}"
}

peer_mtcute() {
  need npm 'node 20 or later, with npm,'
  install_npm "$interop/mtcute"
  judge_client mtcute "mtcute $(npm_version "$interop/mtcute" @mtcute/node)" \
    "exec node '$interop/mtcute/stay.mjs' {addr} {pem}"
}

peer_gramjs() {
  need npm 'node 20 or later, with npm,'
  install_npm "$interop/gramjs"
  without_pfs judge_client gramjs "gramjs $(npm_version "$interop/gramjs" telegram)" \
    "exec node '$interop/gramjs/stay.mjs' {addr} {pem}"
}

peer_mtproto_core() {
  need npm 'node 20 or later, with npm,'
  install_npm "$interop/findings/mtproto-core"
  without_pfs judge_client mtproto-core "@mtproto/core $(npm_version "$interop/findings/mtproto-core" @mtproto/core)" \
    "exec node '$interop/findings/mtproto-core/stay.mjs' {addr} {pem}"
}

peer_grammers() {
  build_rust
  without_pfs judge_client grammers "grammers $(crate_version grammers-client)" "exec '$crates/debug/grammers' {addr} {pem}"
}

peer_ferogram() {
  build_rust
  judge_client ferogram "ferogram $(crate_version ferogram)" "exec '$crates/debug/ferogram' {addr} {pem}"
}

peer_gotd() {
  build_gotd
  judge_client gotd "gotd $gotd_version" "exec '$gotd/client' --stay {addr} {pem}"
}

# Its keys and addresses are compiled in: it runs where no other address can be reached.
peer_tdlib() {
  need python3 'python 3.11 or later'
  need unshare 'unshare of util-linux, and root,'
  install_python "$interop/findings/tdlib/requirements.txt" "$target/interop/tdlib"
  local library
  library=$(find "$venv" -name 'libtdjson*.so.*' | head -n 1)
  wrapper=("$interop/record/isolated")
  listen=(--listen 149.154.175.50:443 --authorized)
  judge_client tdlib "TDLib $(python_version "$interop/findings/tdlib" tdjson)" \
    "exec '$interop/findings/tdlib/stay' {pem} '$library' '$work/libtdjson.so'"
  wrapper=() listen=(--listen 127.0.0.1:0)
}

peer_gotd_server() {
  build_gotd
  mkdir "$work/gotd-server"
  "$gotd/server" "$work/gotd-server/server.pub.pem" "$work/gotd-server/events.jsonl" \
    >"$work/gotd-server/out" 2>"$work/gotd-server/err" </dev/null &
  server=$!
  listens "$work/gotd-server"
  # What answers auth.bindTempAuthKey there is our handler, and says nothing of gotd.
  without_pfs judge_server gotd-server "tgtest of gotd $gotd_version" "$work/gotd-server/server.pub.pem"
  end_server
  server=
}
