//! The tokio server: listeners, limits, crypto workers, events, shutdown.
//!
//! What it does: accepts TCP connections and moves bytes between them and a
//! [`ServerEndpoint`](dayfly_core::server::ServerEndpoint), which decides everything; does the endpoint's jobs on worker
//! threads, its store requests on the store, its calls on an [`Upstream`].
//!
//! What it does not: it knows no rule of the protocol. Those are in `dayfly-core`, without I/O, where they are tested.
//!
//! ```no_run
//! use std::sync::Arc;
//! use dayfly_core::NoObserver;
//! use dayfly_server::{Config, Identity, Listener, OwnAnswers, Parts, Server, SystemClock};
//! use dayfly_store::{EmbeddedStore, Keys, OsRandom, RamTempKeys, SealingSource};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let config = Config::default();
//! let identity = Identity::open(&config.data_dir)?;
//! let sealing = SealingSource::Directory("sealing-keys".into());
//! let store = EmbeddedStore::open(&config.data_dir.join("keys.redb"), &sealing, Box::new(OsRandom))?;
//! let listener = Listener::bind(config.listen).await?;
//! let upstream = OwnAnswers { address: listener.address(), dc: 2, test: false, tmp_sessions: 1 };
//! let parts = Parts {
//!     clock: SystemClock::default(),
//!     random: OsRandom,
//!     observer: NoObserver,
//!     rsa: identity.keys,
//!     keys: Arc::new(Keys::new(store, RamTempKeys::default())),
//!     upstream,
//! };
//! let server = Server::start(&config, listener, parts)?;
//! server.shut_down().await;
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod admin;
mod advice;
mod config;
mod connection;
mod control;
mod engine;
mod event_log;
mod files;
mod grpc;
mod http;
mod identity;
mod listener;
mod metrics;
mod own_answers;
mod places;
mod proxy;
mod queue;
mod server;
mod settings;
mod survey;
mod tls;
mod upstream;
mod utc;
mod websocket;
mod workers;

pub use admin::{AdminPlace, HEADERS as PAGE_HEADERS, Names as PageNames, accept_plain as accept_pages};
pub use config::{
    Admin as AdminConfig, Allow, Backend, Config, ConfigError, Keys as KeyLifetimes, Limits, ProxyListener,
    RsaKey, Sealing, Tls,
};
pub use control::{CONTROL_FILE, ControlClient, ControlError, ControlSocket};
pub use dayfly_core::handshake::server::ServerKey;
pub use dayfly_core::server::{PushError, Recipient, Revoked, UpstreamCall};
pub use dayfly_core::session::server::Answer;
pub use dayfly_store::OsRandom;
pub use dayfly_system::{SystemClock, forbid_core_dumps, raise_open_files, swap_is_on};
pub use grpc::{BackendAddress, BackendError, BackendHealth, GrpcBackend, NoBackendAddress};
pub use identity::{
    Identity, IdentityError, PRIVATE_FILE, PUBLIC_FILE, generate, read_private, read_public, write_public,
};
pub use listener::Listener;
pub use own_answers::OwnAnswers;
pub use proxy::{Network, NoNetwork};
pub use server::{Parts, Server, StartError};
pub use upstream::{Edge, EdgeError, EdgeRequest, Reply, Upstream};
pub use utc::utc;
