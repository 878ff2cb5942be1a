//! What the states of the client share.

use core::time::Duration;
use std::sync::Arc;

use dayfly_crypto::dh::{PublicValue, SafePrimeGroup};
use dayfly_crypto::{AuthKey, NewNonce};

use super::{HandshakeError, RunEnd, State};
use crate::handshake::SpecCheck;
use crate::holds;
use crate::job::Work;
use crate::keys::kind::KeyKind;
use crate::observer::Observer;

/// What a state makes of what it was given.
pub(super) enum Step {
    /// On to the next state.
    Go {
        next: State,
        /// A query that opens it.
        query: Option<Query>,
        /// A job whose result it needs before it can take another answer.
        work: Option<Work>,
    },
    /// This run is over; a new one may be begun.
    Again(RunEnd),
    /// There is a key.
    Done(Created),
}

/// A query, not yet in its plain message.
pub(super) struct Query {
    pub(super) name: &'static str,
    pub(super) body: Vec<u8>,
}

impl Query {
    pub(super) fn new<T: dayfly_tl::Constructor + dayfly_tl::Write>(query: &T) -> Self {
        Self { name: T::NAME, body: dayfly_tl::to_bytes(query) }
    }
}

/// A new authorization key, and what the run told of the server.
#[derive(Debug)]
pub struct Created {
    /// The key.
    pub key: Arc<AuthKey>,
    /// Its kind, as asked for.
    pub kind: KeyKind,
    /// The dc that it was made for.
    pub dc: i32,
    /// The first server_salt, its eight bytes read little-endian (rule HS-28).
    pub server_salt: i64,
    /// Seconds by which the server's clock is ahead of ours (rule HS-28).
    pub time_offset: i64,
    /// server_time of the run: Unix seconds by the server's clock.
    pub created_at: u64,
    /// For a temporary key: the first second, by the server's clock, at which it is no longer valid (rule PF-02).
    pub expires_at: Option<u64>,
}

/// What names a run, and the secret of it.
pub(super) struct Run {
    pub(super) nonce: [u8; 16],
    pub(super) server_nonce: [u8; 16],
    pub(super) new_nonce: NewNonce,
}

impl Run {
    /// Both nonces of an answer are those of the run (rule HS-06).
    pub(super) fn verify<O: Observer>(
        &self,
        nonce: &[u8; 16],
        server_nonce: &[u8; 16],
        observer: &mut O,
    ) -> Result<(), SpecCheck> {
        SpecCheck::NonceMismatch.verify(holds!("HS-06.nonce", *nonce == self.nonce), observer)?;
        let held = holds!("HS-06.server_nonce", *server_nonce == self.server_nonce);
        SpecCheck::ServerNonceMismatch.verify(held, observer)
    }
}

/// The server's time, and when it was told.
#[derive(Clone, Copy)]
pub(super) struct ServerClock {
    pub(super) server_time: u64,
    pub(super) told_at: Duration,
}

impl ServerClock {
    /// Seconds to add to our own Unix time.
    pub(super) fn offset(self) -> i64 {
        self.server_time.cast_signed().saturating_sub(self.told_at.as_secs().cast_signed())
    }
}

/// All that is needed to make a key, and to make another one when it is refused.
pub(super) struct Agreement {
    pub(super) run: Run,
    pub(super) group: Arc<SafePrimeGroup>,
    /// Boxed, as 256 bytes are much to move from state to state.
    pub(super) g_a: Box<PublicValue>,
    pub(super) clock: ServerClock,
}

/// Which attempt of the run this is.
#[derive(Clone, Copy, Default)]
pub(super) struct Attempt {
    /// 0, then auth_key_aux_hash of the key that was refused, as a TL long (rule HS-22).
    pub(super) retry_id: i64,
    /// How many keys were refused.
    pub(super) refused: u32,
}

/// An answer that the state does not wait for.
pub(super) fn unexpected(state: &'static str, got: &'static str) -> HandshakeError {
    HandshakeError::UnexpectedAnswer { state, got }
}
