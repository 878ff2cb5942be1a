//! The lines of a client and their connections: begun, renamed, ended, connected again.

use std::sync::Arc;

use crate::env::Env;
use crate::handshake::client::{self as handshake, ClientHandshake};
use crate::keys::kind::KeyKind;
use crate::keys::rotation::growing_delay;
use crate::mutant;
use crate::observer::Observer;

use super::endpoint::{ClientEndpoint, Timer};
use super::event::{Event, LinkId, Output};
use super::line::{Line, LineId, Work};

impl ClientEndpoint {
    /// Begins a key exchange on a line, in place of what was there.
    pub(super) fn begin<O: Observer>(&mut self, line_id: LineId, env: &mut Env<'_, O>) {
        self.end_line(line_id);
        self.timers.clear(Timer::Begin(line_id));
        let kind = match line_id {
            LineId::Perm => KeyKind::Perm,
            _ => KeyKind::Temp { expires_in: self.config.expires_in },
        };
        let config = handshake::ClientConfig {
            exponent_bits: self.config.exponent_bits,
            groups: self.config.groups.clone(),
            patience: self.config.patience,
            ..handshake::ClientConfig::new(Arc::clone(&self.config.keys), kind, self.config.dc)
        };
        match ClientHandshake::new(config, env) {
            Ok(machine) => {
                self.lines.insert(line_id, Line::new(Work::Handshake(Box::new(machine))));
                self.connect(line_id);
            }
            Err(error) => {
                self.tell(Event::HandshakeFailed { error });
                self.begin_later(line_id, env);
            }
        }
    }

    /// Rules HS-38, PF-14: with a delay that grows while it goes on failing.
    pub(super) fn begin_later<O: Observer>(&mut self, line_id: LineId, env: &mut Env<'_, O>) {
        self.end_line(line_id);
        let losses = self.losses;
        self.losses = self.losses.saturating_add(1);
        self.set_delayed(Timer::Begin(line_id), mutant!("PF-14.delay", losses, 0), env);
    }

    /// Sets a timer after a delay that grows with `failures`.
    pub(super) fn set_delayed<O: Observer>(&mut self, timer: Timer, failures: u32, env: &mut Env<'_, O>) {
        let delays = self.config.delays;
        let delay = growing_delay(delays.first, delays.longest, failures, env.random);
        self.timers.set(timer, self.later(delay.unwrap_or(delays.longest)));
    }

    /// Forgets a line, its connection, its timers, and the jobs that are out for it.
    pub(super) fn end_line(&mut self, line_id: LineId) -> Option<Line> {
        let line = self.lines.remove(&line_id)?;
        if let Some(link) = line.link {
            self.links.remove(&link);
            self.outputs.push_back(Output::Close { link });
        }
        self.jobs.retain(|_, (of, _)| *of != line_id);
        let own = match line_id {
            LineId::Perm => &[][..],
            LineId::Next => &[Timer::BindAgain, Timer::DrainedEnough],
            LineId::Active => &[Timer::Renew],
            LineId::Draining => &[Timer::GraceOver],
        };
        let common = [Timer::Reconnect(line_id), Timer::Line(line_id), Timer::End(line_id)];
        common.iter().chain(own).for_each(|timer| self.timers.clear(*timer));
        Some(line)
    }

    /// Gives what one line does to another, connection and all.
    pub(super) fn rename_line(&mut self, from: LineId, to: LineId) {
        let Some(line) = self.lines.remove(&from) else { return };
        for (old, new) in [
            (Timer::Reconnect(from), Timer::Reconnect(to)),
            (Timer::Line(from), Timer::Line(to)),
            (Timer::End(from), Timer::End(to)),
        ] {
            self.timers.rename(old, new);
        }
        if let Some(link) = line.link {
            self.links.insert(link, to);
        }
        self.lines.insert(to, line);
    }

    pub(super) fn connect(&mut self, line_id: LineId) {
        let Some(line) = self.lines.get_mut(&line_id) else { return };
        let link = LinkId(self.next_link);
        self.next_link = self.next_link.wrapping_add(1);
        line.link = Some(link);
        self.links.insert(link, line_id);
        self.outputs.push_back(Output::Connect { link });
    }

    pub(super) fn drop_link<O: Observer>(&mut self, link: LinkId, line_id: LineId, env: &mut Env<'_, O>) {
        self.links.remove(&link);
        self.outputs.push_back(Output::Close { link });
        self.on_link_gone(line_id, env);
    }

    /// The server has gone silent on a line: a new connection is due.
    pub(super) fn drop_link_of<O: Observer>(&mut self, line_id: LineId, env: &mut Env<'_, O>) {
        if let Some(link) = self.lines.get(&line_id).and_then(|line| line.link) {
            self.drop_link(link, line_id, env);
        }
    }

    /// Connects again after a delay, which grows until the server says something that makes sense.
    pub(super) fn on_link_gone<O: Observer>(&mut self, line_id: LineId, env: &mut Env<'_, O>) {
        let Some(line) = self.lines.get_mut(&line_id) else { return };
        line.link = None;
        line.transport = None;
        let failures = line.failures;
        line.failures = line.failures.saturating_add(1);
        if line_id == LineId::Draining {
            // Under a replaced key no new connection is served: what is owed is asked for under the new one.
            return self.abandon_draining(env);
        }
        self.set_delayed(Timer::Reconnect(line_id), failures, env);
    }
}
