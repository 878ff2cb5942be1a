//! What a client tells its owner.

use dayfly_crypto::AuthKeyId;

use crate::handshake::client::HandshakeError;
use crate::session::client::RpcFailure;

use super::config::SavedKey;

/// Names a connection that the client wants. Never used twice.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct LinkId(pub u64);

/// Names a call until its answer comes.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct CallId(pub u64);

/// What the driver is to do.
#[derive(Debug)]
pub enum Output {
    /// Open a connection to the DC, then say so or say that it failed.
    Connect {
        /// Its name.
        link: LinkId,
    },
    /// Write these bytes.
    Send {
        /// Where.
        link: LinkId,
        /// The bytes, framed and obfuscated.
        bytes: Vec<u8>,
    },
    /// Write what is queued, then close.
    Close {
        /// Which one.
        link: LinkId,
    },
    /// A call was answered.
    Answer {
        /// The call.
        call: CallId,
        /// The result, constructor first, or the error.
        result: Result<Vec<u8>, RpcFailure>,
    },
    /// The server sent something unasked.
    Update(Vec<u8>),
    /// What became of keys.
    Event(Event),
}

/// What became of keys.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// A permanent key was made: keep it.
    PermKeyMade(SavedKey),
    /// A temporary key was made.
    TempKeyMade {
        /// Its id.
        key: AuthKeyId,
        /// When it ends, in Unix seconds of the server's clock.
        expires_at: u64,
    },
    /// A temporary key was bound: from here on calls go under it.
    Bound {
        /// The temporary key.
        temp: AuthKeyId,
        /// The permanent key.
        perm: AuthKeyId,
        /// The temporary key whose place it took.
        replaced: Option<AuthKeyId>,
    },
    /// The server knows a temporary key no more; another one is made.
    TempKeyLost {
        /// The key.
        key: AuthKeyId,
    },
    /// The server does not accept the permanent key (rule PF-12). It is dropped and another one made: the login is gone,
    /// or, for a key that is not the main one, the authorization must be imported again.
    PermKeyLost {
        /// The key.
        key: AuthKeyId,
    },
    /// A binding was refused; it is tried again.
    BindRefused {
        /// What the server said; `None` if it answered something other than boolTrue.
        error: Option<RpcFailure>,
    },
    /// A key exchange ended with an error; it is tried again after a growing delay.
    HandshakeFailed {
        /// Why.
        error: HandshakeError,
    },
}

/// How many encrypted messages went out, by the kind of key whose id they bear.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Sent {
    /// Under temporary keys.
    pub under_temp: u64,
    /// Under the permanent key: rule PF-04 says none.
    pub under_perm: u64,
}

impl Sent {
    pub(super) fn count(&mut self, under_perm: bool) {
        let counter = if under_perm { &mut self.under_perm } else { &mut self.under_temp };
        *counter = counter.saturating_add(1);
    }
}
