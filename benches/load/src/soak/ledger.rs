//! What everybody saw: the back end of calls, clients of answers and updates, the relay of cuts. Compared at the end.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// An update is excused if its client's connection was cut so long after it was given to the server, at most.
const CUT_AFTER: Duration = Duration::from_secs(3);
/// Or if the key was replaced so long before or after: the old session's last words are not read any more.
const REPLACED_WITHIN: Duration = Duration::from_secs(1);

/// One record for the whole run.
pub(crate) struct Ledger(Mutex<Vec<Client>>);

/// What concerns one client.
#[derive(Default)]
struct Client {
    /// How often the back end ran each of its calls, by number.
    ran: Vec<u8>,
    /// The session in which the back end saw its latest call.
    session: i64,
    /// Keys that the server forgot before their time.
    keys_lost: usize,
    /// Calls that were answered, each with its own echo.
    answered: usize,
    /// Calls that came to the back end under a permanent key.
    under_perm: usize,
    /// What went wrong.
    faults: Vec<String>,
    updates: Vec<Update>,
    cuts: Vec<Instant>,
    bound: Vec<Instant>,
}

struct Update {
    at: Instant,
    /// How many sessions it went to.
    sessions: usize,
    seen: usize,
}

/// What it comes to.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Sums {
    pub(crate) calls: usize,
    /// Calls that the back end never saw, or whose client got no answer.
    pub(crate) lost: usize,
    pub(crate) run_twice: usize,
    pub(crate) under_perm: usize,
    pub(crate) cuts: usize,
    pub(crate) bindings: usize,
    pub(crate) keys_lost: usize,
    pub(crate) updates: usize,
    pub(crate) delivered: usize,
    /// Updates for which no session was connected, as the server said at once.
    pub(crate) to_nobody: usize,
    /// Updates that a cut, or the end of their key, kept from their client.
    pub(crate) excused: usize,
    /// Updates that went missing without a reason, or came more often than they were sent.
    pub(crate) unexplained: usize,
    pub(crate) faults: Vec<String>,
}

impl Ledger {
    pub(crate) fn new(clients: usize) -> Self {
        Self(Mutex::new((0..clients).map(|_| Client::default()).collect()))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Client>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<R: Default>(&self, client: usize, act: impl FnOnce(&mut Client) -> R) -> R {
        self.lock().get_mut(client).map(act).unwrap_or_default()
    }

    /// The client is about to make a call; gives its number.
    pub(crate) fn make_call(&self, client: usize) -> usize {
        self.with(client, |client| {
            client.ran.push(0);
            client.ran.len() - 1
        })
    }

    /// The back end runs a call.
    pub(crate) fn run(&self, client: usize, call: usize, session: i64, under_perm: bool) {
        self.with(client, |client| {
            client.under_perm += usize::from(under_perm);
            let before = std::mem::replace(&mut client.session, session);
            match client.ran.get_mut(call) {
                Some(times @ 0) => *times = 1,
                Some(times) => {
                    *times = times.saturating_add(1);
                    let which = if before == session { "the same" } else { "another" };
                    client.faults.push(format!("call {call} was run again, in {which} session"));
                }
                None => client.faults.push(format!("call {call} was run and never made")),
            }
        });
    }

    pub(crate) fn answered(&self, client: usize) {
        self.with(client, |client| client.answered += 1);
    }

    pub(crate) fn fault(&self, client: usize, fault: String) {
        self.with(client, |client| client.faults.push(fault));
    }

    pub(crate) fn key_lost(&self, client: usize) {
        self.with(client, |client| client.keys_lost += 1);
    }

    pub(crate) fn cut(&self, client: usize) {
        self.with(client, |client| client.cuts.push(Instant::now()));
    }

    pub(crate) fn bound(&self, client: usize, at: Instant) {
        self.with(client, |client| client.bound.push(at));
    }

    /// The back end is about to send an update; gives its number.
    pub(crate) fn send_update(&self, client: usize) -> usize {
        self.with(client, |client| {
            client.updates.push(Update { at: Instant::now(), sessions: 0, seen: 0 });
            client.updates.len() - 1
        })
    }

    /// The server says to how many sessions an update went.
    pub(crate) fn update_sent(&self, client: usize, update: usize, sessions: usize) {
        self.with(client, |client| {
            if let Some(update) = client.updates.get_mut(update) {
                update.sessions = sessions;
            }
        });
    }

    pub(crate) fn update_seen(&self, client: usize, update: usize) {
        self.with(client, |client| match client.updates.get_mut(update) {
            Some(update) => update.seen += 1,
            None => client.faults.push(format!("update {update} came and was never sent")),
        });
    }

    /// Adds up what is there by now.
    pub(crate) fn sums(&self) -> Sums {
        let mut sums = Sums::default();
        for (number, client) in self.lock().iter().enumerate() {
            sums.add(number, client);
        }
        sums
    }
}

impl Sums {
    /// Nothing went missing, and nothing was done twice.
    pub(crate) fn all_well(&self) -> bool {
        let wrong = self.lost + self.run_twice + self.under_perm + self.unexplained + self.faults.len();
        wrong == 0
    }

    fn add(&mut self, number: usize, client: &Client) {
        let never = client.ran.iter().filter(|times| **times == 0).count();
        let unanswered = client.ran.len().saturating_sub(client.answered);
        self.calls += client.ran.len();
        self.lost += never.max(unanswered);
        self.run_twice += client.ran.iter().filter(|times| **times > 1).count();
        self.under_perm += client.under_perm;
        self.cuts += client.cuts.len();
        self.bindings += client.bound.len();
        self.keys_lost += client.keys_lost;
        self.faults.extend(client.faults.iter().map(|fault| format!("client {number}: {fault}")));
        client.updates.iter().for_each(|update| self.add_update(client, update));
    }

    fn add_update(&mut self, client: &Client, update: &Update) {
        self.updates += 1;
        match (update.sessions, update.seen) {
            (sessions, seen) if seen > sessions => self.unexplained += 1,
            (0, _) => self.to_nobody += 1,
            (_, 0) if client.excuses(update.at) => self.excused += 1,
            (_, 0) => self.unexplained += 1,
            _ => self.delivered += 1,
        }
    }
}

impl Client {
    fn excuses(&self, at: Instant) -> bool {
        let cut = self.cuts.iter().any(|cut| {
            let after = cut.checked_duration_since(at);
            after.is_some_and(|after| after <= CUT_AFTER) || at.duration_since(*cut) <= REPLACED_WITHIN
        });
        let replaced =
            self.bound.iter().any(|bound| bound.max(&at).duration_since(*bound.min(&at)) <= REPLACED_WITHIN);
        cut || replaced
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ledger of one client, with one call that went well.
    fn one_call() -> Ledger {
        let ledger = Ledger::new(1);
        let call = ledger.make_call(0);
        ledger.run(0, call, 1, false);
        ledger.answered(0);
        ledger
    }

    #[test]
    fn a_run_without_trouble_is_well() {
        let sums = one_call().sums();
        assert!(sums.all_well());
        assert_eq!((sums.calls, sums.lost, sums.run_twice), (1, 0, 0));
    }

    #[test]
    fn a_call_that_was_not_run_not_answered_or_run_twice_is_found() {
        let ledger = one_call();
        ledger.make_call(0);
        assert_eq!((ledger.sums().lost, ledger.sums().all_well()), (1, false));
        let ledger = one_call();
        let unanswered = ledger.make_call(0);
        ledger.run(0, unanswered, 1, false);
        assert_eq!((ledger.sums().lost, ledger.sums().all_well()), (1, false));
        let ledger = one_call();
        ledger.run(0, 0, 2, false);
        assert_eq!((ledger.sums().run_twice, ledger.sums().all_well()), (1, false));
        assert_eq!(ledger.sums().faults, ["client 0: call 0 was run again, in another session"]);
    }

    #[test]
    fn a_call_that_nobody_made_or_under_a_permanent_key_is_found() {
        let ledger = one_call();
        ledger.run(0, 9, 1, false);
        assert_eq!(ledger.sums().faults, ["client 0: call 9 was run and never made"]);
        let ledger = Ledger::new(1);
        let call = ledger.make_call(0);
        ledger.run(0, call, 1, true);
        ledger.answered(0);
        assert!(!ledger.sums().all_well());
    }

    #[test]
    fn an_update_is_delivered_or_excused_or_unexplained() {
        let ledger = Ledger::new(1);
        for (sessions, seen) in [(1, 1), (0, 0), (1, 0), (1, 2)] {
            let update = ledger.send_update(0);
            ledger.update_sent(0, update, sessions);
            (0..seen).for_each(|_| ledger.update_seen(0, update));
        }
        let sums = ledger.sums();
        assert_eq!((sums.delivered, sums.to_nobody, sums.excused, sums.unexplained), (1, 1, 0, 2));
        ledger.cut(0);
        let sums = ledger.sums();
        assert_eq!(
            (sums.excused, sums.unexplained),
            (1, 1),
            "a cut excuses what is missing, not what is too much"
        );
    }
}
