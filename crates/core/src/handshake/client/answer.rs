//! The answers of a server, told apart.

use dayfly_tl::mtproto::{ResPq, ServerDhParams, SetClientDhParamsAnswer};
use dayfly_tl::{Constructor, Reader, read_prefix};

use crate::handshake::SpecCheck;

/// An answer of the key exchange.
pub(super) enum Answer<'a> {
    ResPq(ResPq<'a>),
    DhParams(ServerDhParams<'a>),
    DhGen(SetClientDhParamsAnswer),
}

impl<'a> Answer<'a> {
    /// Reads the object at the front of a plain message's body, and returns its bytes too. What follows is skipped:
    /// Telegram's own servers have sent up to 104 bytes more (rule HS-34).
    pub(super) fn read(body: &'a [u8]) -> Result<(Self, &'a [u8]), SpecCheck> {
        let id = Reader::new(body).u32().map_err(|_| SpecCheck::Malformed)?;
        let read = if id == ResPq::ID {
            read_prefix(body).map(|(answer, len)| (Self::ResPq(answer), len))
        } else if let Ok((answer, len)) = read_prefix(body) {
            Ok((Self::DhParams(answer), len))
        } else {
            read_prefix(body).map(|(answer, len)| (Self::DhGen(answer), len))
        };
        let (answer, len) = read.map_err(|_| SpecCheck::Malformed)?;
        Ok((answer, body.get(..len).unwrap_or(body)))
    }

    /// The nonce that says whose answer it is.
    pub(super) fn nonce(&self) -> &[u8; 16] {
        match self {
            Self::ResPq(m) => &m.nonce,
            Self::DhParams(ServerDhParams::ServerDhParamsOk(m)) => &m.nonce,
            Self::DhParams(ServerDhParams::ServerDhParamsFail(m)) => &m.nonce,
            Self::DhGen(SetClientDhParamsAnswer::DhGenOk(m)) => &m.nonce,
            Self::DhGen(SetClientDhParamsAnswer::DhGenRetry(m)) => &m.nonce,
            Self::DhGen(SetClientDhParamsAnswer::DhGenFail(m)) => &m.nonce,
        }
    }

    /// Its name in the schema.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::ResPq(_) => "resPQ",
            Self::DhParams(ServerDhParams::ServerDhParamsOk(_)) => "server_DH_params_ok",
            Self::DhParams(ServerDhParams::ServerDhParamsFail(_)) => "server_DH_params_fail",
            Self::DhGen(SetClientDhParamsAnswer::DhGenOk(_)) => "dh_gen_ok",
            Self::DhGen(SetClientDhParamsAnswer::DhGenRetry(_)) => "dh_gen_retry",
            Self::DhGen(SetClientDhParamsAnswer::DhGenFail(_)) => "dh_gen_fail",
        }
    }
}
