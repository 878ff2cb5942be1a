//! How soon `dayfly serve` answers after its start, with a million permanent keys in its store, beside the bar.
#![allow(clippy::print_stdout, missing_docs)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use dayfly_core::keys::requests::{KeyRecord, Lifetime};
use dayfly_crypto::digest::sha256;
use dayfly_crypto::{AuthKey, AuthKeyId};
use dayfly_store::{EmbeddedStore, KeyStore as _, OsRandom, SealingSource};

const KEYS: u64 = 1_000_000;
const AT_ONCE: u64 = 50_000;
const STARTS: usize = 9;
const BAR: Duration = Duration::from_millis(300);

fn main() {
    let place = tempfile::tempdir().expect("a directory");
    println!("filling a store with {KEYS} keys");
    fill(place.path());
    stop(start(place.path()).0); // makes the RSA key, which is no part of the figure
    let mut times: Vec<Duration> = (0..STARTS)
        .map(|_| {
            let (server, time) = start(place.path());
            stop(server);
            time
        })
        .collect();
    times.sort_unstable();
    let (median, slowest) = (times[STARTS / 2], times[STARTS - 1]);
    let verdict = if median <= BAR { "within" } else { "OVER" };
    println!(
        "from the start of the process to its first resPQ: median {:.1} ms, slowest {:.1} ms, bar {} ms: {verdict}",
        median.as_secs_f64() * 1e3,
        slowest.as_secs_f64() * 1e3,
        BAR.as_millis()
    );
}

fn fill(place: &Path) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    std::fs::create_dir(place.join("data")).expect("a directory");
    let sealing = SealingSource::Directory(place.join("dayfly"));
    let store =
        EmbeddedStore::open(&place.join("data/keys.redb"), &sealing, Box::new(OsRandom)).expect("a store");
    for first in (0..KEYS).step_by(AT_ONCE as usize) {
        let records = (first..first + AT_ONCE).map(record).collect();
        let stored = runtime.block_on(store.insert(records));
        assert!(stored.iter().all(Result::is_ok), "a batch was not stored");
    }
}

fn record(number: u64) -> KeyRecord {
    let id = sha256(&[&number.to_le_bytes()]);
    KeyRecord {
        key: Arc::new(AuthKey::copy_of(&[7; 256])),
        id: AuthKeyId::from_wire(*id.first_chunk().expect("32 bytes")),
        lifetime: Lifetime::Permanent,
        dc: 2,
        created_at: 1_790_000_000,
        first_salt: 0,
        bound_to: None,
    }
}

/// Starts `dayfly serve`, waits for its answer to a `req_pq_multi`, and says how long that took.
fn start(place: &Path) -> (Child, Duration) {
    let begun = Instant::now();
    let mut server = Command::new(env!("CARGO_BIN_EXE_dayfly"))
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(place.join("data"))
        .env("XDG_CONFIG_HOME", place)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("dayfly serve");
    let output = BufReader::new(server.stdout.take().expect("its output"));
    let address =
        output.lines().map_while(Result::ok).find_map(|line| address_in(&line)).expect("an address");
    let mut socket = TcpStream::connect(address).expect("a connection");
    socket.write_all(&req_pq_multi()).expect("a query");
    let mut answer = [0; 4 + 84];
    socket.read_exact(&mut answer).expect("resPQ");
    (server, begun.elapsed())
}

fn address_in(line: &str) -> Option<String> {
    let at = line.find("127.0.0.1:")?;
    Some(line[at..].split_whitespace().next()?.to_owned())
}

/// Over intermediate: its tag, the length, auth_key_id 0, msg_id, the query's length, the query.
fn req_pq_multi() -> Vec<u8> {
    let mut bytes = vec![0xee; 4];
    bytes.extend_from_slice(&40_u32.to_le_bytes());
    bytes.extend_from_slice(&[0; 8]);
    bytes.extend_from_slice(&4_u64.to_le_bytes());
    bytes.extend_from_slice(&20_u32.to_le_bytes());
    bytes.extend_from_slice(&0xbe7e_8ef1_u32.to_le_bytes());
    bytes.extend_from_slice(&[9; 16]);
    bytes
}

fn stop(mut server: Child) {
    server.kill().expect("killed");
    server.wait().expect("gone");
}
