//! Why a client handshake ended without a key.

use dayfly_crypto::RandomError;

use crate::handshake::SpecCheck;

/// Why a client handshake ended without a key. It stays ended, and repeats this.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// An answer failed a check; nothing of it was used.
    #[error("the server broke the protocol: {0}")]
    PeerMisbehaved(#[from] SpecCheck),
    /// An answer that belongs to another step.
    #[error("received {got} while waiting for {state}")]
    UnexpectedAnswer {
        /// What was waited for.
        state: &'static str,
        /// What came.
        got: &'static str,
    },
    /// -444: the server does not serve this dc (rule HS-38).
    #[error("the server does not serve dc {dc} (transport error -444)")]
    WrongDc {
        /// The dc of the configuration.
        dc: i32,
    },
    /// A transport error that the key exchange does not know.
    #[error("the server answered with transport error {0}")]
    Transport(i32),
    /// The bound on new runs was reached.
    #[error("the server ended {runs} runs, the last one with {last}")]
    TooManyRestarts {
        /// How many runs were begun.
        runs: u32,
        /// What ended the last one.
        last: RunEnd,
    },
    /// The bound on dh_gen_retry was reached (rule HS-27).
    #[error("the server refused {0} keys of one run with dh_gen_retry")]
    TooManyRetries(u32),
    /// The bound on -429 was reached.
    #[error("the server asked us to wait (transport error -429) {0} times")]
    TooManyFloods(u32),
    /// The source of randomness failed.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The arithmetic library failed.
    #[error("a big-number operation failed")]
    Arithmetic,
    /// An earlier call did not finish.
    #[error("an earlier call did not finish")]
    Poisoned,
}

/// What ended a run and led to a new one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum RunEnd {
    /// Transport error -404.
    NotFound,
    /// `dh_gen_fail`.
    DhGenFail,
    /// The older `server_DH_params_fail`.
    DhParamsFail,
    /// No answer, however often the query was sent.
    Silence,
}

impl core::fmt::Display for RunEnd {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::NotFound => "transport error -404",
            Self::DhGenFail => "dh_gen_fail",
            Self::DhParamsFail => "server_DH_params_fail",
            Self::Silence => "no answer",
        })
    }
}
