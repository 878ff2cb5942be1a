//! Our own server against the whole suite.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use dayfly_check::run::Chosen;
use dayfly_check::server::timing::{ROUNDS, timing};
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

    fn target(&self) -> Target {
        Target {
            address: self.address,
            key: test_key().public().clone(),
            patience: Duration::from_secs(5),
            silence: Duration::from_millis(300),
            seed: 1,
        }
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
    let report = check(peer.target(), &chosen(), |_| {}).await;
    assert_eq!(report.stranger, None);
    let odd = report.told.iter().filter(|told| !matches!(told.verdict, Verdict::Passed | Verdict::Left(_)));
    let odd: Vec<String> = odd
        .map(|told| format!("{} {}\n  {:?}\n  {:?}", told.case.id, told.case.title, told.verdict, told.trace))
        .collect();
    assert!(odd.is_empty(), "{}", odd.join("\n"));
}

/// What the times say is for a quiet machine to tell: here it is only whether they are measured.
#[tokio::test]
async fn the_times_of_ten_kinds_are_measured_in_three_rounds() {
    let peer = Peer::start();
    let mut shown = 0;
    let timing = timing(peer.target(), 5, |_| shown += 1).await.unwrap();
    assert_eq!((shown, timing.rounds.len(), timing.samples), (ROUNDS, ROUNDS, 5));
    for round in &timing.rounds {
        assert_eq!(round.took.len(), 10);
        assert!(round.took.iter().all(|took| took.median > Duration::ZERO && took.deviation.is_finite()));
        // The ranks of a block add up, so what one kind has more another has less.
        assert!(round.took.iter().map(|took| took.deviation).sum::<f64>().abs() < 1e-6);
    }
}
