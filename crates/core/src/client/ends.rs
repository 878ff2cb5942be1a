//! The ends of keys: in their time, lost by the server, or given up; and what becomes of the calls under them.

use crate::env::Env;
use crate::mutant;
use crate::observer::Observer;

use super::endpoint::ClientEndpoint;
use super::event::Event;
use super::line::LineId;

impl ClientEndpoint {
    /// Rule PF-13: nothing is sent under a key that has ended; another one is made and bound.
    pub(super) fn on_key_end<O: Observer>(&mut self, line_id: LineId, env: &mut Env<'_, O>) {
        self.abandon(line_id);
        if line_id != LineId::Draining {
            self.renew(env);
        }
        self.go_on(env);
    }

    /// Rule PF-14: -404 under a temporary key says nothing of the permanent one. Anybody on the way can forge one: that the
    /// key was of use before ends no series, only that it served for as long as the delay may grow.
    pub(super) fn on_key_lost<O: Observer>(&mut self, line_id: LineId, env: &mut Env<'_, O>) {
        let lost = self.traffic(line_id).map(|traffic| (traffic.id(), traffic.bound_at));
        self.abandon(line_id);
        if let Some((key, bound_at)) = lost.filter(|_| line_id != LineId::Draining) {
            self.tell(Event::TempKeyLost { key });
            if bound_at.is_some_and(|at| self.now.saturating_sub(at) > self.config.delays.longest) {
                self.losses = 0; // It served for long: this is no series.
            }
            if !self.next_is_coming() {
                self.begin_later(LineId::Next, env);
            }
        }
        self.go_on(env);
    }

    /// Rule PF-12: both keys are dropped, both made anew, and bound again.
    pub(super) fn drop_both_keys<O: Observer>(&mut self, env: &mut Env<'_, O>) {
        if let Some(perm) = self.perm.take() {
            self.tell(Event::PermKeyLost { key: perm.key.id() });
        }
        self.abandon(LineId::Active);
        self.abandon(LineId::Draining);
        self.begin(LineId::Perm, env);
        self.begin(LineId::Next, env);
    }

    /// Ends the line of an old key; what is still unanswered goes out under the new one (rule PF-14).
    pub(super) fn abandon_draining<O: Observer>(&mut self, env: &mut Env<'_, O>) {
        self.abandon(LineId::Draining);
        self.go_on(env);
    }

    /// A key less: the next one may have waited for the calls under it, and calls may have been held.
    fn go_on<O: Observer>(&mut self, env: &mut Env<'_, O>) {
        self.bind_when_ready(env);
        self.issue_held(env);
    }

    /// Ends a line and holds its unanswered calls.
    pub(super) fn abandon(&mut self, line_id: LineId) {
        let Some(mut line) = self.end_line(line_id) else { return };
        let Some(traffic) = line.traffic() else { return };
        let unanswered = traffic.calls.values().map(|handed| handed.call);
        mutant!("PF-14.again", self.held.extend(unanswered), drop(unanswered));
    }
}
