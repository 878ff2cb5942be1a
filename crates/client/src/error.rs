//! Why there is no session, or no result of a call.

use std::io;
use std::time::Duration;

use dayfly_core::handshake::client::HandshakeError;
use dayfly_core::session::client::RpcFailure;

use crate::dc::DcId;
use crate::proxy::ProxyError;
use crate::route::Route;

/// Why a client could not be connected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The address is none, or nothing answers there; or the proxy leads nowhere.
    #[error("cannot connect to {route}: {source}")]
    Connect {
        /// The way there.
        route: Route,
        /// Why.
        source: io::Error,
    },
    /// The proxy does not fit the configuration.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// What listens there takes connections, and each ends before a key is bound.
    #[error("{route}: connection after connection ended before a key was bound; {}", hint(.route))]
    Ended {
        /// The way there.
        route: Route,
    },
    /// The session holds the permanent key of another DC, which this one does not know.
    #[error("the session holds the key of dc {saved}, and dc {configured} is configured")]
    OtherDc {
        /// The DC of the key, without its media side.
        saved: DcId,
        /// The DC of the configuration, likewise.
        configured: DcId,
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
    #[cfg(feature = "grammers")]
    #[error("the answer is not what the request promises: {0}")]
    Answer(grammers_tl_types::deserialize::Error),
    /// The answer did not come in time. The server may have run the call, or may still do so.
    #[error("no answer within {0:?}")]
    Late(Duration),
    /// The client was closed.
    #[error("the client was closed")]
    Closed,
}

/// The likeliest reasons for connections that end.
fn hint(route: &Route) -> &'static str {
    if route.is_by_mtproxy() {
        "a proxy does so when the secret is not its own"
    } else {
        "it may be no MTProto server, or take another transport, or only those who know a proxy's secret"
    }
}
