//! The client as its user sees it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use dayfly_core::client::{ClientConfig, ClientEndpoint, Event, Sent};
use dayfly_core::env::{Clock, SecureRandom};
use dayfly_core::observer::{NoObserver, Observer};
use dayfly_system::{OsRandom, SystemClock};
#[cfg(feature = "grammers")]
use grammers_tl_types::{Deserializable, RemoteCall};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc, oneshot};
#[cfg(feature = "grammers")]
use tokio::time;

use crate::dc::DcId;
use crate::driver::{Command, Counters, Driver, Ticket, Trouble};
use crate::error::{ConnectError, InvokeError};
use crate::route::Route;
use crate::session_store::SessionStore;

/// What a client draws on: time, randomness, somebody who watches.
#[derive(Clone, Debug)]
pub struct World<C, R, O> {
    /// Tells the time.
    pub clock: C,
    /// Gives random bytes.
    pub random: R,
    /// Sees what happens.
    pub observer: O,
}

impl Default for World<SystemClock, OsRandom, NoObserver> {
    /// The system's, and nobody.
    fn default() -> Self {
        Self { clock: SystemClock::default(), random: OsRandom, observer: NoObserver }
    }
}

/// What became of a key, and when.
#[derive(Debug)]
pub struct Happened {
    /// When it did.
    pub at: Instant,
    /// What did.
    pub event: Event,
}

/// What becomes of keys, as it happens.
#[derive(Debug)]
pub struct Events(mpsc::UnboundedReceiver<Happened>);

impl Events {
    /// The next event; `None` once the client is closed.
    pub async fn next(&mut self) -> Option<Happened> {
        self.0.recv().await
    }

    /// The next event, if it happened already.
    pub fn try_next(&mut self) -> Option<Happened> {
        self.0.try_recv().ok()
    }
}

/// What the server sends unasked, as it comes.
#[derive(Debug)]
pub struct Updates(broadcast::Receiver<Arc<[u8]>>);

/// So many updates came and went while nobody took them.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0} updates were missed")]
pub struct Missed(pub u64);

impl Updates {
    /// The next update, serialized, constructor first; `None` once the client is closed.
    ///
    /// # Errors
    /// [`Missed`] if more came than are kept for one who is slow, the oldest of them: what follows comes with the next
    /// call.
    pub async fn next(&mut self) -> Option<Result<Arc<[u8]>, Missed>> {
        match self.0.recv().await {
            Ok(update) => Some(Ok(update)),
            Err(RecvError::Lagged(count)) => Some(Err(Missed(count))),
            Err(RecvError::Closed) => None,
        }
    }
}

/// How many updates are kept for a listener that is slow.
const UPDATES_KEPT: usize = 1024;

/// Tells the driver if its call is dropped before there is an answer.
struct Interest<'a> {
    ticket: Ticket,
    given_up: &'a mpsc::UnboundedSender<Ticket>,
    answered: bool,
}

impl Drop for Interest<'_> {
    fn drop(&mut self) {
        if !self.answered {
            // Fails only if the client is closed, and its calls with it.
            let _ = self.given_up.send(self.ticket);
        }
    }
}

/// A client of one DC. Clones share the connection; the last one dropped closes it.
#[derive(Clone, Debug)]
pub struct Client {
    commands: mpsc::Sender<Command>,
    given_up: mpsc::UnboundedSender<Ticket>,
    updates: broadcast::Sender<Arc<[u8]>>,
    tickets: Arc<AtomicU64>,
    counters: Arc<Counters>,
}

impl Client {
    /// Connects, makes both keys in parallel (the permanent one only if `session` has none), and binds.
    ///
    /// From here on the client renews its temporary key ahead of its end, comes back after lost connections and lost keys,
    /// and never encrypts a message under the permanent key. An address, or a [`Route`] through a proxy, says where it is;
    /// an MTProxy has its say in the transport of `config`.
    ///
    /// # Errors
    /// [`ConnectError`] if the first attempt fails; the client is closed then.
    pub async fn connect(
        route: impl Into<Route>,
        config: ClientConfig,
        session: impl SessionStore + 'static,
    ) -> Result<(Self, Events), ConnectError> {
        Self::connect_with(route, config, session, World::default()).await
    }

    /// The same with another clock, randomness and observer.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn connect_with<C, R, O>(
        route: impl Into<Route>,
        mut config: ClientConfig,
        mut session: impl SessionStore + 'static,
        world: World<C, R, O>,
    ) -> Result<(Self, Events), ConnectError>
    where
        C: Clock + 'static,
        R: SecureRandom + Send + 'static,
        O: Observer + Send + 'static,
    {
        let route = route.into();
        route.prepare(&mut config)?;
        let saved = session.load().map_err(ConnectError::Session)?;
        if let Some(saved) = &saved {
            same_dc(saved.dc, config.dc)?;
        }
        let (commands, received) = mpsc::channel(256);
        let (events, seen) = mpsc::unbounded_channel();
        let (given_up, no_longer_wanted) = mpsc::unbounded_channel();
        let (updates, _) = broadcast::channel(UPDATES_KEPT);
        let (ready, outcome) = oneshot::channel();
        let counters = Arc::new(Counters::default());
        let driver = Driver {
            endpoint: ClientEndpoint::new(config, saved),
            clock: world.clock,
            random: world.random,
            observer: world.observer,
            route: route.clone().into(),
            ended: 0,
            session: Box::new(session),
            commands: received,
            events,
            ready: Some(ready),
            counters: Arc::clone(&counters),
            links: BTreeMap::new(),
            given_up: no_longer_wanted,
            updates: updates.clone(),
            waiting: BTreeMap::new(),
            calls: BTreeMap::new(),
            jobs: Vec::new(),
            working: None,
        };
        tokio::spawn(driver.run());
        match outcome.await {
            Ok(Ok(())) => {
                let tickets = Arc::default();
                Ok((Self { commands, given_up, updates, tickets, counters }, Events(seen)))
            }
            Ok(Err(Trouble::Connect(source))) => Err(ConnectError::Connect { route, source }),
            Ok(Err(Trouble::Handshake(error))) => Err(error.into()),
            Ok(Err(Trouble::Session(error))) => Err(ConnectError::Session(error)),
            Ok(Err(Trouble::Ended)) => Err(ConnectError::Ended { route }),
            Err(_) => Err(ConnectError::Closed),
        }
    }

    /// Makes a call and waits for its result.
    ///
    /// A call that was in flight when a key or a connection was lost is sent again: the server then may run it twice.
    /// Dropping the future is safe: what was not sent is not sent any more, and of what was the server is asked to drop the
    /// answer; whether it runs the call is not known then.
    ///
    /// # Errors
    /// [`InvokeError`].
    #[cfg(feature = "grammers")]
    pub async fn invoke<R: RemoteCall>(&self, request: &R) -> Result<R::Return, InvokeError> {
        let result = self.invoke_bytes(request.to_bytes()).await?;
        R::Return::from_bytes(&result).map_err(InvokeError::Answer)
    }

    /// The same, but waits for the result for so long at most.
    ///
    /// # Errors
    /// [`InvokeError`]; [`InvokeError::Late`] when the time is up.
    #[cfg(feature = "grammers")]
    pub async fn invoke_within<R: RemoteCall>(
        &self,
        request: &R,
        most: std::time::Duration,
    ) -> Result<R::Return, InvokeError> {
        time::timeout(most, self.invoke(request)).await.map_err(|_| InvokeError::Late(most))?
    }

    /// Makes a call that is serialized already, constructor first; gives the result likewise.
    ///
    /// # Errors
    /// [`InvokeError::Rpc`] and [`InvokeError::Closed`].
    pub async fn invoke_bytes(&self, request: Vec<u8>) -> Result<Vec<u8>, InvokeError> {
        let (answer, answered) = oneshot::channel();
        let ticket = Ticket(self.tickets.fetch_add(1, Ordering::Relaxed));
        self.commands.send(Command::Call(ticket, request, answer)).await.map_err(|_| InvokeError::Closed)?;
        let mut interest = Interest { ticket, given_up: &self.given_up, answered: false };
        let result = answered.await;
        interest.answered = true;
        Ok(result.map_err(|_| InvokeError::Closed)??)
    }

    /// What the server sends unasked from now on. Each listener gets all of it.
    #[must_use]
    pub fn updates(&self) -> Updates {
        Updates(self.updates.subscribe())
    }

    /// How many encrypted messages this client sent, by the kind of key they were sealed with.
    #[must_use]
    pub fn sent(&self) -> Sent {
        Sent {
            under_temp: self.counters.under_temp.load(Ordering::Relaxed),
            under_perm: self.counters.under_perm.load(Ordering::Relaxed),
        }
    }
}

/// A media side has the key of its DC.
fn same_dc(saved: i32, configured: i32) -> Result<(), ConnectError> {
    let [saved, configured] = [saved, configured].map(|dc| DcId::from_wire(dc).main());
    if saved == configured { Ok(()) } else { Err(ConnectError::OtherDc { saved, configured }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_slow_listener_is_told_how_much_it_missed_and_goes_on() {
        let (sender, receiver) = broadcast::channel(2);
        let mut updates = Updates(receiver);
        for number in 0..5_u8 {
            sender.send(Arc::from([number])).unwrap();
        }
        drop(sender);
        assert_eq!(updates.next().await, Some(Err(Missed(3))));
        assert_eq!(updates.next().await, Some(Ok(Arc::from([3]))));
        assert_eq!(updates.next().await, Some(Ok(Arc::from([4]))));
        assert_eq!(updates.next().await, None);
    }

    #[tokio::test]
    async fn a_call_that_is_dropped_is_given_up_and_one_that_is_answered_is_not() {
        let (given_up, mut told) = mpsc::unbounded_channel();
        drop(Interest { ticket: Ticket(7), given_up: &given_up, answered: false });
        drop(Interest { ticket: Ticket(8), given_up: &given_up, answered: true });
        drop(given_up);
        assert_eq!(told.recv().await, Some(Ticket(7)));
        assert_eq!(told.recv().await, None);
    }
}
