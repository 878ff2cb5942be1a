//! The lab's control API and its page: on loopback, JSON in and out, and deaf to every page but its own.

mod api;
mod desk;
mod guard;
mod hexdump;
mod pages;
mod routes;
#[cfg(test)]
mod tests;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use self::desk::{Desk, DeskParts};

/// How long a request may take, a whole transcript among them.
const PATIENCE: Duration = Duration::from_secs(600);

/// A console that runs. Dropping it closes its listener and its connections.
pub struct Console(JoinHandle<()>);

impl Console {
    /// Begins to serve on `listener`.
    ///
    /// # Errors
    /// Those of the socket.
    pub fn start(listener: TcpListener, parts: DeskParts) -> io::Result<Self> {
        let desk = Desk::new(listener.local_addr()?, parts);
        let router = routes::router(Arc::new(desk));
        Ok(Self(tokio::spawn(dayfly_server::accept_pages(listener, router, PATIENCE))))
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        self.0.abort();
    }
}
