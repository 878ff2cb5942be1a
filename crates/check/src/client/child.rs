//! The client under test, where the suite starts it.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};

/// A client in a process group of its own: it ends with everything that it started.
pub(super) struct Running {
    child: Child,
    group: Option<Pid>,
}

impl Running {
    /// Starts `command` through `sh -c`.
    pub(super) fn start(command: &str, address: SocketAddr, pem: &Path) -> io::Result<Self> {
        let line = command
            .replace("{addr}", &address.to_string())
            .replace("{pem}", &quoted(&pem.display().to_string()));
        let child = Command::new("sh")
            .args(["-c", &line])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Ok(Self { child, group: id.and_then(Pid::from_raw) })
    }

    /// Waits for its end. May be asked again.
    pub(super) async fn ended(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Kills it and waits until it is gone.
    pub(super) async fn end(mut self) {
        self.kill_group();
        // Killed: what is left of it is its number.
        let _ = self.child.wait().await;
    }

    fn kill_group(&self) {
        if let Some(group) = self.group {
            // It may have ended by itself.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill_group();
    }
}

/// A word for the shell, whatever is in it.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[tokio::test]
    async fn the_address_and_the_file_stand_where_they_are_named() {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 7));
        let pem = Path::new("/a b/it's.pem");
        let command = r#"test {addr} = 127.0.0.1:7 && test {pem} = "/a b/it's.pem""#;
        let mut running = Running::start(command, address, pem).unwrap();
        assert!(running.ended().await.unwrap().success());
    }

    #[tokio::test]
    async fn what_it_started_ends_with_it() {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 7));
        let running = Running::start("sleep 600 & sleep 600", address, Path::new("")).unwrap();
        running.end().await;
    }
}
