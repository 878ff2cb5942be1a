//! Time, randomness and an observer, all scripted.

use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::Arc;

use dayfly_core::env::{Env, Now, RandomError, SecureRandom};
use dayfly_core::handshake::SpecCheck;
use dayfly_core::observer::{Checked, Direction, Observer, Seen};
use dayfly_core::plain::{self, PlainMessage};
use dayfly_crypto::digest::sha256;
use dayfly_crypto::rsa_key::{PrivateKey, PublicKey};

/// The published test key.
pub(crate) fn private_key() -> Arc<PrivateKey> {
    let pem = include_str!("../../../../vectors/keys/test_rsa.pem");
    Arc::new(PrivateKey::from_pem(pem).unwrap())
}

pub(crate) fn public_key() -> PublicKey {
    let text = private_key().public().to_pem().unwrap();
    PublicKey::from_pem(&text).unwrap()
}

/// A deterministic source: SHA256 of a seed and a counter.
pub(crate) struct Seeded {
    seed: u64,
    counter: u64,
    /// Fails from now on.
    pub(crate) broken: bool,
}

impl Seeded {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, counter: 0, broken: false }
    }
}

impl SecureRandom for Seeded {
    fn fill_public(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        self.fill_secret(out)
    }

    fn fill_secret(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        if self.broken {
            return Err(RandomError);
        }
        for chunk in out.chunks_mut(32) {
            self.counter += 1;
            let block = sha256(&[&self.seed.to_le_bytes(), &self.counter.to_le_bytes()]);
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
        Ok(())
    }
}

/// Remembers everything that it is shown.
#[derive(Default)]
pub(crate) struct Recorder {
    pub(crate) checks: Vec<Checked>,
    pub(crate) values: BTreeMap<&'static str, Vec<u8>>,
    pub(crate) messages: Vec<(Direction, &'static str)>,
}

impl Observer for Recorder {
    fn message(&mut self, seen: Seen<'_>) {
        self.messages.push((seen.direction, seen.name));
    }

    fn value(&mut self, name: &'static str, bytes: &[u8]) {
        self.values.insert(name, bytes.to_vec());
    }

    fn check(&mut self, checked: Checked) {
        self.checks.push(checked);
    }
}

impl Recorder {
    /// The rule and field of every check that failed.
    pub(crate) fn failed(&self) -> Vec<(&'static str, &'static str)> {
        self.checks.iter().filter(|check| !check.held).map(|check| (check.rule, check.field)).collect()
    }

    /// Asserts that this check failed and no other.
    pub(crate) fn assert_only(&self, check: SpecCheck) {
        assert_eq!(self.failed(), [(check.rule(), check.field())], "{check:?}");
    }
}

/// Time, randomness and an observer, all scripted.
pub(crate) struct World {
    pub(crate) now: Now,
    pub(crate) random: Seeded,
    pub(crate) seen: Recorder,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let now = Now { monotonic: Duration::from_secs(1000), unix: Duration::from_secs(1_790_000_000) };
        Self { now, random: Seeded::new(seed), seen: Recorder::default() }
    }

    pub(crate) fn env(&mut self) -> Env<'_, Recorder> {
        Env::new(self.now, &mut self.random, &mut self.seen)
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        self.now.monotonic += time;
        self.now.unix += time;
    }
}

/// A plain message as a client or a lax server might send it.
pub(crate) fn plain(msg_id: i64, body: &[u8]) -> Vec<u8> {
    plain::write(msg_id, body)
}

/// The body of a server's plain message, every rule about its envelope checked.
pub(crate) fn body(message: &[u8]) -> Vec<u8> {
    PlainMessage::from_server(message).unwrap().body.to_vec()
}

/// Bytes that outlive every test: what a change to a message may refer to.
pub(crate) fn forever(bytes: &[u8]) -> &'static [u8] {
    bytes.to_vec().leak()
}

/// A deterministic source.
pub(crate) fn seeded(seed: u64) -> Seeded {
    Seeded::new(seed)
}

/// A source of nothing but zeros.
pub(crate) struct Zeros;

impl SecureRandom for Zeros {
    fn fill_public(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        out.fill(0);
        Ok(())
    }

    fn fill_secret(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        self.fill_public(out)
    }
}
