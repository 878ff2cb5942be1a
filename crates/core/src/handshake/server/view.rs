//! Key exchanges under way, as an operator may see them: whose, how old, at which step.

use core::time::Duration;

use super::run::{Run, State};
use super::{PeerAddr, ServerHandshakes};
use crate::env::Now;

/// A key exchange that has no verdict yet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RunView {
    /// Which of all exchanges since the start it is.
    pub number: u64,
    /// Who began it.
    pub peer: PeerAddr,
    /// How long ago it began.
    pub age: Duration,
    /// What comes next.
    pub awaits: &'static str,
}

impl<C: Copy + Ord> ServerHandshakes<C> {
    /// The `at_most` youngest runs that have no verdict yet, youngest first.
    #[must_use]
    pub fn view(&self, at_most: usize, now: Now) -> Vec<RunView> {
        let limits = &self.desk.config.limits;
        let view = |run: &Run<C>| RunView {
            number: run.head.number,
            peer: run.head.peer,
            age: run.head.age(limits, now.monotonic),
            awaits: awaits(&run.state),
        };
        self.table.youngest(at_most).map(view).collect()
    }
}

fn awaits<C>(state: &State<C>) -> &'static str {
    match state {
        State::AwaitDhParams(_) => "req_DH_params",
        State::Unwrap(_) => "the private-key operation",
        State::MakePublic(_) => "g_a",
        State::AwaitClientParams(_) => "set_client_DH_params",
        State::ComputeKey(_) => "auth_key",
        State::KeepKey(_) => "the store",
        State::Poisoned => "nothing",
    }
}
