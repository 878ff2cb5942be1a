//! Handshakes recorded from our own server, replayed through the whole server machine byte for byte: what it draws is
//! scripted, its RSA key is the published test key, its jobs are really done. That the files are right in themselves is
//! shown by `vectors/runs/verify.py`, which shares nothing with the machine.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use dayfly_core::handshake::server::{self, PeerAddr, ServerHandshakes};
use dayfly_core::keys::requests::{KeyRecord, Lifetime};
use dayfly_core::{Env, Observer};
use dayfly_testkit::runs::{Attempt, Keeping, Run, SCENARIOS, record, server_config};
use dayfly_testkit::vectors::{Message, Sender, folder, path};
use dayfly_testkit::{ScriptedRandom, TestClock};

/// The derived values that the machine shows, the last one of each name.
#[derive(Default)]
struct Values(BTreeMap<&'static str, Vec<u8>>);

impl Observer for Values {
    fn value(&mut self, name: &'static str, bytes: &[u8]) {
        self.0.insert(name, bytes.to_vec());
    }
}

struct Replay<'a> {
    run: &'a Run,
    random: ScriptedRandom,
    values: Values,
    machine: ServerHandshakes<u8>,
    /// What the store was asked to keep.
    asked: Vec<KeyRecord>,
}

impl<'a> Replay<'a> {
    fn new(run: &'a Run) -> Self {
        let machine = ServerHandshakes::new(server_config(run.scheme));
        Self { run, random: run.script(), values: Values::default(), machine, asked: Vec::new() }
    }

    /// The answer to a query, the jobs done and the store answering as it did.
    fn answer(&mut self, query: &[u8], clock: TestClock) -> Vec<u8> {
        let mut env = Env::new(clock.now(), &mut self.random, &mut self.values);
        self.machine.handle_query(0, PeerAddr::V4(0x7f00_0001), query, &mut env);
        loop {
            while let Some(job) = self.machine.poll_job() {
                self.machine.handle_job(job.perform(), &mut env);
            }
            match self.machine.poll_output().expect("an answer") {
                server::Output::Reply { payload, .. } => return payload,
                server::Output::Insert { ticket, record } => {
                    let verdict = self.run.store[self.asked.len()];
                    self.asked.push(record);
                    self.machine.handle_insert(ticket, &verdict.outcome(), &mut env);
                }
                server::Output::TransportError { code, .. } => panic!("{}: {code}", self.run.id),
                server::Output::Event(_) => {}
            }
        }
    }
}

fn pairs(run: &Run) -> impl Iterator<Item = (&Message, &Message)> {
    run.messages.chunks_exact(2).map(|pair| {
        assert_eq!((pair[0].dir, pair[1].dir), (Sender::Client, Sender::Server), "{}", run.id);
        (&pair[0], &pair[1])
    })
}

// rule: HS-02, HS-03, HS-05, HS-09, HS-12, HS-13, HS-16, HS-22, HS-24, HS-25, HS-26, HS-27, HS-28
#[test]
fn vector_runs_come_again_byte_for_byte() {
    for run in folder::<Run>("runs") {
        let mut replay = Replay::new(&run);
        for (index, (query, answer)) in (0..).zip(pairs(&run)) {
            let answered = replay.answer(&query.payload, run.clock(index));
            assert_eq!(
                hex::encode_upper(answered),
                hex::encode_upper(&*answer.payload),
                "{} {}",
                run.id,
                answer.name
            );
        }
        compare(&replay);
    }
}

fn compare(replay: &Replay<'_>) {
    let Replay { run, values, .. } = replay;
    for (name, recorded) in [
        ("a", &run.a),
        ("g_a", &run.g_a),
        ("new_nonce", &run.new_nonce),
        ("tmp_aes_key", &run.tmp_aes_key),
        ("tmp_aes_iv", &run.tmp_aes_iv),
    ] {
        assert_eq!(values.0[name], recorded.0, "{}: {name}", run.id);
    }
    assert_eq!(replay.random.left(), (0, 0), "{}: not drawn", run.id);
    assert_eq!(replay.asked.len(), run.store.len(), "{}: the store was not asked as often", run.id);
    for (record, attempt) in replay.asked.iter().zip(&run.attempts) {
        compare_record(record, attempt, run);
    }
}

fn compare_record(record: &KeyRecord, attempt: &Attempt, run: &Run) {
    assert_eq!(record.key.expose()[..], attempt.auth_key[..], "{}", run.id);
    assert_eq!(record.id.to_wire(), attempt.auth_key_id.array(), "{}", run.id);
    assert_eq!(record.key.aux_hash(), attempt.auth_key_aux_hash.array(), "{}", run.id);
    assert_eq!(record.first_salt.to_le_bytes(), run.server_salt.array(), "{}", run.id);
    assert_eq!(record.dc, run.dc.unwrap_or_default(), "{}", run.id);
    assert_eq!(record.created_at, run.server_time, "{}", run.id);
    let expires_at = run.expires_in.map(|expires_in| run.server_time + u64::from(expires_in));
    let lifetime = expires_at.map_or(Lifetime::Permanent, |expires_at| Lifetime::Temporary { expires_at });
    assert_eq!(record.lifetime, lifetime, "{}", run.id);
}

/// The client machine too says the same again: the files are what it and the server make of their seeds.
#[test]
fn vector_runs_are_what_the_machines_make_of_their_seeds() {
    let mut recorded = folder::<Run>("runs");
    for (seed, scenario) in (1..).zip(&SCENARIOS) {
        let run = record(scenario, seed);
        let at = recorded.iter().position(|file| file.id == run.id);
        let file = recorded.swap_remove(at.unwrap_or_else(|| panic!("{} is not in vectors/runs", run.id)));
        assert_eq!(run, file, "record the runs anew: see crates/testkit/examples/record_runs.rs");
    }
    assert!(recorded.is_empty(), "vectors/runs holds more than is recorded");
}

#[test]
fn vector_runs_show_every_verdict() {
    let runs = folder::<Run>("runs");
    let seen =
        |verdict: &str| runs.iter().flat_map(|run| &run.attempts).any(|attempt| attempt.verdict == verdict);
    assert!(["dh_gen_ok", "dh_gen_retry", "dh_gen_fail"].into_iter().all(seen));
    let said = |keeping| runs.iter().any(|run| run.store.contains(&keeping));
    assert!([Keeping::Inserted, Keeping::Taken, Keeping::Refused].into_iter().all(said));
}

/// Runs the independent check; `None`, said loudly, where there is no Python.
fn verify(runs: &Path) -> Option<Output> {
    match Command::new("python3").arg(path("runs/verify.py")).arg(runs).output() {
        Ok(output) => Some(output),
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "a test that checks nothing must say so")]
            {
                eprintln!("SKIPPED: vectors/runs/verify.py was NOT run, python3 cannot be started: {error}");
            }
            None
        }
    }
}

#[test]
fn vector_runs_agree_with_independent_arithmetic() {
    let Some(output) = verify(&path("runs")) else { return };
    let (said, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}{error}");
    assert_eq!(said.lines().count(), folder::<Run>("runs").len(), "a line for each file: {said}");
}

#[test]
fn vector_runs_with_one_wrong_digit_are_found_out() {
    let folder = tempfile::tempdir().unwrap();
    for field in ["new_nonce", "a", "auth_key_aux_hash", "tmp_aes_iv", "server_salt", "payload"] {
        let text = fs::read_to_string(path("runs/temp.json")).unwrap();
        fs::write(folder.path().join("temp.json"), with_wrong_digit(&text, field)).unwrap();
        let Some(output) = verify(folder.path()) else { return };
        assert_eq!(output.status.code(), Some(1), "{field}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("AssertionError"), "{field}");
    }
}

/// Changes the last digit of the last value of a field.
fn with_wrong_digit(json: &str, field: &str) -> String {
    let start = json.rfind(&format!("\"{field}\": \"")).unwrap() + field.len() + 5;
    let last = start + json[start..].find('"').unwrap() - 1;
    let wrong = if json.as_bytes()[last] == b'0' { "1" } else { "0" };
    format!("{}{wrong}{}", &json[..last], &json[last + 1..])
}
