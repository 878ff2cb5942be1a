//! The system's clock and randomness, and what a process that holds keys asks of the system.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use dayfly_core::env::{Clock, Now};
use dayfly_crypto::{RandomError, SecureRandom};
use rustix::process::{Resource, Rlimit, setrlimit};

/// The system's monotonic and wall clocks.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    start: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self { start: Instant::now() }
    }
}

impl Clock for SystemClock {
    /// A wall clock before 1970 counts as 1970.
    fn now(&self) -> Now {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Now { monotonic: self.start.elapsed(), unix }
    }
}

/// Draws from the operating system for each use; nothing is buffered.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsRandom;

impl SecureRandom for OsRandom {
    fn fill_public(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        getrandom::fill(out).map_err(|_| RandomError)
    }

    fn fill_secret(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        getrandom::fill(out).map_err(|_| RandomError)
    }
}

/// Sets the limit of core dumps to zero: a core dump would write every live key to a disk (rule PF-01). A library does not
/// do this by itself; a program that holds keys should call it first of all.
///
/// # Errors
/// What the system says.
pub fn forbid_core_dumps() -> std::io::Result<()> {
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    Ok(())
}

/// Whether swap is on: the system may then write pages with keys to a disk. `None` where it cannot be told.
#[must_use]
pub fn swap_is_on() -> Option<bool> {
    // A line of headings, then a line for each swap area.
    let table = std::fs::read_to_string("/proc/swaps").ok()?;
    Some(table.lines().skip(1).any(|line| !line.trim().is_empty()))
}
