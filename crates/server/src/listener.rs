//! The addresses that a server listens on.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpSocket};

use crate::config::Config;
use crate::proxy::Network;
use crate::server::StartError;

/// Connections that the system may have ready before they are accepted; it cuts this to its own bound (on Linux
/// `net.core.somaxconn`). After a restart all clients come at once, and whom there is no room for is reset.
const BACKLOG: u32 = 4096;

/// Bound listeners, before anything is served.
pub struct Listener {
    /// The one that clients are told.
    pub(crate) own: Door,
    pub(crate) others: Vec<Door>,
    /// The operator's.
    pub(crate) admin: Option<Door>,
}

/// One address that is listened on.
pub(crate) struct Door {
    pub(crate) socket: TcpListener,
    pub(crate) address: SocketAddr,
    /// Set where balancers stand in front.
    pub(crate) balancers: Option<Arc<[Network]>>,
}

impl Door {
    fn bind(address: SocketAddr, balancers: Option<Arc<[Network]>>) -> Result<Self, StartError> {
        let (socket, address) = listen(address).map_err(|source| StartError::Listen { address, source })?;
        Ok(Self { socket, address, balancers })
    }
}

impl Listener {
    /// Binds one address for clients. A port of 0 lets the system choose.
    ///
    /// # Errors
    /// [`StartError::Listen`].
    pub async fn bind(address: SocketAddr) -> Result<Self, StartError> {
        Ok(Self { own: Door::bind(address, None)?, others: Vec::new(), admin: None })
    }

    /// Binds all that the configuration names: the addresses for clients, for balancers, and for the operator.
    ///
    /// # Errors
    /// [`StartError::Listen`].
    pub async fn bind_all(config: &Config) -> Result<Self, StartError> {
        let mut listener = Self::bind(config.listen).await?;
        for address in &config.listen_also {
            listener.others.push(Door::bind(*address, None)?);
        }
        for proxy in &config.proxy {
            let balancers = proxy.networks.iter().copied().collect();
            listener.others.push(Door::bind(proxy.listen, Some(balancers))?);
        }
        if let Some(address) = config.admin.listen {
            listener.admin = Some(Door::bind(address, None)?);
        }
        Ok(listener)
    }

    /// Where it listens for clients; the first address if there are several.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.own.address
    }

    /// Where else it listens, and whether for balancers.
    pub fn others(&self) -> impl Iterator<Item = (SocketAddr, bool)> {
        self.others.iter().map(|door| (door.address, door.balancers.is_some()))
    }
}

/// Listens, and tells where: the port may have been the system's to choose.
fn listen(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // Else connections of the server before this one, which linger, would hold the address.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    let listener = socket.listen(BACKLOG)?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpStream;
    use tokio::time::{Duration, timeout};

    #[tokio::test]
    async fn many_connections_may_wait_to_be_accepted() {
        let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let mut waiting = Vec::new();
        for _ in 0..500 {
            let connected = timeout(Duration::from_secs(5), TcpStream::connect(listener.address())).await;
            waiting.push(connected.expect("there is room").unwrap());
        }
    }
}
