//! The system's clock, and what a process that holds keys asks of the system.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use dayfly_core::env::{Clock, Now};
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

/// Sets the limit of core dumps to zero: a core dump would write every live key to a disk (rule PF-01).
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
    let table = std::fs::read_to_string("/proc/swaps").ok()?;
    Some(has_swap(&table))
}

/// `/proc/swaps` has a line of headings and then a line for each swap area.
fn has_swap(table: &str) -> bool {
    table.lines().skip(1).any(|line| !line.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADINGS: &str = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";

    #[test]
    fn swap_is_told_from_its_table() {
        assert!(!has_swap(HEADINGS));
        assert!(has_swap(&format!("{HEADINGS}/swapfile file 1048572 0 -2\n")));
    }

    // rule: PF-01
    #[test]
    fn core_dumps_are_forbidden() {
        forbid_core_dumps().unwrap();
        assert_eq!(rustix::process::getrlimit(Resource::Core).current, Some(0));
    }
}
