//! From a temporary key to a bound one, and from a bound one to the next.

use std::collections::BTreeMap;
use std::sync::Arc;

use dayfly_crypto::RandomError;

use crate::env::Env;
use crate::handshake::client::Created;
use crate::keys::bind::Binding;
use crate::keys::kind::{TrafficKey, UnboundTempKey};
use crate::keys::rotation::{RotationPlan, ServerClock};
use crate::observer::Observer;
use crate::session::SessionId;
use crate::session::client::{ClientOptions, ClientSession, RpcFailure};
use crate::{holds, mutant};

use super::endpoint::{ClientEndpoint, Timer};
use super::event::Event;
use super::line::{Line, LineId, Standing, Traffic, Work};

/// The answer that ends a permanent key which is not young any more (rule PF-12).
const MESSAGE_INVALID: &str = "ENCRYPTED_MESSAGE_INVALID";
const FLOOD_WAIT: i32 = 420;

impl ClientEndpoint {
    /// A new temporary key: opens a session under it, on the connection that it was made on (rule HS-28). Whether that
    /// could be done.
    pub(super) fn open_session<O: Observer>(
        &mut self,
        line_id: LineId,
        created: Created,
        env: &mut Env<'_, O>,
    ) -> bool {
        let Some(expires_at) = created.expires_at else { return false };
        let Ok(traffic) = self.traffic_under(created, expires_at, env) else { return false };
        self.tell(Event::TempKeyMade { key: traffic.id(), expires_at });
        self.timers.set(Timer::End(line_id), traffic.plan.ends_at);
        if let Some(line) = self.lines.get_mut(&line_id) {
            line.work = Work::Traffic(Box::new(traffic));
        }
        true
    }

    fn traffic_under<O: Observer>(
        &self,
        created: Created,
        expires_at: u64,
        env: &mut Env<'_, O>,
    ) -> Result<Traffic, RandomError> {
        let clock = ServerClock::new(env.now, created.time_offset);
        let plan = RotationPlan::new(self.config.rotation, clock, expires_at, env.now, env.random)?;
        let id = SessionId(i64::from_le_bytes(env.public_bytes()?) | 1); // never 0
        let options = ClientOptions::default();
        let session = ClientSession::new(id, created.server_salt, created.time_offset, options, env);
        let key = UnboundTempKey::new(Arc::clone(&created.key), expires_at);
        Ok(Traffic {
            key: TrafficKey::from(&key),
            standing: Standing::Unbound(key),
            session,
            clock,
            plan,
            calls: BTreeMap::new(),
            greeted: false,
            refusals: 0,
            bound_at: None,
        })
    }

    /// Binds if both keys are there. Calls in flight under the key before get their answers first (rule PF-13): the
    /// server takes no query under it once the new binding stands.
    pub(super) fn bind_when_ready<O: Observer>(&mut self, env: &mut Env<'_, O>) {
        let put_off = self.timers.is_set(Timer::BindAgain);
        if self.perm.is_none() || put_off || !self.next_is_unbound() {
            return;
        }
        let in_flight = self.active_in_flight();
        if holds!("PF-13.drain", in_flight == 0) {
            self.bind_now(env);
        } else if !self.timers.is_set(Timer::DrainedEnough) {
            self.timers.set(Timer::DrainedEnough, self.later(self.config.delays.drain));
        }
    }

    /// Rule PF-13: the calls in flight had their time. While the connection under the old key is being made again their
    /// answers cannot come, and once the new binding stands they could not be asked for any more: it waits on, until the
    /// old key ends.
    pub(super) fn on_drained_enough<O: Observer>(&mut self, env: &mut Env<'_, O>) {
        let cut = self.lines.get(&LineId::Active).is_some_and(|line| line.transport.is_none());
        if cut && self.active_in_flight() > 0 {
            return self.timers.set(Timer::DrainedEnough, self.later(self.config.delays.drain));
        }
        self.bind_now(env);
    }

    /// A connection under the old key is there again: what was in flight is asked for anew, and gets its time anew.
    pub(super) fn drain_anew(&mut self) {
        if self.timers.is_set(Timer::DrainedEnough) {
            self.timers.set(Timer::DrainedEnough, self.later(self.config.delays.drain));
        }
    }

    fn next_is_unbound(&mut self) -> bool {
        self.traffic(LineId::Next).is_some_and(|traffic| matches!(traffic.standing, Standing::Unbound(_)))
    }

    fn active_in_flight(&mut self) -> usize {
        self.traffic(LineId::Active).map_or(0, |traffic| traffic.calls.len())
    }

    pub(super) fn traffic(&mut self, line_id: LineId) -> Option<&mut Traffic> {
        self.lines.get_mut(&line_id).and_then(Line::traffic)
    }

    pub(super) fn bind_now<O: Observer>(&mut self, env: &mut Env<'_, O>) {
        self.timers.clear(Timer::DrainedEnough);
        let Some(perm) = self.perm.as_ref().map(|perm| perm.key.clone()) else { return };
        let Some(traffic) = self.traffic(LineId::Next) else { return };
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
        let Some(traffic) = self.traffic(LineId::Next) else { return };
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
        self.issue_held(env);
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
        } else if invalid || mutant!("PF-22.again", code >= 500 || code == FLOOD_WAIT, false) {
            // rules PF-12, PF-22: both keys stay, and the binding is tried again with a growing delay.
            let Some(traffic) = self.traffic(LineId::Next) else { return };
            let refusals = traffic.refusals;
            traffic.refusals = traffic.refusals.saturating_add(1);
            self.set_delayed(Timer::BindAgain, mutant!("PF-12.delay", refusals, 0), env);
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
        mutant!("PF-12.age", old, true)
    }

    /// The key of `Next` is bound: from here on calls go under it. There is one session, so one temporary key that takes
    /// calls, however many the server's `tmp_sessions` allows (rule PF-20).
    fn move_to_next<O: Observer>(&mut self, env: &mut Env<'_, O>) {
        let replaced = self.traffic(LineId::Active).map(|old| old.id());
        self.drain_active();
        self.rename_line(LineId::Next, LineId::Active);
        let now = self.now;
        let Some(traffic) = self.traffic(LineId::Active) else { return };
        traffic.bound_at = Some(now);
        let plan = traffic.plan;
        if let Standing::Bound(bound) = &traffic.standing {
            let event = Event::Bound { temp: bound.id(), perm: bound.perm(), replaced };
            self.tell(event);
        }
        self.timers.set(Timer::Renew, plan.renew_at);
        self.issue_held(env);
        self.serve(LineId::Active, env);
    }

    /// Rule PF-13: answers owed under the key that was replaced may still come, on the connection that it has.
    fn drain_active(&mut self) {
        self.abandon(LineId::Draining);
        let connected = self.lines.get(&LineId::Active).is_some_and(|line| line.transport.is_some());
        if connected && self.active_in_flight() > 0 {
            self.rename_line(LineId::Active, LineId::Draining);
            self.timers.clear(Timer::Renew);
            self.timers.set(Timer::GraceOver, self.later(self.config.delays.grace));
        } else {
            self.abandon(LineId::Active);
        }
    }

    /// Rule PF-13: the next key is made while the current one still serves.
    pub(super) fn renew<O: Observer>(&mut self, env: &mut Env<'_, O>) {
        if !self.next_is_coming() {
            self.losses = 0; // The key lived its life: what failed before it is no series with what may fail now.
            self.begin(LineId::Next, env);
        }
    }

    pub(super) fn next_is_coming(&self) -> bool {
        self.lines.contains_key(&LineId::Next) || self.timers.is_set(Timer::Begin(LineId::Next))
    }
}

fn binding_of(key: &UnboundTempKey) -> Option<Binding> {
    Some(Binding { temp: key.id(), expires_at: i32::try_from(key.expires_at()).ok()? })
}
