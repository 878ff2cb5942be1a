//! A run with one case of every kind, in which the peer says what is hard to show.

use std::time::Duration;

use crate::case::{Case, Cost, Severity};
use crate::run::{Report, Told};
use crate::server::Happened;
use crate::verdict::{Left, Stop, Verdict};

/// A peer's words that would leave XML, Markdown and a line of a terminal.
pub(super) const NASTY: &str = "<b>&\"']]>\n```\u{1b}[31m| *x* @all";

/// The cases of the run, in its order.
pub(super) fn cases() -> Vec<Case> {
    let case = |id, severity, title, cost| {
        let (why, expected) = ("whoever changes g_b knows the key", "-404");
        Case { id, severity, title, why, expected, cost }
    };
    vec![
        case("HS-01/1", Severity::Must, "a permanent key is made", Cost::Usual),
        case("HS-20/1", Severity::Must, "g_b = 1", Cost::Usual),
        case("HS-20/2", Severity::Should, "g_b is short", Cost::Usual),
        case("PF-02/1", Severity::Must, "the nonce <differs>", Cost::Usual),
        case("MS-05/1", Severity::Compat, "a seqno is odd", Cost::Usual),
        case("MS-05/2", Severity::Must, "a session ends", Cost::Slow),
        case("HS-35/1", Severity::Must, "many runs at once", Cost::Load),
    ]
}

/// The run itself.
pub(super) fn report() -> Report {
    let stopped = |stop| Verdict::Stopped(stop);
    let verdicts = [
        Verdict::Passed,
        stopped(Stop::Failed(format!("set_client_DH_params got {NASTY}"))),
        stopped(Stop::Failed("nothing".to_owned())),
        stopped(Stop::NotReached("req_pq_multi got nothing".to_owned())),
        stopped(Stop::Undecided("it may mean either".to_owned())),
        Verdict::Left(Left::Slow),
        Verdict::Left(Left::Load),
    ];
    let trace = [Happened::Sent("set_client_DH_params".to_owned()), Happened::Got(NASTY.to_owned())];
    let mut report = Report::new("server", "127.0.0.1:4430".to_owned(), 7);
    for (case, verdict) in cases().into_iter().zip(verdicts) {
        let ran = !matches!(verdict, Verdict::Left(_));
        let trace = if ran { trace.to_vec() } else { Vec::new() };
        let took = if ran { Duration::from_micros(12_345) } else { Duration::ZERO };
        report.add(Told { case, verdict, trace, took });
    }
    report
}

/// A run against a peer that speaks something else.
pub(super) fn stranger() -> Report {
    let mut report = Report::new("server", "127.0.0.1:22".to_owned(), 7);
    let why = "127.0.0.1:22 speaks first: it is an SSH server".to_owned();
    for case in cases() {
        let verdict = Verdict::Stopped(Stop::NotReached(why.clone()));
        report.add(Told { case, verdict, trace: Vec::new(), took: Duration::ZERO });
    }
    report.stranger = Some(why);
    report
}
