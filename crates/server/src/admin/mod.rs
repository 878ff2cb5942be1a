//! The operator's side, on a listener of its own: metrics, health, and a page with keys, connections, refusals and revoke.
//!
//! What it shows it asks of the engine by commands, and what it changes the engine does. Off unless `[admin]` listens.

mod desk;
mod guard;
mod listener;
mod pages;
mod routes;
mod sessions;
mod text;
mod token;
mod visitor;
mod wrong;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use dayfly_store::OsRandom;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use self::desk::Desk;
use self::listener::Meeting;
use crate::config::Config;
use crate::server::StartError;
use crate::tls;

pub(crate) use self::desk::Ways;
pub use self::guard::{HEADERS, Names};
pub use self::listener::accept_plain;
pub(crate) use self::token::{TOKEN_FILE, Token};

/// Where an operator finds the admin page, and the token for it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AdminPlace {
    /// The address that it listens on.
    pub address: SocketAddr,
    /// The page.
    pub url: String,
    /// The file with the token.
    pub token_file: PathBuf,
}

/// The admin listener at work.
pub(crate) struct Admin {
    pub(crate) place: AdminPlace,
    tls: Meeting,
    task: JoinHandle<()>,
}

/// Certificates that were read anew, and are not in use yet.
pub(crate) struct Renewed {
    of: Meeting,
    acceptor: Option<TlsAcceptor>,
}

impl Renewed {
    /// The next connection is met with them.
    pub(crate) fn take_effect(self) {
        *self.of.write().unwrap_or_else(PoisonError::into_inner) = self.acceptor;
    }
}

impl Admin {
    /// Reads or makes the token and begins to serve on `socket`.
    ///
    /// # Errors
    /// [`StartError::AdminToken`] and [`StartError::Tls`].
    pub(crate) fn start(
        config: &Config,
        socket: TcpListener,
        address: SocketAddr,
        ways: Ways,
    ) -> Result<Self, StartError> {
        let admin = &config.admin;
        let token_file = admin.token_file.clone().unwrap_or_else(|| config.data_dir.join(TOKEN_FILE));
        let token = Token::open(&token_file, &mut OsRandom)
            .map_err(|reason| StartError::AdminToken { path: token_file.clone(), reason })?;
        let https = admin.tls.is_some();
        let tls = Arc::new(RwLock::new(acceptor(config)?));
        let names = Names::new(address, &admin.hosts, https);
        let desk = Desk::new(names, https, token, token_file.clone(), ways);
        let router = routes::router(Arc::new(desk));
        let task = tokio::spawn(listener::accept(socket, Arc::clone(&tls), router, listener::PATIENCE));
        let url = url(https, address, admin.hosts.first());
        Ok(Self { place: AdminPlace { address, url, token_file }, tls, task })
    }

    /// Reads the certificate again; nothing changes yet.
    ///
    /// # Errors
    /// [`StartError::Tls`].
    pub(crate) fn renewed(&self, config: &Config) -> Result<Renewed, StartError> {
        Ok(Renewed { of: Arc::clone(&self.tls), acceptor: acceptor(config)? })
    }

    /// Closes the listener and its connections.
    pub(crate) async fn stop(self) {
        self.task.abort();
        // Cancelled, as it should be; from here on the port is free.
        let _ = self.task.await;
    }
}

fn acceptor(config: &Config) -> Result<Option<TlsAcceptor>, StartError> {
    config.admin.tls.as_ref().map(tls::acceptor).transpose()
}

/// By the first name that is configured, else by the address.
fn url(https: bool, address: SocketAddr, name: Option<&String>) -> String {
    let scheme = if https { "https" } else { "http" };
    match name {
        Some(name) => format!("{scheme}://{name}:{}/", address.port()),
        None => format!("{scheme}://{address}/"),
    }
}
