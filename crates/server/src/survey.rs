//! What the operator's side asks the engine, and the engine's answers. The engine stays the only owner of what it tells of.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;

use dayfly_core::env::{Clock, Now, SecureRandom};
use dayfly_core::handshake::server::{HandshakeEvent, RunView};
use dayfly_core::observer::Observer;
use dayfly_core::server::{Census, ConnectionId, ConnectionView, Event, KEY_EXCHANGE};
use dayfly_crypto::AuthKeyId;
use dayfly_store::{KeyStore, Listed, TempKeys, Unavailable};
use dayfly_tl::api;
use tokio::sync::oneshot;

use crate::engine::Engine;
use crate::upstream::Upstream;

/// How many refusals are remembered.
const MOST_REFUSALS: usize = 100;
/// How many key exchanges under way are told at once.
const MOST_HANDSHAKES: usize = 20;

/// A question with the place for its answer.
pub(crate) enum Question {
    Figures(oneshot::Sender<Figures>),
    /// The youngest key exchanges under way.
    Handshakes(oneshot::Sender<Vec<RunView>>),
    /// The last refusals, latest first.
    Refusals(oneshot::Sender<Vec<Refusal>>),
    /// Up to `at_most` connections with numbers above `after`.
    Connections {
        after: Option<ConnectionId>,
        at_most: usize,
        tell: oneshot::Sender<Vec<ConnectionView>>,
    },
    /// Up to `at_most` permanent keys of the store with ids above `after`.
    Keys {
        after: Option<AuthKeyId>,
        at_most: usize,
        tell: oneshot::Sender<Result<Vec<Listed>, Unavailable>>,
    },
    /// How many sessions of each of these permanent keys are connected.
    Sessions {
        perms: Vec<AuthKeyId>,
        tell: oneshot::Sender<Vec<usize>>,
    },
}

/// How much of everything there is now.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figures {
    pub(crate) census: Census,
    /// Jobs that wait for a worker.
    pub(crate) crypto_jobs: usize,
    /// What connections and the operator have waiting for the engine.
    pub(crate) commands: usize,
    /// What workers, the store and the back end have waiting for it.
    pub(crate) results: usize,
    pub(crate) draining: bool,
}

/// Something that a peer was refused.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Refusal {
    /// The Unix second.
    pub(crate) at: u64,
    pub(crate) connection: Option<u64>,
    pub(crate) peer: Option<IpAddr>,
    /// What was refused, in a word or two.
    pub(crate) what: &'static str,
    pub(crate) reason: String,
}

/// The last refusals.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    last: VecDeque<Refusal>,
}

impl Refusals {
    /// Remembers the event if it is a refusal; `peer` gives the other end of a connection.
    pub(crate) fn on(&mut self, event: &Event, now: Now, peer: impl Fn(u64) -> Option<IpAddr>) {
        if let Event::TransportError { connection, reason: KEY_EXCHANGE, .. } = event {
            return self.attribute(*connection, peer(*connection));
        }
        let Some((what, reason, connection)) = describe(event) else { return };
        if self.last.len() >= MOST_REFUSALS {
            self.last.pop_front();
        }
        let peer = connection.and_then(peer);
        self.last.push_back(Refusal { at: now.unix_seconds(), connection, peer, what, reason });
    }

    /// The transport error that follows a refusal of the key exchange tells whose it was.
    fn attribute(&mut self, connection: u64, peer: Option<IpAddr>) {
        let last = self.last.back_mut().filter(|last| last.connection.is_none() && last.what == EXCHANGE);
        if let Some(last) = last {
            (last.connection, last.peer) = (Some(connection), peer);
        }
    }

    /// Latest first.
    pub(crate) fn all(&self) -> Vec<Refusal> {
        self.last.iter().rev().cloned().collect()
    }
}

const EXCHANGE: &str = "key exchange";

/// What was refused and why, and on which connection if the event tells.
fn describe(event: &Event) -> Option<(&'static str, String, Option<u64>)> {
    Some(match event {
        Event::Handshake(event) => (EXCHANGE, describe_handshake(event)?, None),
        Event::BindRefused { key, error } => ("binding", format!("{error}, of the key {key}"), None),
        Event::CallRefused { key, method, error, .. } => {
            let method = api::name_of(*method).map_or_else(|| format!("{method:08x}"), str::to_owned);
            ("call", format!("{error}: {method} under the key {key}"), None)
        }
        Event::TransportError { connection, code, reason } => {
            ("message", format!("{code}: {reason}"), Some(*connection))
        }
        Event::Closed { connection, reason } => {
            ("connection", format!("closed: {reason}"), Some(*connection))
        }
        _ => return None,
    })
}

/// Everything after the private-key operation reads the same (rule HS-12).
fn describe_handshake(event: &HandshakeEvent) -> Option<String> {
    Some(match event {
        HandshakeEvent::Refused { check } => format!("{}: {check}", check.rule()),
        HandshakeEvent::RefusedAfterDecryption => "refused after the private-key operation".to_owned(),
        HandshakeEvent::WrongDc { dc } => format!("dc {dc} is not served here"),
        HandshakeEvent::PutOff { reason } => format!("put off for a bound: {}", reason.name()),
        HandshakeEvent::Failed { id } => format!("dh_gen_fail, the last key would have been {id}"),
        _ => return None,
    })
}

impl<C, R, O, K, T, U> Engine<C, R, O, K, T, U>
where
    C: Clock,
    R: SecureRandom,
    O: Observer,
    K: KeyStore,
    T: TempKeys,
    U: Upstream,
{
    /// Answers; whoever asked may have stopped waiting, which is no error.
    pub(crate) fn answer(&self, question: Question) {
        match question {
            Question::Figures(tell) => drop(tell.send(self.figures())),
            Question::Handshakes(tell) => {
                drop(tell.send(self.endpoint.view_handshakes(MOST_HANDSHAKES, self.world.clock.now())));
            }
            Question::Refusals(tell) => drop(tell.send(self.refusals.all())),
            Question::Connections { after, at_most, tell } => {
                drop(tell.send(self.endpoint.view_connections(after, at_most)));
            }
            Question::Keys { after, at_most, tell } => {
                let keys = Arc::clone(&self.keys);
                tokio::spawn(async move { drop(tell.send(keys.perm().list(after, at_most).await)) });
            }
            Question::Sessions { perms, tell } => {
                let count = |perm: &AuthKeyId| self.endpoint.sessions_of(*perm).len();
                drop(tell.send(perms.iter().map(count).collect()));
            }
        }
    }

    fn figures(&self) -> Figures {
        Figures {
            census: self.endpoint.census(),
            crypto_jobs: self.workers.waiting(),
            commands: self.commands.len(),
            results: self.done.len(),
            draining: self.draining,
        }
    }

    /// Counts what happened, and keeps it if it is a refusal.
    pub(crate) fn note(&mut self, event: &Event, now: Now) {
        self.metrics.on_event(event);
        let endpoint = &self.endpoint;
        self.refusals.on(event, now, |connection| endpoint.peer_of(ConnectionId(connection)));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use dayfly_core::handshake::SpecCheck;

    use super::*;

    const NOW: Now = Now { monotonic: Duration::ZERO, unix: Duration::from_secs(9) };
    const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn after(events: &[Event]) -> Vec<Refusal> {
        let mut refusals = Refusals::default();
        events.iter().for_each(|event| refusals.on(event, NOW, |_| Some(PEER)));
        refusals.all()
    }

    fn error(reason: &'static str) -> Event {
        Event::TransportError { connection: 7, code: -404, reason }
    }

    #[test]
    fn a_refusal_of_the_key_exchange_takes_its_connection_from_the_error_that_follows() {
        let refused = Event::Handshake(HandshakeEvent::Refused { check: SpecCheck::WrongFactors });
        let told = after(&[refused, error(KEY_EXCHANGE)]);
        assert_eq!(told.len(), 1);
        assert_eq!((told[0].connection, told[0].peer, told[0].at), (Some(7), Some(PEER), 9));
        assert_eq!(told[0].reason, "HS-10: p and q are not the factors of this run's pq");
    }

    // rule: HS-12
    #[test]
    fn refusals_after_the_private_key_operation_read_the_same() {
        let refused = Event::Handshake(HandshakeEvent::RefusedAfterDecryption);
        let told = after(&[refused.clone(), error(KEY_EXCHANGE), refused, error(KEY_EXCHANGE)]);
        assert_eq!(told[0].reason, "refused after the private-key operation");
        assert_eq!(told[0], told[1]);
    }

    #[test]
    fn the_last_hundred_are_kept_latest_first() {
        let closed = |connection| Event::Closed { connection, reason: "late".to_owned() };
        let told = after(&(0..250).map(closed).collect::<Vec<_>>());
        assert_eq!(told.len(), MOST_REFUSALS);
        assert_eq!(told.first().unwrap().connection, Some(249));
        assert_eq!(told.last().unwrap().connection, Some(150));
    }

    #[test]
    fn what_is_no_refusal_is_not_kept() {
        let made = Event::Connected { connection: 1, peer: PEER };
        assert!(after(&[made, error(KEY_EXCHANGE)]).is_empty());
        assert_eq!(after(&[error("there is no such key")])[0].reason, "-404: there is no such key");
    }
}
