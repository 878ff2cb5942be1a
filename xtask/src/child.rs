//! Programs that this one starts and does not wait for without end.

use std::process::Child;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// Whether the child succeeded; `None` if it had to be ended.
pub(crate) fn wait(child: &mut Child, until: Instant) -> Result<Option<bool>> {
    loop {
        if let Some(status) = child.try_wait().context("waiting for a program")? {
            return Ok(Some(status.success()));
        }
        if Instant::now() > until {
            child.kill().context("ending a program that hangs")?;
            child.wait().context("waiting for a program that was ended")?;
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    const PATIENT: Duration = Duration::from_secs(20);

    #[test]
    fn a_program_that_hangs_is_ended() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        assert_eq!(wait(&mut child, Instant::now() + Duration::from_millis(20)).unwrap(), None);
    }

    #[test]
    fn the_exit_code_tells_whether_it_succeeded() {
        for (program, passed) in [("true", true), ("false", false)] {
            let mut child = Command::new(program).spawn().unwrap();
            assert_eq!(wait(&mut child, Instant::now() + PATIENT).unwrap(), Some(passed));
        }
    }
}
