//! Tells systemd what the server is at (`Type=notify-reload`); whoever else started it hears nothing.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use rustix::time::{ClockId, clock_gettime};

/// The server serves, by the settings that it read last.
pub(super) const READY: &str = "READY=1";
/// It answers what it owes, then ends.
pub(super) const STOPPING: &str = "STOPPING=1";

/// The server reads its settings anew. systemd tells by the time that this is meant for its own signal.
pub(super) fn reloading() -> String {
    let now = clock_gettime(ClockId::Monotonic);
    format!("RELOADING=1\nMONOTONIC_USEC={}", now.tv_sec * 1_000_000 + now.tv_nsec / 1000)
}

/// Sends `state` to the socket that `$NOTIFY_SOCKET` names; a failure is logged and changes nothing.
pub(super) fn tell(state: &str) {
    let Some(socket) = env::var_os("NOTIFY_SOCKET") else { return };
    if let Err(error) = send(&socket, state) {
        tracing::warn!(%error, ?socket, "the service manager could not be told {state:?}");
    }
}

fn send(socket: &OsStr, state: &str) -> io::Result<()> {
    let address = match socket.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(socket)?,
    };
    let own = UnixDatagram::unbound()?;
    own.set_nonblocking(true)?;
    own.send_to_addr(state.as_bytes(), &address)?;
    Ok(())
}
