//! Opens connections to a back end.

use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tonic::codegen::Service;
use tonic::transport::{Channel, Endpoint, Uri};

use super::address::BackendAddress;
use super::certificates::{self, BackendError};
use crate::config::Backend;

/// How long a connection, with TLS, may take to open. Less than a back end has to greet, so that the log tells which it was.
const OPENS_WITHIN: Duration = Duration::from_secs(5);

/// Opens connections to one back end.
#[derive(Clone)]
pub(super) struct Dialer {
    target: Target,
    endpoint: Endpoint,
}

#[derive(Clone)]
enum Target {
    Unix(PathBuf),
    Tls { address: (String, u16), name: ServerName<'static>, connector: TlsConnector },
    Plain(std::net::SocketAddr),
}

impl Dialer {
    /// Reads what is needed from files.
    ///
    /// # Errors
    /// [`BackendError`], which names the file.
    pub(super) fn open(settings: &Backend) -> Result<Self, BackendError> {
        let target = match &settings.address {
            BackendAddress::Unix(path) => Target::Unix(path.clone()),
            BackendAddress::Plain(address) => Target::Plain(*address),
            BackendAddress::Tls { host, port } => Target::Tls {
                address: (host.clone(), *port),
                name: ServerName::try_from(host.clone()).map_err(|_| BackendError::Host(host.clone()))?,
                connector: TlsConnector::from(Arc::new(certificates::client_config(settings)?)),
            },
        };
        // What a request says of itself. tonic is not to see https in the first: TLS is made below it.
        let authority = match &settings.address {
            BackendAddress::Unix(_) => "localhost".to_owned(),
            other => {
                other.to_string().split_once("://").map_or_else(String::new, |(_, rest)| rest.to_owned())
            }
        };
        let scheme = if matches!(target, Target::Tls { .. }) { "https" } else { "http" };
        let uri = |scheme| format!("{scheme}://{authority}").parse::<Uri>();
        let (Ok(plain), Ok(origin)) = (uri("http"), uri(scheme)) else {
            return Err(BackendError::Host(authority));
        };
        // No pings of HTTP/2: many gRPC servers end a connection that sends some every minute. The streams have their own.
        let endpoint = Endpoint::from(plain).origin(origin).connect_timeout(OPENS_WITHIN);
        Ok(Self { target, endpoint })
    }

    /// Opens one connection. When it ends it is not opened again.
    pub(super) async fn dial(&self) -> Result<Channel, tonic::transport::Error> {
        self.endpoint.connect_with_connector(Once(Some(self.target.clone()))).await
    }
}

/// A byte stream of whichever kind.
trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

type Connection = TokioIo<Box<dyn Io>>;

impl Target {
    async fn connect(self) -> io::Result<Connection> {
        let stream: Box<dyn Io> = match self {
            Self::Unix(path) => Box::new(UnixStream::connect(path).await?),
            Self::Plain(address) => Box::new(without_delay(TcpStream::connect(address).await?)?),
            Self::Tls { address: (host, port), name, connector } => {
                let socket = without_delay(TcpStream::connect((host.as_str(), port)).await?)?;
                Box::new(connector.connect(name, socket).await?)
            }
        };
        Ok(TokioIo::new(stream))
    }
}

fn without_delay(socket: TcpStream) -> io::Result<TcpStream> {
    socket.set_nodelay(true)?;
    Ok(socket)
}

/// Connects once: tonic would connect again behind our back, and who dials when is decided elsewhere.
struct Once(Option<Target>);

impl Service<Uri> for Once {
    type Response = Connection;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Connection>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let target = self.0.take();
        Box::pin(async move {
            match target {
                Some(target) => target.connect().await,
                None => Err(io::Error::new(io::ErrorKind::NotConnected, "the connection has ended")),
            }
        })
    }
}
