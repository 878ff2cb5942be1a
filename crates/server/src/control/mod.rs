//! How an operator's commands reach a running server: a Unix socket of mode 0600 in its data directory.
//!
//! Whoever connects must run as the server's own user or as root. A line of JSON is a question, a line of JSON its answer, as
//! often as wanted; questions have at most 4096 bytes, a page of keys at most 1000 keys.
//!
//! ```text
//! {"do":"hello"}                                   {"answer":"hello","version":"0.1.0","process":4711}
//! {"do":"list","after":"00…0f","at_most":1000}     {"answer":"keys","keys":[{"id":"…","dc":2,"created_at":1,"used_at":null}]}
//! {"do":"revoke","id":"00…0f"}                     {"answer":"revoked","outcome":"ended"}, or "unknown", "unavailable"
//! anything else                                    {"answer":"error","reason":"…"}
//! ```

mod client;
mod desk;
mod protocol;
mod socket;

use std::io;
use std::path::PathBuf;

pub use client::ControlClient;
pub use socket::ControlSocket;

/// The socket's name in the data directory.
pub const CONTROL_FILE: &str = "dayfly.sock";

/// Why a server cannot be commanded, or will not be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// The system said no.
    #[error("{}: {source}", path.display())]
    Io {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something that is no socket has its name.
    #[error("{}: is in the way: it is no socket of a server, and is left as it is", path.display())]
    InTheWay {
        /// The file.
        path: PathBuf,
    },
    /// Another server listens there.
    #[error("{}: another server listens here", path.display())]
    Taken {
        /// The socket.
        path: PathBuf,
    },
    /// The server answered with something else than what was asked for.
    #[error("{}: the server says: {reason}", path.display())]
    Refused {
        /// The socket.
        path: PathBuf,
        /// Its words.
        reason: String,
    },
}
