//! Encrypted messages, without I/O: the envelope, and the two sides of a session.
//!
//! A packet is opened by [`envelope::open`], goes to the [`ServerSession`] or [`ClientSession`] with its
//! session_id, and what they have to say comes out of `poll_transmit` as the plaintext of one message, for
//! [`envelope::seal`]. Nothing here holds a key, so a session outlives the question under which key it is
//! read.
//!
//! Source: Mobile Protocol: Detailed Description; Service Messages; Service Messages about Messages (rules
//! MS-01 ff.).

pub mod client;
pub mod container;
pub mod envelope;
pub mod gzip;
pub mod limits;
pub mod msg_id;
pub mod query;
pub mod salt;
pub mod seqno;
pub mod server;
pub mod window;

#[cfg(test)]
mod pair;
#[cfg(test)]
pub(crate) mod testing;

pub use client::ClientSession;
pub use envelope::Opened;
pub use limits::Limits;
pub use msg_id::MsgId;
pub use server::ServerSession;

/// `session_id`: chosen at random by the client, never 0.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SessionId(pub i64);

/// Why a connection is to be closed. What a peer can correct gets a notice and no such reason.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CloseReason {
    /// Rule MS-08: the message is of another session than the one it was given to, or of session 0. Without a
    /// word.
    #[error("the message is not of this session")]
    ForeignSession,
    /// More than 1024 messages in a container or 8192 ids in a message, or a bound of [`Limits`]: close with
    /// -429.
    #[error("the peer sent more than the limits allow")]
    Flood,
    /// Our own source of random bytes failed; nothing was taken of the message.
    #[error(transparent)]
    Random(#[from] dayfly_crypto::RandomError),
}
