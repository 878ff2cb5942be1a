//! Randomness that the test can compute too, and time that it moves.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use dayfly_core::Now;
use dayfly_core::env::Clock;
use dayfly_crypto::{RandomError, SecureRandom};

pub(crate) const SERVER_SEED: u64 = 0x5E12_7E12;
pub(crate) const CLIENT_SEED: u64 = 0xC11E_2217;

/// One draw of a stream: so many bytes, public or secret.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draw {
    pub(crate) secret: bool,
    pub(crate) len: usize,
}

/// Draw `number` of the stream of `seed`, written byte by byte and kept nowhere else. `black_box`, or the compiler would
/// compute the bytes and put them into the binary.
pub(crate) fn write_draw(seed: u64, number: u64, out: &mut [u8]) {
    let mut state = core::hint::black_box(seed) ^ number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for byte in out {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        *byte = (state >> 56) as u8;
    }
}

/// Gives the draws of a stream in turn, and logs how long they were. Clones share the stream.
#[derive(Clone)]
pub(crate) struct Script {
    seed: u64,
    log: Arc<Mutex<Vec<Draw>>>,
}

impl Script {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, log: Arc::default() }
    }

    /// The draws so far, such as `p16 s32`.
    pub(crate) fn log(&self) -> String {
        let log = self.log.lock().unwrap();
        let words = log.iter().map(|draw| format!("{}{}", if draw.secret { 's' } else { 'p' }, draw.len));
        words.collect::<Vec<_>>().join(" ")
    }

    fn fill(&self, secret: bool, out: &mut [u8]) {
        let mut log = self.log.lock().unwrap();
        write_draw(self.seed, log.len() as u64, out);
        log.push(Draw { secret, len: out.len() });
    }
}

/// Reads what [`Script::log`] wrote.
pub(crate) fn parse_log(log: &str) -> Vec<Draw> {
    let parse = |word: &str| Draw { secret: word.starts_with('s'), len: word[1..].parse().unwrap() };
    log.split_whitespace().map(parse).collect()
}

impl SecureRandom for Script {
    fn fill_public(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        self.fill(false, out);
        Ok(())
    }

    fn fill_secret(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        self.fill(true, out);
        Ok(())
    }
}

/// Gives one draw of a stream again.
pub(crate) struct Again {
    pub(crate) seed: u64,
    pub(crate) number: u64,
}

impl SecureRandom for Again {
    fn fill_public(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        self.fill_secret(out)
    }

    fn fill_secret(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        write_draw(self.seed, self.number, out);
        Ok(())
    }
}

/// Real time, and seconds that were skipped. Clones share the skipped seconds.
#[derive(Clone)]
pub(crate) struct MovedClock {
    start: Instant,
    ahead: Arc<AtomicU64>,
}

/// Where the story begins, in Unix seconds.
const BEGIN: Duration = Duration::from_secs(1_800_000_000);

impl MovedClock {
    pub(crate) fn new() -> Self {
        Self { start: Instant::now(), ahead: Arc::default() }
    }

    pub(crate) fn skip(&self, seconds: u64) {
        self.ahead.fetch_add(seconds, Ordering::Relaxed);
    }
}

impl Clock for MovedClock {
    fn now(&self) -> Now {
        let since = self.start.elapsed() + Duration::from_secs(self.ahead.load(Ordering::Relaxed));
        Now { monotonic: since, unix: BEGIN + since }
    }
}
