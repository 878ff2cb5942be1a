//! What a line has to say: queries of the key exchange, messages of the session, and when it wants to be called again.

use core::time::Duration;
use std::sync::Arc;

use dayfly_crypto::kdf::Side;

use crate::env::Env;
use crate::handshake::client::{self as handshake, Created};
use crate::holds;
use crate::keys::kind::PermKey;
use crate::observer::Observer;
use crate::session::envelope;

use super::config::SavedKey;
use super::endpoint::{ClientEndpoint, Perm, Timer};
use super::event::Event;
use super::line::{LineId, Work};

impl ClientEndpoint {
    pub(super) fn on_timer<O: Observer>(&mut self, timer: Timer, env: &mut Env<'_, O>) {
        match timer {
            Timer::Reconnect(line_id) => self.connect(line_id),
            Timer::Line(line_id) => self.on_line_due(line_id, env),
            Timer::Begin(line_id) => self.begin(line_id, env),
            Timer::Renew => self.renew(env),
            Timer::End(line_id) => self.on_key_end(line_id, env),
            Timer::DrainedEnough => self.on_drained_enough(env),
            Timer::BindAgain => self.bind_when_ready(env),
            Timer::GraceOver => self.abandon_draining(env),
        }
    }

    fn on_line_due<O: Observer>(&mut self, line_id: LineId, env: &mut Env<'_, O>) {
        match self.lines.get_mut(&line_id).map(|line| &mut line.work) {
            Some(Work::Handshake(handshake)) => {
                // An error is found by `serve`, which asks the machine for it.
                let _ = handshake.handle_timeout(env);
            }
            Some(Work::Traffic(traffic)) => traffic.session.handle_timeout(env),
            None => return,
        }
        self.serve(line_id, env);
    }

    /// Takes everything that the machine of a line gives.
    pub(super) fn serve<O: Observer>(&mut self, line_id: LineId, env: &mut Env<'_, O>) {
        match self.lines.get(&line_id).map(|line| &line.work) {
            Some(Work::Handshake(_)) => self.serve_handshake(line_id, env),
            Some(Work::Traffic(_)) => {
                self.take_session_events(line_id, env);
                self.transmit(line_id, env);
            }
            None => return,
        }
        match self.next_call_of(line_id) {
            Some(at) => self.timers.set(Timer::Line(line_id), at),
            None => self.timers.clear(Timer::Line(line_id)),
        }
    }

    fn next_call_of(&self, line_id: LineId) -> Option<Duration> {
        let line = self.lines.get(&line_id)?;
        match &line.work {
            Work::Handshake(handshake) => handshake.poll_timeout(),
            // What cannot be sent is not due: the timer would come back at once, for ever.
            Work::Traffic(traffic) if line.transport.is_some() && !traffic.has_ended(self.now) => {
                traffic.session.poll_timeout()
            }
            Work::Traffic(_) => None,
        }
    }

    fn serve_handshake<O: Observer>(&mut self, line_id: LineId, env: &mut Env<'_, O>) {
        let mut created = None;
        let mut bytes = Vec::new();
        let Some(line) = self.lines.get_mut(&line_id) else { return };
        let Work::Handshake(handshake) = &mut line.work else { return };
        while let Some(output) = handshake.poll_output() {
            match (output, &mut line.transport) {
                (handshake::Output::Send(payload), Some(transport)) => {
                    // A query that cannot be framed is as good as lost on the way: it is sent again.
                    let _ = transport.send(&payload, false, &mut bytes, env.random);
                }
                // Without a connection a query waits: `handle_reconnected` gives it again.
                (handshake::Output::Send(_), None) => {}
                (handshake::Output::Done(key), _) => created = Some(key),
            }
        }
        let (link, error) = (line.link, handshake.error());
        if let Some(link) = link {
            self.send(link, bytes);
        }
        if let Some(created) = created {
            self.on_created(line_id, created, env);
        } else if let Some(error) = error {
            self.tell(Event::HandshakeFailed { error });
            self.begin_later(line_id, env);
        }
    }

    fn on_created<O: Observer>(&mut self, line_id: LineId, created: Created, env: &mut Env<'_, O>) {
        if line_id == LineId::Perm {
            let saved =
                SavedKey { key: Arc::clone(&created.key), created_at: created.created_at, dc: created.dc };
            self.perm = Some(Perm { key: PermKey::new(created.key), created_at: created.created_at });
            self.end_line(LineId::Perm);
            self.tell(Event::PermKeyMade(saved));
        } else if !self.open_session(line_id, created, env) {
            return self.begin_later(line_id, env);
        }
        self.bind_when_ready(env);
    }

    /// Seals and sends what the session of a line has ready. Never under a key that has ended (rule PF-13).
    pub(super) fn transmit<O: Observer>(&mut self, line_id: LineId, env: &mut Env<'_, O>) {
        let Some(line) = self.lines.get_mut(&line_id) else { return };
        let (Some(link), Some(transport)) = (line.link, &mut line.transport) else { return };
        let Work::Traffic(traffic) = &mut line.work else { return };
        if !holds!("PF-13.ended", !traffic.has_ended(self.now)) {
            return;
        }
        let under_perm = self.perm.as_ref().is_some_and(|perm| perm.key.id() == traffic.id());
        let mut bytes = Vec::new();
        while let Some(plaintext) = traffic.session.poll_transmit(env) {
            let sealed = envelope::seal(&traffic.key, Side::Client, &plaintext, env.random);
            let sent =
                sealed.is_ok_and(|frame| transport.send(&frame, false, &mut bytes, env.random).is_ok());
            if !sent {
                return self.drop_link(link, line_id, env);
            }
            self.sent.count(under_perm);
        }
        self.send(link, bytes);
    }
}
