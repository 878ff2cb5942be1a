//! The store and the back end.

use dayfly_core::keys::requests::{BindOutcome, StoreOutcome, StoreRequest};
use dayfly_core::server::{Recipient, RevokeId};
use dayfly_core::session::server::Answer;

use super::known::Known;
use super::{Play, session};
use crate::input::Input;

impl Play {
    /// What the store says: what it should, or something else.
    pub(super) fn answer_store(&mut self, how: u8) {
        if self.requests.is_empty() {
            return;
        }
        let (ticket, request) = self.requests.remove(usize::from(how & 3) % self.requests.len());
        let outcome = match how >> 2 {
            3 => StoreOutcome::Unavailable,
            2 => StoreOutcome::Missing,
            _ => self.right_outcome(request),
        };
        self.server.handle_store(ticket, outcome, &mut self.world.env());
        self.settle();
    }

    fn right_outcome(&mut self, request: StoreRequest) -> StoreOutcome {
        match request {
            StoreRequest::Find(id) => match Known::of(id) {
                Some(known) => StoreOutcome::Found(known.record(self.bound.get(&id).copied())),
                None => StoreOutcome::Missing,
            },
            StoreRequest::Insert(_) => StoreOutcome::Inserted,
            StoreRequest::Bind(bind) => {
                self.report.bound += 1;
                let gone: Vec<_> = self.bound.keys().filter(|id| **id != bind.temp).copied().collect();
                let replaced = if bind.capacity > 1 { Vec::new() } else { gone };
                self.bound.retain(|id, _| !replaced.contains(id));
                match self.bound.insert(bind.temp, bind.perm) {
                    Some(_) => StoreOutcome::Bind(BindOutcome::AlreadyBound),
                    None => StoreOutcome::Bind(BindOutcome::Bound { replaced }),
                }
            }
            StoreRequest::DropTemp { except, .. } => {
                let gone = self.bound.keys().filter(|id| !except.contains(id)).copied().collect();
                StoreOutcome::Dropped(gone)
            }
            StoreRequest::Destroy(id) => {
                let gone =
                    self.bound.iter().filter(|(_, perm)| **perm == id).map(|(temp, _)| *temp).collect();
                self.bound.retain(|_, perm| *perm != id);
                StoreOutcome::Destroyed(gone)
            }
            StoreRequest::MarkUsed(_) => StoreOutcome::Done,
        }
    }

    pub(super) fn answer_call(&mut self, how: u8, input: &mut Input<'_>) {
        if self.calls.is_empty() {
            return;
        }
        let call = self.calls.remove(usize::from(how & 3) % self.calls.len());
        let answer = match how >> 2 {
            0 => Answer::Error { code: input.i32(), message: "FLOOD_WAIT_3".to_owned() },
            1 => Answer::Result(vec![how; usize::from(input.u16()) & !3]),
            _ => Answer::Result(input.words()),
        };
        self.server.handle_answer(call.id, answer, &mut self.world.env());
        self.settle();
    }

    /// What neither a client nor the store begins: updates, the end of a key, a source of randomness that fails.
    pub(super) fn act_from_outside(&mut self, how: u8, input: &mut Input<'_>) {
        match how {
            12 => self.revoke(input.u8()),
            13 => self.push(input, |known, _| Recipient::Key(known.id())),
            14 => self.push(input, |known, which| Recipient::Session(known.id(), session(known, which))),
            _ => self.world.chance.fails = how == 15,
        }
    }

    fn revoke(&mut self, pick: u8) {
        self.revoking += 1;
        self.server.handle_revoke(RevokeId(u64::from(pick)), Known::pick(pick).id(), self.world.now);
        self.settle();
    }

    fn push(&mut self, input: &mut Input<'_>, to: impl Fn(Known, u8) -> Recipient) {
        let to = to(Known::pick(input.u8()), input.u8() & 1);
        // An update that is none is refused, and that is all.
        let _ = self.server.handle_push(to, input.short(), &mut self.world.env());
        self.settle();
    }
}
