//! Our own server against the whole suite.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use dayfly_check::run::Chosen;
use dayfly_check::server::{Target, check};
use dayfly_check::verdict::Verdict;
use dayfly_testkit::test_key;

/// A server in a process of its own. Dropping it ends it.
struct Peer {
    child: Child,
    address: SocketAddr,
}

impl Peer {
    fn start() -> Self {
        let mut command = Command::new(program());
        let mut child = command.arg("serve").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening ").expect("where it listens").parse().unwrap();
        Self { child, address }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The server: `DAYFLY_PEER=FILE` names another build of it, such as one whose checks can be switched off.
fn program() -> OsString {
    std::env::var_os("DAYFLY_PEER").unwrap_or_else(|| env!("CARGO_BIN_EXE_dayfly-peer").into())
}

/// `DAYFLY_CHECK_ONLY=HS-20,PF` chooses cases, `DAYFLY_CHECK_SLOW=1` takes the slow ones too.
fn chosen() -> Chosen {
    let only = std::env::var("DAYFLY_CHECK_ONLY").unwrap_or_default();
    let only = only.split(',').filter(|text| !text.is_empty()).map(|text| text.parse().unwrap()).collect();
    Chosen { only, slow: std::env::var_os("DAYFLY_CHECK_SLOW").is_some(), load: true }
}

#[tokio::test]
async fn our_own_server_keeps_every_rule() {
    let peer = Peer::start();
    let target = Target {
        address: peer.address,
        key: test_key().public().clone(),
        patience: Duration::from_secs(5),
        silence: Duration::from_millis(300),
        seed: 1,
    };
    let report = check(target, &chosen(), |_| {}).await;
    assert_eq!(report.stranger, None);
    let odd = report.told.iter().filter(|told| !matches!(told.verdict, Verdict::Passed | Verdict::Left(_)));
    let odd: Vec<String> = odd
        .map(|told| format!("{} {}\n  {:?}\n  {:?}", told.case.id, told.case.title, told.verdict, told.trace))
        .collect();
    assert!(odd.is_empty(), "{}", odd.join("\n"));
}
