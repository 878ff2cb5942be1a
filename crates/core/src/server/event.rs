//! What happened, for the event log and for tests: ids, kinds, methods, rules. Never a secret.

use core::net::IpAddr;
use core::time::Duration;

use dayfly_crypto::AuthKeyId;

use crate::handshake::server::HandshakeEvent;
use crate::session::SessionId;

/// Which kind of key a call came under.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum KeyUse {
    /// A permanent key: no forward secrecy.
    Permanent,
    /// A temporary key that is not bound.
    Unbound,
    /// A temporary key bound to a permanent one.
    Bound,
}

impl KeyUse {
    /// The word for logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Permanent => "permanent",
            Self::Unbound => "unbound",
            Self::Bound => "bound",
        }
    }
}

/// Why a key takes no query any more.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum EndReason {
    /// Its time was over (rule PF-15).
    Expired,
    /// A newer binding took its place (rule PF-10).
    Replaced,
    /// `auth.dropTempAuthKeys` (rule PF-19).
    Dropped,
    /// The bound on temporary keys (rule PF-25).
    Evicted,
    /// `destroy_auth_key` (rule MS-17).
    Destroyed,
    /// The operator or the back end wanted it.
    Revoked,
}

impl EndReason {
    /// The word for logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Replaced => "replaced",
            Self::Dropped => "dropped",
            Self::Evicted => "evicted",
            Self::Destroyed => "destroyed",
            Self::Revoked => "revoked",
        }
    }
}

/// Something that happened. Connections are named by the number that the endpoint gave them.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A connection was accepted.
    Connected {
        /// Its number.
        connection: u64,
        /// The other end.
        peer: IpAddr,
    },
    /// Its first bytes told the transport.
    Transport {
        /// The connection.
        connection: u64,
        /// `abridged`, `intermediate`, `padded intermediate` or `full`.
        name: &'static str,
        /// Whether it is obfuscated.
        obfuscated: bool,
    },
    /// The server closes a connection.
    Closed {
        /// The connection.
        connection: u64,
        /// Why, in words.
        reason: String,
    },
    /// A transport error was sent.
    TransportError {
        /// The connection.
        connection: u64,
        /// -404, -429 or -444.
        code: i32,
        /// Why, in words.
        reason: &'static str,
    },
    /// Of the key exchange: a key was made, a query refused, and so on.
    Handshake(HandshakeEvent),
    /// A session was opened under a key.
    SessionCreated {
        /// The key.
        key: AuthKeyId,
        /// The session.
        session_id: SessionId,
    },
    /// A temporary key was bound.
    Bound {
        /// The temporary key.
        temp: AuthKeyId,
        /// The permanent key.
        perm: AuthKeyId,
        /// When the binding ends, in Unix seconds.
        expires_at: u64,
        /// The keys that lost their place.
        replaced: Vec<AuthKeyId>,
    },
    /// A binding was refused.
    BindRefused {
        /// The key that the request came under.
        key: AuthKeyId,
        /// The error that was answered.
        error: &'static str,
    },
    /// A call was passed on, or answered by the endpoint itself.
    Call {
        /// The key it came under.
        key: AuthKeyId,
        /// Which kind of key that is.
        key_use: KeyUse,
        /// The session.
        session_id: SessionId,
        /// The constructor of the innermost query.
        method: u32,
    },
    /// A call was refused.
    CallRefused {
        /// The key it came under.
        key: AuthKeyId,
        /// Which kind of key that is.
        key_use: KeyUse,
        /// The constructor of the innermost query.
        method: u32,
        /// The error that was answered.
        error: &'static str,
    },
    /// The back end answered a call, or its time was up.
    Answered {
        /// Which kind of key the call came under.
        key_use: KeyUse,
        /// How long it took.
        took: Duration,
        /// The error's message; `None` for a result.
        error: Option<String>,
    },
    /// A client destroyed its key (rule MS-17).
    KeyDestroyed {
        /// The permanent key, or the temporary one that was not bound.
        key: AuthKeyId,
    },
    /// The operator or the back end ended a key for good.
    KeyRevoked {
        /// The key.
        key: AuthKeyId,
    },
    /// A key that was in use ended.
    KeyEnded {
        /// The key.
        key: AuthKeyId,
        /// Why.
        reason: EndReason,
    },
}
