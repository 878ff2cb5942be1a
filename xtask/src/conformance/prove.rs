//! `cargo xtask conformance --prove`: the suite is tested with faults that were planted.
//!
//! Each check of our server and of our client is switched off in turn, and the cases that name its rule run against it: one of
//! them must fail. The suite itself is built with every check on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::Options;
use super::expected::Expected;
use super::programs::{self, Profile};
use super::server::Server;
use super::suite::{Case, Report, Role, Run, Suite};
use super::verdict::{Verdict, caught, judge, sum};
use crate::mutants::MUTANT;
use crate::parallel::in_parallel;
use crate::rules::{self, Switch};

/// The cases of one rule may take so long.
const LIMIT: Duration = Duration::from_secs(120);
/// All cases may.
const LIMIT_OF_ALL: Duration = Duration::from_secs(900);
/// The roles in which our own code is the peer.
const ROLES: [Role; 2] = [Role::Server, Role::Client];
/// What only our client is made of.
const OF_CLIENT: [&str; 5] = [
    "crates/client/",
    "crates/core/src/client/",
    "crates/core/src/handshake/client/",
    "crates/core/src/keys/rotation.rs",
    "crates/core/src/session/client/",
];
/// What only our server is made of.
const OF_SERVER: [&str; 5] = [
    "crates/core/src/handshake/server/",
    "crates/core/src/server/",
    "crates/core/src/session/server/",
    "crates/server/",
    "crates/store/",
];

/// Who is asked, and by what.
struct Bench {
    peer: PathBuf,
    /// The public key of the peer when it is the server.
    key: PathBuf,
    sides: Vec<Side>,
}

/// The suite for one role.
struct Side {
    suite: Suite,
    rules: Vec<String>,
    /// The cases that pass when every check is on.
    sound: BTreeSet<String>,
}

/// Proves the suite on every switch that is asked for.
pub(super) fn run(options: &Options) -> Result<()> {
    let prefix = &options.only;
    let expected = Expected::read()?;
    let mut switches = rules::switches()?;
    let mut problems = expected.problems(|id| switches.iter().any(|switch| switch.id == id));
    switches.retain(|switch| switch.id.starts_with(prefix));
    ensure!(!switches.is_empty(), "no check id begins with {prefix:?}");
    if options.short {
        let all = switches.len();
        switches.retain(|switch| !expected.unseen.contains_key(&switch.id));
        println!("== LEFT OUT by --short: {} planted faults that no case can see", all - switches.len());
    }
    let (bench, failing) = Bench::make(options.profile)?;
    problems.extend(failing);

    let started = Instant::now();
    let verdicts = in_parallel(&switches, |switch| bench.verdict(switch))?;
    let verdicts = verdicts.into_iter().collect::<Result<Vec<Verdict>>>()?;
    let judged: BTreeMap<&str, Verdict> =
        switches.iter().map(|switch| switch.id.as_str()).zip(verdicts).collect();
    problems.extend(judge(&expected, &judged));
    let caught = caught(&judged);
    if prefix.is_empty() && caught.len() < expected.rules {
        problems.push(format!(
            "the suite catches planted faults of {} rules, xtask/conformance.toml demands {}",
            caught.len(),
            expected.rules
        ));
    }
    problems.iter().for_each(|problem| println!("problem: {problem}"));
    println!("{} in {} s", sum(&judged, caught.len()), started.elapsed().as_secs());
    if problems.is_empty() { Ok(()) } else { bail!("{} problems with the suite", problems.len()) }
}

/// Whether the switch is in code that the peer runs in this role.
fn is_met(switch: &Switch, role: Role) -> bool {
    let others = match role {
        Role::Server => OF_CLIENT,
        Role::Client => OF_SERVER,
    };
    !others.iter().any(|place| switch.place.file.starts_with(place))
}

impl Bench {
    /// Builds everything and runs all cases once with every check on; the sentences are about those that do not pass then.
    fn make(profile: Profile) -> Result<(Self, Vec<String>)> {
        let (dayfly, peer) = (programs::dayfly(profile)?, programs::switchable_peer(profile)?);
        let folder = super::folder()?;
        let key = folder.join("peer.pub.pem");
        let status = Command::new(&peer).arg("key").arg(&key).status().context("starting the peer")?;
        ensure!(status.success(), "the peer gives no key");
        let mut bench = Self { peer, key, sides: Vec::new() };
        let mut problems = Vec::new();
        for role in ROLES {
            let suite = Suite { dayfly: dayfly.clone(), role, folder: folder.clone() };
            let rules = suite.rules()?;
            let report = bench.ask(&suite, None, None, LIMIT_OF_ALL)?;
            let report = report.with_context(|| format!("check {} does not end", role.word()))?;
            let (sound, failing) = baseline(report);
            problems.extend(failing);
            bench.sides.push(Side { suite, rules, sound });
        }
        Ok((bench, problems))
    }

    /// Runs the cases of a rule, or all, against a peer without the check that `mutant` names; `None` if they do not end.
    fn ask(
        &self,
        suite: &Suite,
        mutant: Option<&str>,
        rule: Option<&str>,
        limit: Duration,
    ) -> Result<Option<Report>> {
        let variable = mutant.map(|id| (MUTANT, id));
        let name = mutant.unwrap_or("every-check-on");
        match suite.role {
            Role::Server => {
                let server = Server::start(Command::new(&self.peer).arg("serve").envs(variable))?;
                let peer = vec![(&server.address).into(), "--server-key".into(), self.key.clone().into()];
                suite.run(Run { peer, variable: None, rule, name, limit })
            }
            Role::Client => {
                let peer = vec!["--run".into(), super::starts_client(&self.peer).into()];
                suite.run(Run { peer, variable, rule, name, limit })
            }
        }
    }

    /// Asks in each role that meets the switch, until a case catches it.
    fn verdict(&self, switch: &Switch) -> Result<Verdict> {
        let mut verdict = Verdict::NoCase;
        let rule = switch.rule();
        let naming = |side: &&Side| side.rules.iter().any(|other| other == rule);
        for side in self.sides.iter().filter(naming).filter(|side| is_met(switch, side.suite.role)) {
            let next = match self.ask(&side.suite, Some(&switch.id), Some(rule), LIMIT) {
                Ok(Some(report)) => side.judge(report),
                Ok(None) => Verdict::Broken { why: format!("the cases do not end within {LIMIT:?}") },
                Err(error) => Verdict::Broken { why: format!("{error:#}") },
            };
            verdict = verdict.or(next);
            if matches!(verdict, Verdict::Caught { .. }) {
                break;
            }
        }
        Ok(verdict)
    }
}

/// The cases that pass with every check on; the sentences are about those that do not.
fn baseline(report: Report) -> (BTreeSet<String>, Vec<String>) {
    let mut sound = BTreeSet::new();
    let mut problems: Vec<String> = report.stranger.into_iter().collect();
    for case in report.cases {
        if case.has_passed() {
            sound.insert(case.id);
        } else if case.verdict != "left out" {
            problems.push(format!("{} is {} with every check on: {}", case.id, case.verdict, why(&case)));
        }
    }
    (sound, problems)
}

impl Side {
    /// Only a case that passes when every check is on can catch anything.
    fn judge(&self, report: Report) -> Verdict {
        if let Some(why) = report.stranger {
            return Verdict::Broken { why };
        }
        let sound = || report.cases.iter().filter(|case| self.sound.contains(&case.id));
        match sound().find(|case| case.has_failed()) {
            Some(case) => Verdict::Caught { case: case.id.clone(), got: why(case) },
            None => Verdict::Missed {
                cases: sound().map(|case| format!("{} ({})", case.id, case.verdict)).collect(),
            },
        }
    }
}

fn why(case: &Case) -> String {
    case.got.clone().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_that_fails_anyway_catches_nothing() {
        let suite = Suite { dayfly: PathBuf::new(), role: Role::Server, folder: PathBuf::new() };
        let side = Side { suite, rules: Vec::new(), sound: BTreeSet::from(["HS-20/1".to_owned()]) };
        let case =
            |id: &str, verdict: &str| Case { id: id.to_owned(), verdict: verdict.to_owned(), got: None };
        let of = |cases| side.judge(Report { stranger: None, cases });
        assert!(matches!(of(vec![case("HS-20/1", "failed")]), Verdict::Caught { .. }));
        for verdict in ["passed", "not reached", "undecided"] {
            let cases = vec![case("HS-20/1", verdict), case("HS-20/2", "failed")];
            assert!(matches!(of(cases), Verdict::Missed { .. }), "{verdict}");
        }
    }

    #[test]
    fn the_baseline_is_what_passes_and_all_else_that_ran_is_a_problem() {
        let case =
            |id: &str, verdict: &str| Case { id: id.to_owned(), verdict: verdict.to_owned(), got: None };
        let cases = vec![case("HS-20/1", "passed"), case("HS-20/2", "failed"), case("HS-20/3", "left out")];
        let (sound, problems) = baseline(Report { stranger: None, cases });
        assert_eq!((sound.len(), problems.len()), (1, 1));
    }

    #[test]
    fn each_role_meets_its_own_checks_and_what_both_share() {
        let switches = rules::switches().unwrap();
        let met = |file: &str| {
            let switch = switches.iter().find(|switch| switch.place.file == file).unwrap();
            ROLES.map(|role| is_met(switch, role))
        };
        assert_eq!(met("crates/core/src/handshake/client/res_pq.rs"), [false, true]);
        assert_eq!(met("crates/core/src/handshake/server/dh_gen.rs"), [true, false]);
        assert_eq!(met("crates/core/src/session/envelope.rs"), [true, true]);
    }
}
