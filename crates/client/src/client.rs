//! The client as its user sees it.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use dayfly_core::client::{ClientConfig, ClientEndpoint, Event, Sent};
use dayfly_core::env::{Clock, SecureRandom};
use dayfly_core::handshake::client::HandshakeError;
use dayfly_core::observer::{NoObserver, Observer};
use dayfly_core::session::client::RpcFailure;
use grammers_tl_types::{Deserializable, RemoteCall};
use tokio::sync::{mpsc, oneshot};

use crate::driver::{Command, Counters, Driver, Trouble};
use crate::session_store::SessionStore;
use crate::system::{OsRandom, SystemClock};

/// What a client draws on: time, randomness, somebody who watches.
#[derive(Debug)]
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

/// Why a client could not be connected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The address is none, or nothing answers there.
    #[error("cannot connect to {address}: {source}")]
    Connect {
        /// The address.
        address: String,
        /// Why.
        source: io::Error,
    },
    /// The key exchange failed.
    #[error("the key exchange failed: {0}")]
    Handshake(#[from] HandshakeError),
    /// The session store failed.
    #[error("the session cannot be kept: {0}")]
    Session(io::Error),
    /// The client was closed meanwhile.
    #[error("the client was closed")]
    Closed,
}

/// Why a call has no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvokeError {
    /// The server refused it.
    #[error(transparent)]
    Rpc(#[from] RpcFailure),
    /// The answer is not of the type that the request promises.
    #[error("the answer is not what the request promises: {0}")]
    Answer(grammers_tl_types::deserialize::Error),
    /// The client was closed.
    #[error("the client was closed")]
    Closed,
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

/// A client of one DC. Clones share the connection; the last one dropped closes it.
#[derive(Clone, Debug)]
pub struct Client {
    commands: mpsc::Sender<Command>,
    counters: Arc<Counters>,
}

impl Client {
    /// Connects, makes both keys in parallel (the permanent one only if `session` has none), and binds.
    ///
    /// From here on the client renews its temporary key ahead of its end, comes back after lost connections and lost keys,
    /// and never encrypts a message under the permanent key.
    ///
    /// # Errors
    /// [`ConnectError`] if the first attempt fails; the client is closed then.
    pub async fn connect(
        address: impl Into<String>,
        config: ClientConfig,
        session: impl SessionStore + 'static,
    ) -> Result<(Self, Events), ConnectError> {
        Self::connect_with(address, config, session, World::default()).await
    }

    /// The same with another clock, randomness and observer.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn connect_with<C, R, O>(
        address: impl Into<String>,
        config: ClientConfig,
        mut session: impl SessionStore + 'static,
        world: World<C, R, O>,
    ) -> Result<(Self, Events), ConnectError>
    where
        C: Clock + 'static,
        R: SecureRandom + Send + 'static,
        O: Observer + Send + 'static,
    {
        let address = address.into();
        let saved = session.load().map_err(ConnectError::Session)?;
        let (commands, received) = mpsc::channel(256);
        let (events, seen) = mpsc::unbounded_channel();
        let (ready, outcome) = oneshot::channel();
        let counters = Arc::new(Counters::default());
        let driver = Driver {
            endpoint: ClientEndpoint::new(config, saved),
            clock: world.clock,
            random: world.random,
            observer: world.observer,
            address: address.clone(),
            session: Box::new(session),
            commands: received,
            events,
            ready: Some(ready),
            counters: Arc::clone(&counters),
            links: BTreeMap::new(),
            waiting: BTreeMap::new(),
            jobs: Vec::new(),
            working: None,
        };
        tokio::spawn(driver.run());
        match outcome.await {
            Ok(Ok(())) => Ok((Self { commands, counters }, Events(seen))),
            Ok(Err(Trouble::Connect(source))) => Err(ConnectError::Connect { address, source }),
            Ok(Err(Trouble::Handshake(error))) => Err(error.into()),
            Ok(Err(Trouble::Session(error))) => Err(ConnectError::Session(error)),
            Err(_) => Err(ConnectError::Closed),
        }
    }

    /// Makes a call and waits for its result.
    ///
    /// A call that was in flight when a key or a connection was lost is sent again: the server then may run it twice.
    ///
    /// # Errors
    /// [`InvokeError`].
    pub async fn invoke<R: RemoteCall>(&self, request: &R) -> Result<R::Return, InvokeError> {
        let result = self.invoke_bytes(request.to_bytes()).await?;
        R::Return::from_bytes(&result).map_err(InvokeError::Answer)
    }

    /// Makes a call that is serialized already, constructor first; gives the result likewise.
    ///
    /// # Errors
    /// [`InvokeError::Rpc`] and [`InvokeError::Closed`].
    pub async fn invoke_bytes(&self, request: Vec<u8>) -> Result<Vec<u8>, InvokeError> {
        let (answer, answered) = oneshot::channel();
        let call = Command::Call(request, answer);
        self.commands.send(call).await.map_err(|_| InvokeError::Closed)?;
        Ok(answered.await.map_err(|_| InvokeError::Closed)??)
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
