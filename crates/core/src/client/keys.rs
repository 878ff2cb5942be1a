//! From a temporary key to a bound one, from a bound one to the next, and what to do when one is lost.

use std::collections::BTreeMap;
use std::sync::Arc;

use dayfly_crypto::RandomError;

use crate::env::Env;
use crate::handshake::client::Created;
use crate::holds;
use crate::keys::bind::Binding;
use crate::keys::kind::{TrafficKey, UnboundTempKey};
use crate::keys::rotation::{RotationPlan, ServerClock};
use crate::observer::Observer;
use crate::session::SessionId;
use crate::session::client::{ClientOptions, ClientSession, RpcFailure};

use super::endpoint::{ClientEndpoint, Timer};
use super::event::Event;
use super::line::{Line, LineId, Standing, Traffic, Work};

/// The answer that ends a permanent key which is not young any more (rule PF-12).
const MESSAGE_INVALID: &str = "ENCRYPTED_MESSAGE_INVALID";

impl ClientEndpoint {
    /// A new temporary key: opens a session under it, on the connection that it was made on (rule HS-28).
    pub(super) fn open_session<O: Observer>(
        &mut self,
        line_id: LineId,
        created: Created,
        env: &mut Env<'_, O>,
    ) -> Result<(), RandomError> {
        let Some(expires_at) = created.expires_at else { return Ok(()) };
        let clock = ServerClock::new(env.now, created.time_offset);
        let plan = RotationPlan::new(self.config.rotation, clock, expires_at, env.now, env.random)?;
        let mut id = [0; 8];
        env.random.fill_public(&mut id)?;
        let id = SessionId(i64::from_le_bytes(id) | 1); // never 0
        let options = ClientOptions::default();
        let session = ClientSession::new(id, created.server_salt, created.time_offset, options, env);
        let key = UnboundTempKey::new(Arc::clone(&created.key), expires_at);
        self.tell(Event::TempKeyMade { key: key.id(), expires_at });
        let traffic = Traffic {
            key: TrafficKey::from(&key),
            standing: Standing::Unbound(key),
            session,
            clock,
            plan,
            calls: BTreeMap::new(),
            greeted: false,
            refusals: 0,
        };
        if let Some(line) = self.lines.get_mut(&line_id) {
            line.work = Work::Traffic(Box::new(traffic));
        }
        self.timers.set(Timer::End(line_id), plan.ends_at);
        Ok(())
    }

    /// Binds if both keys are there. Calls in flight under the key before get their answers first (rule PF-13): the
    /// server takes no query under it once the new binding stands.
    pub(super) fn bind_when_ready<O: Observer>(&mut self, env: &mut Env<'_, O>) {
        if self.perm.is_none() || !self.next_is_unbound() {
            return;
        }
        let in_flight = self.active_in_flight();
        if holds!("PF-13.drain", in_flight == 0) {
            self.bind_now(env);
        } else if !self.timers.is_set(Timer::DrainedEnough) {
            self.timers.set(Timer::DrainedEnough, self.later(self.config.delays.drain));
        }
    }

    fn next_is_unbound(&mut self) -> bool {
        let traffic = self.lines.get_mut(&LineId::Next).and_then(Line::traffic);
        traffic.is_some_and(|traffic| matches!(traffic.standing, Standing::Unbound(_)))
    }

    fn active_in_flight(&mut self) -> usize {
        self.lines.get_mut(&LineId::Active).and_then(Line::traffic).map_or(0, |traffic| traffic.calls.len())
    }

    pub(super) fn bind_now<O: Observer>(&mut self, env: &mut Env<'_, O>) {
        self.timers.clear(Timer::DrainedEnough);
        self.timers.clear(Timer::BindAgain);
        let Some(perm) = &self.perm else { return };
        let perm = perm.key.clone();
        let Some(traffic) = self.lines.get_mut(&LineId::Next).and_then(Line::traffic) else { return };
        let Standing::Unbound(key) = &traffic.standing else { return };
        let Some(binding) = binding_of(key) else { return };
        // rule PF-21: built anew for each msg_id that it goes out under.
        let call = traffic.session.call_built(Box::new(move |msg_id, session, random| {
            binding.request(&perm, msg_id, session, random)
        }));
        traffic.standing = Standing::Binding(key.clone(), call);
        self.serve(LineId::Next, env);
    }

    /// The answer to the binding of the key of `Next`.
    pub(super) fn on_bind_answer<O: Observer>(
        &mut self,
        result: Result<Vec<u8>, RpcFailure>,
        env: &mut Env<'_, O>,
    ) {
        let Some(perm) = self.perm.as_ref().map(|perm| perm.key.clone()) else { return };
        let Some(traffic) = self.lines.get_mut(&LineId::Next).and_then(Line::traffic) else { return };
        let Standing::Binding(key, _) = &traffic.standing else { return };
        let key = key.clone();
        let confirmed =
            binding_of(&key).zip(result.as_ref().ok()).and_then(|(b, bytes)| b.confirm(&perm, bytes));
        if let Some(confirmed) = confirmed {
            traffic.standing = Standing::Bound(key.bound(&confirmed));
            return self.move_to_next(env);
        }
        traffic.standing = Standing::Unbound(key);
        self.on_bind_refused(result.err(), env);
    }

    /// `error` is what the server said, `None` if it answered something other than boolTrue.
    fn on_bind_refused<O: Observer>(&mut self, error: Option<RpcFailure>, env: &mut Env<'_, O>) {
        let (code, invalid) = match &error {
            Some(RpcFailure::Error { code, message }) => (*code, message == MESSAGE_INVALID),
            _ => (0, false),
        };
        self.tell(Event::BindRefused { error });
        if invalid && self.perm_is_old(env) {
            self.drop_both_keys(env);
        } else if invalid || code >= 500 || code == 420 {
            // rules PF-12, PF-22: both keys stay, and the binding is tried again with a growing delay.
            let Some(traffic) = self.lines.get_mut(&LineId::Next).and_then(Line::traffic) else { return };
            let refusals = traffic.refusals;
            traffic.refusals = traffic.refusals.saturating_add(1);
            self.set_delayed(Timer::BindAgain, refusals, env);
        } else {
            // rule PF-22: another temporary key, with the server's time taken anew; the permanent one stays.
            self.begin_later(LineId::Next, env);
        }
    }

    /// Rule PF-12: by the server's clock, was the permanent key made over 60 seconds ago?
    fn perm_is_old<O: Observer>(&mut self, env: &Env<'_, O>) -> bool {
        let (Some(clock), Some(perm)) = (self.server_clock(), &self.perm) else { return false };
        let age = clock.unix(env.now).as_secs().saturating_sub(perm.created_at);
        let old = age > self.config.delays.young_key.as_secs();
        crate::mutant!("PF-12.age", old, true)
    }

    /// Rule PF-12: both keys are dropped, both made anew, and bound again.
    fn drop_both_keys<O: Observer>(&mut self, env: &mut Env<'_, O>) {
        if let Some(perm) = self.perm.take() {
            self.tell(Event::PermKeyLost { key: perm.key.id() });
        }
        for line_id in [LineId::Active, LineId::Draining] {
            self.abandon(line_id);
        }
        self.begin(LineId::Perm, env);
        self.begin(LineId::Next, env);
    }

    /// The key of `Next` is bound: from here on calls go under it.
    fn move_to_next<O: Observer>(&mut self, env: &mut Env<'_, O>) {
        self.losses = 0;
        self.abandon(LineId::Draining);
        let owed = self.active_in_flight();
        let replaced = self.lines.get_mut(&LineId::Active).and_then(Line::traffic).map(|old| old.id());
        if owed > 0 {
            self.rename_line(LineId::Active, LineId::Draining);
            self.timers.set(Timer::GraceOver, self.later(self.config.delays.grace));
        } else {
            self.end_line(LineId::Active);
        }
        self.rename_line(LineId::Next, LineId::Active);
        let Some(traffic) = self.lines.get_mut(&LineId::Active).and_then(Line::traffic) else { return };
        let plan = traffic.plan;
        if let Standing::Bound(bound) = &traffic.standing {
            let event = Event::Bound { temp: bound.id(), perm: bound.perm(), replaced };
            self.tell(event);
        }
        self.timers.set(Timer::Renew, plan.renew_at);
        self.issue_held(env);
        self.serve(LineId::Active, env);
    }

    /// Rule PF-13: the next key is made while the current one still serves.
    pub(super) fn renew<O: Observer>(&mut self, env: &mut Env<'_, O>) {
        if !self.lines.contains_key(&LineId::Next) && !self.timers.is_set(Timer::Begin(LineId::Next)) {
            self.begin(LineId::Next, env);
        }
    }

    /// Rule PF-13: nothing is sent under a key that has ended.
    pub(super) fn on_key_end<O: Observer>(&mut self, line_id: LineId, env: &mut Env<'_, O>) {
        self.abandon(line_id);
        if line_id != LineId::Draining {
            self.renew(env);
        }
        self.issue_held(env);
    }

    /// Rule PF-14: -404 under a temporary key says nothing of the permanent one.
    pub(super) fn on_key_lost<O: Observer>(&mut self, line_id: LineId, env: &mut Env<'_, O>) {
        let key = self.lines.get_mut(&line_id).and_then(Line::traffic).map(|traffic| traffic.id());
        self.abandon(line_id);
        if let Some(key) = key.filter(|_| line_id != LineId::Draining) {
            self.tell(Event::TempKeyLost { key });
            if !self.lines.contains_key(&LineId::Next) {
                self.begin_later(LineId::Next, env);
            }
        }
        self.issue_held(env);
    }

    /// Ends the line of an old key; what is still unanswered goes out under the new one (rule PF-14).
    pub(super) fn abandon_draining<O: Observer>(&mut self, env: &mut Env<'_, O>) {
        self.timers.clear(Timer::GraceOver);
        self.abandon(LineId::Draining);
        self.issue_held(env);
    }

    /// Ends a line and holds its unanswered calls, before all those held already, in their order.
    fn abandon(&mut self, line_id: LineId) {
        let Some(mut line) = self.end_line(line_id) else { return };
        if line_id == LineId::Next {
            self.timers.clear(Timer::BindAgain);
            self.timers.clear(Timer::DrainedEnough);
        }
        let unanswered = line.traffic().map(|traffic| traffic.unanswered()).unwrap_or_default();
        for call in unanswered.into_iter().rev() {
            self.held.push_front(call);
        }
    }
}

fn binding_of(key: &UnboundTempKey) -> Option<Binding> {
    Some(Binding { temp: key.id(), expires_at: i32::try_from(key.expires_at()).ok()? })
}
