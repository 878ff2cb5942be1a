//! Puts the parts of a running server together, and takes them apart again.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use dayfly_core::env::{Clock, SecureRandom};
use dayfly_core::handshake::server::{KeyRingError, ServerKey};
use dayfly_core::observer::Observer;
use dayfly_core::server::{ConnectionId, ServerEndpoint};
use dayfly_store::{KeyStore, Keys, TempKeys};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio::{select, time};
use tokio_rustls::TlsAcceptor;

use crate::admin::{Admin, AdminPlace, Ways};
use crate::advice::Advice;
use crate::config::Config;
use crate::connection::{self, Arrival};
use crate::engine::{Command, Done, Engine, World};
use crate::event_log::EventLog;
use crate::files;
use crate::listener::{Door, Listener};
use crate::metrics::Metrics;
use crate::places::Places;
use crate::settings::Settings;
use crate::survey::Refusals;
use crate::tls;
use crate::upstream::{Edge, Upstream};
use crate::workers::{self, Deliver, Workers};

/// What connections may have waiting for the engine; beyond it they stop reading.
const COMMANDS: usize = 1024;
/// After a failed accept: no descriptors left, most likely, and that takes a while to pass.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// What a server is built of.
pub struct Parts<C, R, O, K, T, U> {
    /// Tells the time.
    pub clock: C,
    /// Gives random bytes.
    pub random: R,
    /// Sees what happens; [`dayfly_core::NoObserver`] in production.
    pub observer: O,
    /// The RSA keys, in the order in which they are listed to clients; `key.into()` makes one of a private key.
    pub rsa: Vec<ServerKey>,
    /// Where keys are kept.
    pub keys: Arc<Keys<K, T>>,
    /// What answers calls.
    pub upstream: U,
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The RSA keys are none, too many, or the same.
    #[error(transparent)]
    Keys(#[from] KeyRingError),
    /// The event log cannot be opened.
    #[error("{}: cannot be opened: {source}", path.display())]
    EventLog {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The certificate or key of TLS is not usable.
    #[error("{}: cannot be used for TLS: {reason}", path.display())]
    Tls {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The token of the admin page cannot be used.
    #[error("{}: {reason}", path.display())]
    AdminToken {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what is expected.
        reason: String,
    },
    /// The system gives no threads.
    #[error("cannot start worker threads: {0}")]
    Threads(io::Error),
}

/// A running server.
pub struct Server {
    address: SocketAddr,
    commands: mpsc::Sender<Command>,
    edge: Edge,
    engine: JoinHandle<()>,
    acceptors: Vec<JoinHandle<()>>,
    admin: Option<Admin>,
    terms: Arc<RwLock<Terms>>,
    places: Places,
    drain: Duration,
}

impl Server {
    /// Starts to serve. Runs until [`shut_down`](Self::shut_down).
    ///
    /// # Errors
    /// [`StartError`].
    pub fn start<C, R, O, K, T, U>(
        config: &Config,
        listener: Listener,
        parts: Parts<C, R, O, K, T, U>,
    ) -> Result<Self, StartError>
    where
        C: Clock + 'static,
        R: SecureRandom + Send + 'static,
        O: Observer + Send + 'static,
        K: KeyStore,
        T: TempKeys,
        U: Upstream + 'static,
    {
        let (deliver, done) = mpsc::unbounded_channel();
        let (commands, received) = mpsc::channel(COMMANDS);
        let to_engine = deliver.clone();
        // Fails only when the engine is gone, and its results with it.
        let results: Deliver = Arc::new(move |results| drop(to_engine.send(Done::Jobs(results))));
        let mut upstream = parts.upstream;
        let edge = Edge::new(commands.clone());
        upstream.start(edge.clone());
        let metrics = Arc::new(Metrics::new());
        let Settings { endpoint, handshakes, proxy_secrets } = Settings::of(config, &parts.rsa)?;
        let terms = Arc::new(RwLock::new(Terms::of(config)?));
        let engine = Engine {
            endpoint: ServerEndpoint::new(endpoint, handshakes).with_proxy_secrets(proxy_secrets),
            world: World { clock: parts.clock, random: parts.random, observer: parts.observer },
            keys: parts.keys,
            upstream,
            workers: Workers::start(workers::usual_count(), &results).map_err(StartError::Threads)?,
            events: open_event_log(config)?,
            advice: Advice::default(),
            metrics: Arc::clone(&metrics),
            refusals: Refusals::default(),
            draining: false,
            commands: received,
            done,
            deliver,
            connections: BTreeMap::new(),
            revoking: BTreeMap::new(),
            next_revoke: 0,
        };
        let address = listener.address();
        let places = Places::new(most_connections(config));
        let lobby = Lobby {
            engine: commands.clone(),
            places: places.clone(),
            terms: Arc::clone(&terms),
            next: Arc::default(),
        };
        let ways = Ways { engine: commands.clone(), edge: edge.clone(), metrics };
        let admin =
            listener.admin.map(|door| Admin::start(config, door.socket, door.address, ways)).transpose()?;
        let doors = [listener.own].into_iter().chain(listener.others);
        let acceptors = doors.map(|door| tokio::spawn(accept(door, lobby.clone()))).collect();
        let drain = Duration::from_secs(config.drain_seconds);
        let engine = tokio::spawn(engine.run());
        Ok(Self { address, commands, edge, engine, acceptors, admin, terms, places, drain })
    }

    /// Works by `config` and these RSA keys from now on, but for what [`Config::reloaded`] names as fixed. Certificates are read and
    /// the event log is opened anew, so that both may have been replaced where they stand. What is open goes on: connections,
    /// sessions, keys, and runs of the key exchange with the RSA keys that they were offered.
    ///
    /// # Errors
    /// [`StartError`]; nothing has changed then.
    pub async fn reload(&mut self, config: &Config, rsa: &[ServerKey]) -> Result<(), StartError> {
        let (settings, terms) = (Settings::of(config, rsa)?, Terms::of(config)?);
        let events = open_event_log(config)?;
        let admin = self.admin.as_ref().map(|admin| admin.renewed(config)).transpose()?;
        // Here everything that can fail is done.
        *self.terms.write().unwrap_or_else(PoisonError::into_inner) = terms;
        self.places.set_most(most_connections(config));
        self.drain = Duration::from_secs(config.drain_seconds);
        if let Some(admin) = admin {
            admin.take_effect();
        }
        // Fails only if the engine has ended, and then there is nothing left that could work by it.
        let _ = self.commands.send(Command::Reconfigure { settings: Box::new(settings), events }).await;
        Ok(())
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the admin page is, if it is anywhere.
    #[must_use]
    pub fn admin(&self) -> Option<&AdminPlace> {
        self.admin.as_ref().map(|admin| &admin.place)
    }

    /// By which updates are sent, keys revoked, and the connected asked for.
    #[must_use]
    pub fn edge(&self) -> Edge {
        self.edge.clone()
    }

    /// Takes no more connections, answers what is owed for at most `drain_seconds`, and ends.
    pub async fn shut_down(self) {
        let until = Instant::now() + self.drain;
        for acceptor in self.acceptors {
            acceptor.abort();
            // Cancelled, as it should be; from here on the port is free.
            let _ = acceptor.await;
        }
        // Fails only if the engine has ended already.
        let _ = self.commands.send(Command::Drain { patience: self.drain }).await;
        if let Err(error) = self.engine.await {
            tracing::error!(%error, "the engine did not end well");
        }
        // The engine has closed every connection; what was queued for them may still be on its way out.
        if time::timeout_at(until, self.places.all_free()).await.is_err() {
            tracing::warn!("some connections took too long to close and were cut");
        }
        if let Some(admin) = self.admin {
            admin.stop().await;
        }
    }
}

fn open_event_log(config: &Config) -> Result<EventLog, StartError> {
    config.event_log.as_ref().map_or_else(
        || Ok(EventLog::default()),
        |path| EventLog::open(path).map_err(|source| StartError::EventLog { path: path.clone(), source }),
    )
}

/// As many as are configured, or as there are files for.
fn most_connections(config: &Config) -> usize {
    config.limits.connections.unwrap_or_else(files::connections_with_files)
}

/// What all acceptors share.
#[derive(Clone)]
struct Lobby {
    engine: mpsc::Sender<Command>,
    places: Places,
    terms: Arc<RwLock<Terms>>,
    /// The number of the next connection.
    next: Arc<AtomicU64>,
}

/// What a connection gets at its beginning and keeps to its end.
#[derive(Clone)]
struct Terms {
    frame_bytes: usize,
    tls: Option<TlsAcceptor>,
}

impl Terms {
    fn of(config: &Config) -> Result<Self, StartError> {
        let tls = config.tls.as_ref().map(tls::acceptor).transpose()?;
        Ok(Self { frame_bytes: config.limits.frame_bytes, tls })
    }
}

/// Accepts for ever, and waits for no peer: what a connection is, its own task finds out (rule TR-02). A connection over
/// the bound is closed without a word: it has no framing yet to say -429 in.
async fn accept(door: Door, lobby: Lobby) {
    while let Some((stream, peer)) = accept_one(&door.socket, &lobby.engine).await {
        let Some(place) = lobby.places.take() else {
            tracing::debug!(%peer, "no place for another connection");
            continue;
        };
        let Terms { frame_bytes, tls } = lobby.terms.read().unwrap_or_else(PoisonError::into_inner).clone();
        let arrival = Arrival {
            id: ConnectionId(lobby.next.fetch_add(1, Ordering::Relaxed)),
            peer,
            balancers: door.balancers.clone(),
            frame_bytes,
            tls,
            engine: lobby.engine.clone(),
            place,
        };
        tokio::spawn(connection::serve(stream, arrival));
    }
}

/// `None` when the engine is gone.
async fn accept_one(socket: &TcpListener, engine: &mpsc::Sender<Command>) -> Option<(TcpStream, SocketAddr)> {
    loop {
        select! {
            () = engine.closed() => return None,
            accepted = socket.accept() => match accepted {
                Ok(accepted) => return Some(accepted),
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    time::sleep(ACCEPT_AGAIN).await;
                }
            }
        }
    }
}
