//! What the table of runs asks for and tells.

use core::time::Duration;

use dayfly_crypto::AuthKeyId;

use crate::handshake::SpecCheck;
use crate::keys::requests::{KeyRecord, Lifetime, Ticket};

/// What the caller is to do.
pub enum Output<C> {
    /// Send this plain message on the connection.
    Reply {
        /// Where.
        connection: C,
        /// auth_key_id 0, msg_id, exact length, answer.
        payload: Vec<u8>,
    },
    /// Send this transport error on the connection. The connection stays.
    TransportError {
        /// Where.
        connection: C,
        /// -404, -429 or -444.
        code: i32,
    },
    /// Keep this key, if its id is free, and tell [`handle_insert`](super::ServerHandshakes::handle_insert).
    Insert {
        /// Comes back with the outcome.
        ticket: Ticket,
        /// The key.
        record: KeyRecord,
    },
    /// For logs and counters.
    Event(HandshakeEvent),
}

/// What happened: ids, kinds, rules, never a secret.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum HandshakeEvent {
    /// A query was refused before any private-key operation; [`SpecCheck::rule`] names the rule.
    Refused {
        /// The check that failed.
        check: SpecCheck,
    },
    /// A query was refused after the private-key operation of its run. Which check failed is not said, here as on the
    /// wire (rule HS-12).
    RefusedAfterDecryption,
    /// The inner data asked for a dc that is not served (-444, rule HS-14).
    WrongDc {
        /// The dc asked for.
        dc: i32,
    },
    /// A query was put off with -429.
    PutOff {
        /// Why.
        reason: PutOff,
    },
    /// A run that had shown no factors gave way to a new one (rule HS-35).
    GaveWay,
    /// A key was made and kept.
    KeyMade {
        /// Its id.
        id: AuthKeyId,
        /// How long it lives.
        lifetime: Lifetime,
        /// Its dc; 0 where the inner data had none.
        dc: i32,
        /// How long after the first query of its run.
        took: Duration,
    },
    /// A key's id was taken: dh_gen_retry (rule HS-25).
    Retry {
        /// The id.
        id: AuthKeyId,
    },
    /// A run ended with dh_gen_fail (rule HS-26).
    Failed {
        /// The id of the last key that was refused.
        id: AuthKeyId,
    },
}

/// Why a query was put off.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum PutOff {
    /// Its address has begun too many private-key operations lately.
    AddressRate,
    /// Its address has too many runs past the factors.
    AddressRuns,
    /// There are too many runs past the factors in all.
    Runs,
    /// Too much costly work is waiting to be done.
    Jobs,
    /// The store cannot be asked.
    Store,
    /// The source of randomness failed.
    Randomness,
}

impl PutOff {
    /// The words for logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AddressRate => "private-key operations of the address",
            Self::AddressRuns => "runs of the address",
            Self::Runs => "runs",
            Self::Jobs => "work that waits",
            Self::Store => "store",
            Self::Randomness => "randomness",
        }
    }
}
