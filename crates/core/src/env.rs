//! What the outside world contributes to a call: time, randomness, somebody who watches.

use core::time::Duration;

pub use dayfly_crypto::{RandomError, SecureRandom};

use crate::observer::{NoObserver, Observer};

/// The two times of a call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Now {
    /// Since an arbitrary start; never goes back. Drives every timeout.
    pub monotonic: Duration,
    /// Since the Unix epoch, by the caller's own clock; may jump. Only for `server_time`, `expires_at` and msg_ids.
    pub unix: Duration,
}

impl Now {
    /// Whole seconds since the Unix epoch, as `server_time` and `expires_at` count them.
    #[must_use]
    pub fn unix_seconds(&self) -> u64 {
        self.unix.as_secs()
    }
}

/// Where the two times come from. The core is handed a [`Now`] with each call; what drives it asks a clock.
pub trait Clock: Send {
    /// The time now.
    fn now(&self) -> Now;

    /// How long to wait until `time` has passed by this clock: as long, unless it is a clock that runs fast.
    fn wait_for(&self, time: Duration) -> Duration {
        time
    }
}

/// What the outside world contributes to one call. The core never fetches any of it.
pub struct Env<'a, O: Observer = NoObserver> {
    /// When the call is made.
    pub now: Now,
    /// Where random bytes come from.
    pub random: &'a mut dyn SecureRandom,
    /// Who is shown messages, values and checks as they happen.
    pub observer: &'a mut O,
}

impl<'a, O: Observer> Env<'a, O> {
    /// The three together.
    pub fn new(now: Now, random: &'a mut dyn SecureRandom, observer: &'a mut O) -> Self {
        Self { now, random, observer }
    }

    /// `N` random bytes that go on the wire in the clear.
    ///
    /// # Errors
    /// Those of the source.
    pub fn public_bytes<const N: usize>(&mut self) -> Result<[u8; N], RandomError> {
        let mut bytes = [0; N];
        self.random.fill_public(&mut bytes)?;
        Ok(bytes)
    }
}
