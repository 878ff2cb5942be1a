//! The tokio client: connects, makes a permanent and a temporary key, binds them, renews ahead, recovers.
//!
//! What it does: moves bytes between TCP connections and a [`ClientEndpoint`](dayfly_core::client::ClientEndpoint), which
//! decides everything, and keeps the permanent key in a [`SessionStore`]. A [`Route`] leads through a SOCKS5 proxy or an
//! MTProxy; [`Dcs`] opens several DCs by their ids. With the feature `grammers` any request of
//! `grammers_tl_types` can be invoked, which costs its compile time; without it requests are bytes.
//!
//! What it does not: it knows no rule of the protocol (they are in `dayfly-core`, without I/O), and nothing of logging in.
//!
#![cfg_attr(feature = "grammers", doc = "```no_run")]
#![cfg_attr(not(feature = "grammers"), doc = "```ignore")]
//! use dayfly_client::{Client, ClientConfig, FileSession, PublicKey, forbid_core_dumps};
//! use grammers_tl_types::functions::help::GetNearestDc;
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! forbid_core_dumps()?; // a core dump would write the keys to a disk
//! let server = PublicKey::from_pem(&std::fs::read_to_string("server.pub.pem")?)?;
//! let config = ClientConfig::new([server].into());
//! let (client, mut events) = Client::connect("127.0.0.1:4430", config, FileSession::new("me.session")).await?;
//! tokio::spawn(async move {
//!     while let Some(happened) = events.next().await {
//!         println!("{:?}", happened.event);
//!     }
//! });
//! let nearest = client.invoke(&GetNearestDc {}).await?;
//! # let _ = nearest;
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod client;
mod dc;
mod dcs;
mod driver;
mod error;
mod link;
mod proxy;
mod route;
mod session_store;
mod sessions;

pub use client::{Client, Events, Happened, Missed, Updates, World};
pub use dayfly_core::client::{ClientConfig, ClientInfo, Delays, Event, SavedKey, Sent};
pub use dayfly_core::handshake::client::HandshakeError;
pub use dayfly_core::session::client::RpcFailure;
pub use dayfly_core::transport::{Kind as TransportKind, Obfuscation};
pub use dayfly_crypto::rsa_key::PublicKey;
pub use dayfly_system::{OsRandom, SystemClock, forbid_core_dumps, swap_is_on};
pub use dc::{Dc, DcId, DcTable};
pub use dcs::{DcError, DcEvents, Dcs};
pub use error::{ConnectError, InvokeError};
pub use proxy::{MtProxy, Proxy, ProxyError, Socks5, Socks5Error};
pub use route::Route;
pub use session_store::{FileSession, MemorySession, SessionStore};
pub use sessions::{FileSessions, MemorySessions, Sessions};
