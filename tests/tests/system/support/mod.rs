//! A server, a client that does as a test says, a clock that is moved by hand, and a store that falls silent.

mod backend;
mod clock;
mod holding;
mod peer;
mod road;
mod server;
mod socks5;
mod store;
mod talk;
mod verbose;
mod visit;

pub(crate) use backend::{BackendStream, TestBackend, socket_in};
pub(crate) use clock::HandClock;
pub(crate) use holding::Holding;
pub(crate) use peer::Peer;
pub(crate) use road::{head_of, masked, read_head};
pub(crate) use server::TestServer;
pub(crate) use socks5::Socks5Proxy;
pub(crate) use store::{SilentStore, Switch};
pub(crate) use talk::{Talk, Trouble, rpc_error};
pub(crate) use verbose::{LONG, Verbose};
pub(crate) use visit::{
    FORM, Operator, Reply, host_of, request, said_to, token_of, try_log_in, until_not_ready,
};

use std::time::Duration;

use dayfly_client::ClientConfig;
use dayfly_core::keys::kind::KeyKind;
use dayfly_core::transport::Kind;

/// Far more than any step takes on a slow machine; reached only by a test that fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// The exponents of these tests: what is tested here does not depend on their length.
pub(crate) const EXPONENT_BITS: usize = 256;
/// A temporary key for a day.
pub(crate) const A_DAY: KeyKind = KeyKind::Temp { expires_in: 86_400 };

/// A shipped client's configuration for `server`.
pub(crate) fn client_config(server: &TestServer) -> ClientConfig {
    let mut config = ClientConfig::new([server.public_key()].into());
    config.exponent_bits = EXPONENT_BITS;
    config
}

/// A peer over plain intermediate, which most tests are content with.
pub(crate) async fn peer_of(server: &TestServer) -> Peer {
    Peer::connect(server.address(), Kind::Intermediate).await
}

/// Waits for something that must happen; a test that waits in vain fails by name.
pub(crate) async fn within<T>(what: &str, happening: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, happening).await {
        Ok(value) => value,
        Err(_) => panic!("{what} did not happen within {} s", PATIENCE.as_secs()),
    }
}
