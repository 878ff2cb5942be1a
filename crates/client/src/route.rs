//! The way to a server: its addresses, and the proxy in front of them.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use dayfly_core::client::ClientConfig;
use tokio::net::TcpStream;
use tokio::time;

use crate::proxy::{MtProxy, Proxy, ProxyError, Socks5, Socks5Error};

/// How long one address may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// The way to a server: its addresses, of which the first one that answers is taken, and the proxy in front of them.
///
/// Text and socket addresses are routes without a proxy.
#[derive(Clone, Debug)]
pub struct Route {
    addresses: Vec<String>,
    proxy: Option<Proxy>,
}

impl Route {
    /// Straight to one of `addresses`, `HOST:PORT` each, tried in their order.
    #[must_use]
    pub fn to_any_of(addresses: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { addresses: addresses.into_iter().map(Into::into).collect(), proxy: None }
    }

    /// To the DC of the configuration, which `proxy` finds by its id.
    #[must_use]
    pub fn by_mtproxy(proxy: MtProxy) -> Self {
        Self { addresses: Vec::new(), proxy: Some(Proxy::Mt(proxy)) }
    }

    /// The same way, through a proxy. An MTProxy finds the DC by its id: no address is told to it.
    #[must_use]
    pub fn through(self, proxy: Proxy) -> Self {
        Self { proxy: Some(proxy), ..self }
    }

    /// Whether an MTProxy leads there.
    pub(crate) fn is_by_mtproxy(&self) -> bool {
        matches!(self.proxy, Some(Proxy::Mt(_)))
    }

    /// Changes what the proxy demands to be different.
    pub(crate) fn prepare(&self, config: &mut ClientConfig) -> Result<(), ProxyError> {
        match &self.proxy {
            Some(Proxy::Mt(proxy)) => proxy.prepare(config),
            Some(Proxy::Socks5(_)) | None => Ok(()),
        }
    }

    /// Opens a connection, 10 seconds an address at most; the error is that of the last address.
    pub(crate) async fn open(&self) -> io::Result<TcpStream> {
        match &self.proxy {
            Some(Proxy::Mt(proxy)) => in_time(TcpStream::connect(proxy.address())).await,
            Some(Proxy::Socks5(proxy)) => self.first(|target| led_by(proxy, target)).await,
            None => self.first(TcpStream::connect).await,
        }
    }

    async fn first<'a, F>(&'a self, open: impl Fn(&'a str) -> F) -> io::Result<TcpStream>
    where
        F: Future<Output = io::Result<TcpStream>>,
    {
        let mut last = io::Error::new(io::ErrorKind::InvalidInput, "there is no address");
        for address in &self.addresses {
            match in_time(open(address)).await {
                Ok(socket) => return Ok(socket),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.proxy {
            Some(proxy @ Proxy::Mt(_)) => proxy.fmt(f),
            Some(proxy) => write!(f, "{} through {proxy}", self.addresses.join(" or ")),
            None => f.write_str(&self.addresses.join(" or ")),
        }
    }
}

impl From<String> for Route {
    fn from(address: String) -> Self {
        Self::to_any_of([address])
    }
}

impl From<&String> for Route {
    fn from(address: &String) -> Self {
        address.clone().into()
    }
}

impl From<&str> for Route {
    fn from(address: &str) -> Self {
        address.to_owned().into()
    }
}

impl From<SocketAddr> for Route {
    fn from(address: SocketAddr) -> Self {
        address.to_string().into()
    }
}

async fn in_time(opening: impl Future<Output = io::Result<TcpStream>>) -> io::Result<TcpStream> {
    let late = |_| io::Error::new(io::ErrorKind::TimedOut, "no connection within 10 seconds");
    let socket = time::timeout(CONNECT_WITHIN, opening).await.map_err(late)??;
    socket.set_nodelay(true)?;
    Ok(socket)
}

async fn led_by(proxy: &Socks5, target: &str) -> io::Result<TcpStream> {
    let connected = TcpStream::connect(proxy.address()).await.map_err(Socks5Error::Unreachable);
    let mut socket = connected.map_err(io::Error::other)?;
    proxy.lead(&mut socket, target).await.map_err(io::Error::other)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(text: &str) -> Proxy {
        text.parse().unwrap()
    }

    #[test]
    fn a_route_is_shown_without_secrets() {
        let route = Route::to_any_of(["a:1", "b:2"]);
        assert_eq!(route.to_string(), "a:1 or b:2");
        let through = route.through(proxy("socks5://user:hunter2@127.0.0.1:1080"));
        assert_eq!(through.to_string(), "a:1 or b:2 through the SOCKS5 proxy at 127.0.0.1:1080");
        assert!(!format!("{through:?}").contains("hunter2"));
    }

    #[tokio::test]
    async fn the_next_address_is_tried_when_one_does_not_answer() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let there = listener.local_addr().unwrap();
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let route = Route::to_any_of([nobody.to_string(), there.to_string()]);
        assert_eq!(route.open().await.unwrap().peer_addr().unwrap(), there);
        let error = Route::to_any_of([nobody.to_string()]).open().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        assert!(Route::to_any_of(Vec::<String>::new()).open().await.is_err());
    }
}
