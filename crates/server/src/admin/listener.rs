//! The sockets of the admin listener: a bounded number of connections, each for one request and a bounded time.

use std::io;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time;
use tokio_rustls::TlsAcceptor;

use super::visitor::Peer;

/// How long a connection may last, from TLS to the last byte of the response.
pub(crate) const PATIENCE: Duration = Duration::from_secs(15);
const MOST_CONNECTIONS: usize = 64;
/// The largest head of a request.
const MOST_BUFFERED: usize = 16 << 10;
const MOST_HEADERS: usize = 64;
/// After a failed accept: no descriptors left, most likely, and that takes a while to pass.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// What the next connection is met with: TLS by the certificate read last, or nothing.
pub(crate) type Meeting = Arc<RwLock<Option<TlsAcceptor>>>;

/// Accepts without TLS until it is aborted, and with it every connection: each is for one request and lasts no longer than
/// `patience`.
pub async fn accept_plain(socket: TcpListener, router: Router, patience: Duration) {
    accept(socket, Meeting::default(), router, patience).await;
}

/// Accepts until it is aborted, and with it every connection.
pub(crate) async fn accept(socket: TcpListener, tls: Meeting, router: Router, patience: Duration) {
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let mut open = JoinSet::new();
    loop {
        // The semaphore is never closed.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        while open.try_join_next().is_some() {}
        let (stream, peer) = match socket.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection to the admin listener could not be accepted");
                time::sleep(ACCEPT_AGAIN).await;
                continue;
            }
        };
        let router = router.clone().layer(Extension(Peer(peer.ip())));
        let tls = tls.read().unwrap_or_else(PoisonError::into_inner).clone();
        open.spawn(async move {
            let served = time::timeout(patience, serve(stream, tls, router)).await;
            match served {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::debug!(%peer, %error, "an admin connection ended"),
                Err(_) => tracing::debug!(%peer, "an admin connection took too long and was cut"),
            }
            drop(place);
        });
    }
}

async fn serve(stream: TcpStream, tls: Option<TlsAcceptor>, router: Router) -> io::Result<()> {
    stream.set_nodelay(true)?;
    match tls {
        Some(tls) => serve_http(tls.accept(stream).await?, router).await,
        None => serve_http(stream, router).await,
    }
}

async fn serve_http<S>(stream: S, router: Router) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .keep_alive(false)
        .max_headers(MOST_HEADERS)
        .max_buf_size(MOST_BUFFERED)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    connection.await.map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use axum::extract::DefaultBodyLimit;
    use axum::routing::post;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    /// What a listener with little patience answers until it closes.
    async fn reply(said: &[u8]) -> String {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let router =
            Router::new().route("/", post(async |body: String| body)).layer(DefaultBodyLimit::max(8));
        let listener = tokio::spawn(accept(socket, Meeting::default(), router, Duration::from_millis(200)));
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(said).await.unwrap();
        let mut words = String::new();
        let closed = time::timeout(Duration::from_secs(60), stream.read_to_string(&mut words)).await;
        closed.expect("the listener closes the connection").unwrap();
        listener.abort();
        words
    }

    #[tokio::test]
    async fn a_request_that_does_not_come_to_its_end_is_cut() {
        for half in [
            "",
            "POST / HT",
            "POST / HTTP/1.1\r\nHost: x\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 8\r\n\r\nhalf",
        ] {
            assert_eq!(reply(half.as_bytes()).await, "", "{half:?}");
        }
    }

    #[tokio::test]
    async fn a_request_that_is_too_large_is_refused() {
        let long_head = format!("POST / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(2 * MOST_BUFFERED));
        assert!(reply(long_head.as_bytes()).await.starts_with("HTTP/1.1 431 "));
        let long_body = "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n123456789";
        assert!(reply(long_body.as_bytes()).await.starts_with("HTTP/1.1 413 "));
    }

    #[tokio::test]
    async fn a_connection_is_for_one_request() {
        let request = "POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi";
        let words = reply(format!("{request}{request}").as_bytes()).await;
        assert_eq!(words.matches("HTTP/1.1 200 ").count(), 1, "{words}");
        assert!(words.ends_with("\r\n\r\nhi"), "{words}");
    }
}
