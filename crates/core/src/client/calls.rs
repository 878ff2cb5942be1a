//! Calls of the owner: held until a key is bound, wrapped with client info until the server has it, answered once.

use crate::env::Env;
use crate::mutant;
use crate::observer::Observer;
use crate::session::client::{CallId as SessionCall, ClientEvent, RpcFailure};

use super::endpoint::{ClientEndpoint, Timer};
use super::event::{CallId, Output};
use super::line::{Handed, Line, LineId, Standing, Work};

/// The server has no client info for this key.
const NOT_INITED: &str = "CONNECTION_NOT_INITED";

impl ClientEndpoint {
    /// Sends a call now, or holds it until a key is bound.
    pub(super) fn issue<O: Observer>(&mut self, call: CallId, env: &mut Env<'_, O>) {
        self.held.insert(call);
        self.issue_held(env);
    }

    /// Nobody waits for a call any more: no answer comes, and if it went out the server is asked to drop the answer. The
    /// server may run it all the same.
    pub fn cancel<O: Observer>(&mut self, call: CallId, env: &mut Env<'_, O>) {
        self.now = env.now.monotonic;
        self.held.remove(&call);
        if self.pending.remove(&call).is_none() {
            return;
        }
        let lines: Vec<LineId> = self.lines.keys().copied().collect();
        for line_id in lines {
            let Some(traffic) = self.traffic(line_id) else { continue };
            let handed = traffic.calls.iter().find(|(_, handed)| handed.call == call);
            let Some(inner) = handed.map(|(inner, _)| *inner) else { continue };
            traffic.calls.remove(&inner);
            traffic.session.cancel(inner);
            self.serve(line_id, env);
            self.on_call_over(line_id, env);
        }
    }

    /// A binding may have waited for the call, and a replaced key for its last.
    fn on_call_over<O: Observer>(&mut self, line_id: LineId, env: &mut Env<'_, O>) {
        match line_id {
            LineId::Active => self.bind_when_ready(env),
            LineId::Draining if self.traffic(line_id).is_some_and(|traffic| traffic.calls.is_empty()) => {
                self.abandon_draining(env);
            }
            _ => {}
        }
    }

    /// Sends what was held, in the order in which it was called, if calls go out now.
    pub(super) fn issue_held<O: Observer>(&mut self, env: &mut Env<'_, O>) {
        let Some(line_id) = self.calling_line().filter(|_| !self.is_held_back()) else { return };
        for call in core::mem::take(&mut self.held) {
            self.hand_over(line_id, call);
        }
        self.serve(line_id, env);
    }

    /// Whether new calls wait: for a bound key, or for the time of a binding.
    pub(super) fn is_holding(&self) -> bool {
        self.calling_line().is_none() || self.is_held_back()
    }

    /// The line that calls may go on: that of the bound key, while it has not ended (rules PF-04, PF-05).
    fn calling_line(&self) -> Option<LineId> {
        let usable = |id: &LineId| match self.lines.get(id).map(|line| &line.work) {
            Some(Work::Traffic(traffic)) => !traffic.has_ended(self.now),
            _ => false,
        };
        Some(LineId::Active).filter(usable).or(mutant!(
            "PF-04.bound-first",
            None,
            Some(LineId::Next).filter(usable)
        ))
    }

    /// Rule PF-13: while the next key waits for the answers owed under this one, and while it is being bound, new calls
    /// wait for it: the server would not take them under this one any more.
    fn is_held_back(&self) -> bool {
        let binding = self.lines.get(&LineId::Next).is_some_and(|line| match &line.work {
            Work::Traffic(traffic) => matches!(traffic.standing, Standing::Binding(..)),
            Work::Handshake(_) => false,
        });
        mutant!("PF-13.hold", binding || self.timers.is_set(Timer::DrainedEnough), false)
    }

    /// Gives a call to the session of a line.
    fn hand_over(&mut self, line_id: LineId, call: CallId) {
        let Some(pending) = self.pending.get(&call) else { return };
        let Some(traffic) = self.lines.get_mut(&line_id).and_then(Line::traffic) else { return };
        // rule PF-11: after each binding the client info comes first, and with each call until one was answered.
        let bare = mutant!("PF-11.info", traffic.greeted && !pending.with_info, true);
        let body = if bare { pending.body.clone() } else { self.config.info.introduce(&pending.body) };
        let inner = traffic.session.call(body);
        traffic.calls.insert(inner, Handed { call, bare });
    }

    /// Takes what the session of a line has to say.
    pub(super) fn take_session_events<O: Observer>(&mut self, line_id: LineId, env: &mut Env<'_, O>) {
        while let Some(event) = self.next_session_event(line_id) {
            match event {
                ClientEvent::Answer { call, result } => self.on_session_answer(line_id, call, result, env),
                ClientEvent::Update(bytes) => self.outputs.push_back(Output::Update(bytes)),
                ClientEvent::Silent => self.drop_link_of(line_id, env),
                _ => {}
            }
        }
    }

    fn next_session_event(&mut self, line_id: LineId) -> Option<ClientEvent> {
        self.traffic(line_id)?.session.poll_event()
    }

    fn on_session_answer<O: Observer>(
        &mut self,
        line_id: LineId,
        inner: SessionCall,
        result: Result<Vec<u8>, RpcFailure>,
        env: &mut Env<'_, O>,
    ) {
        let Some(traffic) = self.traffic(line_id) else { return };
        if matches!(&traffic.standing, Standing::Binding(_, bind) if *bind == inner) {
            return self.on_bind_answer(result, env);
        }
        let Some(handed) = traffic.calls.remove(&inner) else { return };
        self.conclude(line_id, handed, result, env);
        self.on_call_over(line_id, env);
    }

    /// Gives an answer to the owner, unless the server only asks for the client info that the call went without.
    fn conclude<O: Observer>(
        &mut self,
        line_id: LineId,
        handed: Handed,
        result: Result<Vec<u8>, RpcFailure>,
        env: &mut Env<'_, O>,
    ) {
        let Handed { call, bare } = handed;
        let not_inited = matches!(&result, Err(RpcFailure::Error { message, .. }) if message == NOT_INITED);
        if let Some(traffic) = self.traffic(line_id) {
            traffic.greeted = !not_inited && (traffic.greeted || !bare);
        }
        if let Some(pending) = self.pending.get_mut(&call).filter(|_| not_inited && bare) {
            pending.with_info = true;
            return self.issue(call, env);
        }
        if self.pending.remove(&call).is_some() {
            self.outputs.push_back(Output::Answer { call, result });
        }
    }
}
