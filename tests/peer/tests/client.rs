//! Our own client against the whole suite.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use dayfly_check::client::{Subject, check};
use dayfly_check::run::Chosen;
use dayfly_check::verdict::Verdict;
use dayfly_testkit::test_key;

/// The client: `DAYFLY_PEER=FILE` names another build of it, such as one whose checks can be switched off.
fn program() -> String {
    std::env::var("DAYFLY_PEER").unwrap_or_else(|_| env!("CARGO_BIN_EXE_dayfly-peer").to_owned())
}

/// `DAYFLY_CHECK_ONLY=HS-20,PF` chooses cases, `DAYFLY_CHECK_SLOW=1` takes the slow ones too.
fn chosen() -> Chosen {
    let only = std::env::var("DAYFLY_CHECK_ONLY").unwrap_or_default();
    let only = only.split(',').filter(|text| !text.is_empty()).map(|text| text.parse().unwrap()).collect();
    Chosen { only, slow: std::env::var_os("DAYFLY_CHECK_SLOW").is_some(), load: true }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_own_client_keeps_every_rule() {
    let directory = tempfile::tempdir().unwrap();
    let pem = directory.path().join("server.pub.pem");
    let key = test_key();
    std::fs::write(&pem, key.public().to_pem().unwrap()).unwrap();
    let subject = Subject {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        run: Some(format!("exec '{}' connect {{addr}} {{pem}}", program())),
        key,
        pem,
        patience: Duration::from_secs(10),
        seed: 1,
    };
    let report = check(subject, &chosen(), |_| {}, |_| {}).await.unwrap();
    let odd = report.told.iter().filter(|told| !matches!(told.verdict, Verdict::Passed | Verdict::Left(_)));
    let odd: Vec<String> = odd
        .map(|told| {
            format!("{} {}\n  {:?}\n  {:#?}", told.case.id, told.case.title, told.verdict, told.trace)
        })
        .collect();
    assert!(odd.is_empty(), "{}", odd.join("\n"));
    assert!(report.counts().passed > 0);
}
