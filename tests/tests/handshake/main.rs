//! The client's and the server's machine, against each other and against puppets that break one rule at a time.

mod client_refusals;
mod jobs;
mod limits;
mod pair;
mod reconfigured;
mod repeats;
mod restarts;
mod retry;
mod server_refusals;
mod support;

use dayfly_core::handshake::SpecCheck;

/// Every check of the key exchange is provoked by a test of this folder, by its name.
#[test]
fn every_check_is_provoked_by_some_test() {
    let sources = [
        include_str!("client_refusals.rs"),
        include_str!("repeats.rs"),
        include_str!("restarts.rs"),
        include_str!("server_refusals.rs"),
    ];
    for check in SpecCheck::ALL {
        let name = format!("SpecCheck::{check:?}");
        let ends = |text: &str| !text.starts_with(|next: char| next.is_ascii_alphanumeric());
        let provoked = sources.iter().any(|source| source.split(&name).skip(1).any(ends));
        assert!(provoked, "{name}");
    }
}
