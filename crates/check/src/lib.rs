//! The conformance suite of MTProto's keys, and the lab.
//!
//! What it is: [`server`] plays a hostile client against a server, [`client`] a hostile server against a client, rule by rule, in
//! cases, each with an id (`HS-20/3`), the rule behind it, one sentence of why it matters, what was sent, what is expected and what
//! came; the rules are the table in `docs/src/rules.md`. [`lab`] is an offline server for the tests of a client library: faults, a
//! clock to set, a transcript of everything, which [`dissect`] takes apart field by field and [`console`] shows as pages.
//!
//! What it is not: a load tool, or a scanner for machines that are not yours. Everything that it draws comes from a seed
//! that it prints, so a run can be repeated byte for byte, and no key that it makes is a secret.
//!
//! ```
//! use dayfly_check::case::Pattern;
//!
//! let pattern: Pattern = "HS-2?".parse()?;
//! let cases = dayfly_check::server::cases();
//! assert!(cases.iter().any(|case| case.rule() == "HS-20" && pattern.chooses(case)));
//! assert!(cases.iter().all(|case| case.rule() != "HS-02" || !pattern.chooses(case)));
//! # Ok::<(), dayfly_check::case::NoPattern>(())
//! ```
#![forbid(unsafe_code)]

pub mod case;
pub mod client;
pub mod console;
pub mod decode;
mod dice;
pub mod dissect;
pub mod keylog;
pub mod lab;
pub mod lab_key;
pub mod private_file;
pub mod recording;
pub mod report;
pub mod run;
pub mod scenario;
pub mod server;
pub mod transcript;
pub mod verdict;
