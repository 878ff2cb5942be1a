//! What the key exchange costs a server in memory, each figure beside its bar, and what each message costs in time.
//!
//! `cargo bench -p dayfly-core` prints the figures of memory first, then what divan measures.
#![allow(clippy::print_stdout, missing_docs)]

use core::time::Duration;
use std::hint::black_box;
use std::sync::Arc;

use dayfly_core::handshake::client::{ClientConfig, ClientHandshake, Output as ClientOutput};
use dayfly_core::handshake::server::{KeyRing, Output, ServerConfig, ServerHandshakes, ServerKey};
use dayfly_core::keys::kind::{KeyKind, TrafficKey, UnboundTempKey};
use dayfly_core::keys::requests::StoreOutcome;
use dayfly_core::session::{MsgId, SessionId, envelope};
use dayfly_core::{Env, NoObserver, Now};
use dayfly_crypto::dh::SafePrimeGroup;
use dayfly_crypto::digest::sha256;
use dayfly_crypto::kdf::Side;
use dayfly_crypto::rsa_key::PrivateKey;
use dayfly_crypto::{AuthKey, RandomError, SecureRandom};

/// Runs of each kind: enough for the pages of the allocator not to matter.
const RUNS: u32 = 4_000;

fn main() {
    let key = Arc::new(PrivateKey::generate().expect("an RSA key"));
    // In this order: the second leaves memory behind, in which the first would go unseen.
    figure("a finished run in the answer memory", finished(&key), 192.0);
    figure("an unfinished run", unfinished(&key), 2048.0);
    divan::main();
}

fn figure(what: &str, bytes: f64, bar: f64) {
    let verdict = if bytes <= bar { "within" } else { "OVER" };
    println!("{what:<60} {bytes:>9.1} B   bar {bar:>6} B   {verdict}");
}

/// Memory of runs that have their `server_DH_params_ok` and were then left alone.
fn unfinished(key: &Arc<PrivateKey>) -> f64 {
    let mut world = World::new(key);
    world.exchange(Stop::AfterDhParams);
    let before = resident();
    (0..RUNS).for_each(|_| world.exchange(Stop::AfterDhParams));
    per_run(before)
}

/// Memory of runs that are over. Thousands before they are counted, so that what a run needs while it lasts is there.
fn finished(key: &Arc<PrivateKey>) -> f64 {
    let mut world = World::new(key);
    (0..200).for_each(|_| world.exchange(Stop::AtTheEnd));
    let before = resident();
    (0..RUNS).for_each(|_| world.exchange(Stop::AtTheEnd));
    per_run(before)
}

fn per_run(before: u64) -> f64 {
    resident().saturating_sub(before) as f64 / f64::from(RUNS)
}

/// Bytes of memory that the process has in use.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("VmRSS");
    let kilobytes: u64 = line.split_whitespace().nth(1).expect("a number").parse().expect("a number");
    kilobytes * 1024
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Stop {
    AfterDhParams,
    AtTheEnd,
}

struct World {
    server: ServerHandshakes<u32>,
    client: ClientConfig,
    random: Counted,
}

impl World {
    fn new(key: &Arc<PrivateKey>) -> Self {
        let ring = KeyRing::new(vec![ServerKey { key: Arc::clone(key), old_rsa: false }]).expect("a ring");
        let mut config = ServerConfig::new(Arc::new(ring), SafePrimeGroup::published());
        config.exponent_bits = 256;
        config.limits.private_operations_per_minute = None;
        config.limits.proven_runs = 1_000_000;
        config.limits.proven_runs_per_address = 1_000_000;
        let public = key.public().clone();
        let mut client = ClientConfig::new([public].into(), KeyKind::Perm, 2);
        client.exponent_bits = 256;
        Self { server: ServerHandshakes::new(config), client, random: Counted(0) }
    }

    /// One client's exchange, jobs and store requests done at once.
    fn exchange(&mut self, stop: Stop) {
        let Self { server, client, random } = self;
        let (now, mut observer) = (NOW, NoObserver);
        let mut env = Env::new(now, random, &mut observer);
        let mut client = ClientHandshake::new(client.clone(), &mut env).expect("a client");
        let mut answers = 0;
        loop {
            let Some(ClientOutput::Send(query)) = client.poll_output() else { return };
            server.handle_query(7, core::net::IpAddr::from([127, 0, 0, 1]).into(), &query, &mut env);
            let answer = serve(server, &mut env);
            answers += 1;
            if stop == Stop::AfterDhParams && answers == 2 {
                return;
            }
            client.handle_message(&answer, &mut env).expect("an answer that is right");
            while let Some(job) = client.poll_job() {
                client.handle_job(job.perform(), &mut env).expect("a result that is right");
            }
        }
    }
}

/// Lets the server work until it has its answer.
fn serve(server: &mut ServerHandshakes<u32>, env: &mut Env<'_>) -> Vec<u8> {
    loop {
        while let Some(job) = server.poll_job() {
            server.handle_job(job.perform(), env);
        }
        match server.poll_output() {
            Some(Output::Reply { payload, .. }) => return payload,
            Some(Output::Insert { ticket, .. }) => server.handle_insert(ticket, &StoreOutcome::Inserted, env),
            Some(Output::TransportError { code, .. }) => panic!("transport error {code}"),
            Some(Output::Event(_)) | None => {}
        }
    }
}

const NOW: Now = Now { monotonic: Duration::from_secs(1), unix: Duration::from_secs(1_790_000_000) };

/// Different bytes at each draw, the same in each run of the bench.
struct Counted(u64);

impl SecureRandom for Counted {
    fn fill_public(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        for chunk in out.chunks_mut(32) {
            self.0 += 1;
            chunk.copy_from_slice(&sha256(&[&self.0.to_le_bytes()])[..chunk.len()]);
        }
        Ok(())
    }

    fn fill_secret(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        self.fill_public(out)
    }
}

fn traffic_key() -> TrafficKey {
    TrafficKey::from(&UnboundTempKey::new(Arc::new(AuthKey::copy_of(&[7; 256])), 1_800_000_000))
}

/// A message of so many bytes, sealed and opened again.
#[divan::bench(args = [64, 1024, 65536])]
fn seal_and_open(bencher: divan::Bencher<'_, '_>, length: usize) {
    let (key, mut random) = (traffic_key(), Counted(0));
    let body = vec![0x55; length];
    let plaintext = envelope::plaintext(1, SessionId(2), MsgId::from_long(4), 1, &body);
    bencher.counter(divan::counter::BytesCount::new(length)).bench_local(|| {
        let mut packet = envelope::seal(&key, Side::Client, &plaintext, &mut random).expect("sealed");
        black_box(envelope::open(&key, Side::Client, &mut packet).expect("opened").msg_id)
    });
}
