//! The queries of a client, told apart.

use dayfly_crypto::digest::sha256;
use dayfly_tl::mtproto::{MsgsAck, ReqDhParams, ReqPq, ReqPqMulti, SetClientDhParams};
use dayfly_tl::{Constructor, Read, Reader, read_prefix};

use super::run::RunId;
use crate::handshake::SpecCheck;
use crate::mutant;

/// What names a query: two are the same if the TL objects are, whatever the msg_id and the bytes after the object
/// (rule HS-31). The first half of a SHA256.
pub(super) type Digest = [u8; 16];

/// A query in a plain message.
pub(super) struct Query<'a> {
    pub(super) kind: QueryKind<'a>,
    /// The name in the schema.
    pub(super) name: &'static str,
    /// The TL object alone.
    pub(super) bytes: &'a [u8],
}

/// The queries that a plain message may hold.
pub(super) enum QueryKind<'a> {
    /// Opens a run; by the older `req_pq` or not.
    Open { nonce: [u8; 16], older: bool },
    /// Goes to a run.
    Run(RunId, RunQuery<'a>),
    /// `msgs_ack`: swallowed.
    Ack,
}

/// The queries that go to a run.
pub(super) enum RunQuery<'a> {
    DhParams(ReqDhParams<'a>),
    ClientParams(SetClientDhParams<'a>),
}

impl<'a> Query<'a> {
    /// Reads the object at the front of a plain message's body; what follows is a client's padding (rule HS-34).
    pub(super) fn read(body: &'a [u8]) -> Result<Self, SpecCheck> {
        let id = Reader::new(body).u32().map_err(|_| SpecCheck::Malformed)?;
        match id {
            ReqPqMulti::ID => object(body, |m: &ReqPqMulti| QueryKind::Open { nonce: m.nonce, older: false }),
            // rule HS-02: the older opening too
            ReqPq::ID if mutant!("HS-02.older", true, false) => {
                object(body, |m: &ReqPq| QueryKind::Open { nonce: m.nonce, older: true })
            }
            ReqDhParams::ID => object(body, |m: &ReqDhParams<'a>| {
                QueryKind::Run(RunId::new(m.nonce, m.server_nonce), RunQuery::DhParams(*m))
            }),
            SetClientDhParams::ID => object(body, |m: &SetClientDhParams<'a>| {
                QueryKind::Run(RunId::new(m.nonce, m.server_nonce), RunQuery::ClientParams(*m))
            }),
            MsgsAck::ID => object(body, |_: &MsgsAck<'a>| QueryKind::Ack),
            _ => Err(SpecCheck::UnknownQuery),
        }
    }

    pub(super) fn digest(&self) -> Digest {
        let [digest @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = sha256(&[self.bytes]);
        digest
    }
}

fn object<'a, T: Read<'a> + Constructor>(
    body: &'a [u8],
    kind: impl FnOnce(&T) -> QueryKind<'a>,
) -> Result<Query<'a>, SpecCheck> {
    let (value, len) = read_prefix::<T>(body).map_err(|_| SpecCheck::Malformed)?;
    Ok(Query { kind: kind(&value), name: T::NAME, bytes: body.get(..len).unwrap_or(body) })
}
