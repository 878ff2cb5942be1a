//! What the tests of this module share.

use core::time::Duration;

use dayfly_crypto::{RandomError, SecureRandom};

use super::container;
use super::{MsgId, Opened, SessionId};
use crate::env::Now;

/// Bytes that differ from draw to draw, and are the same in every run.
#[derive(Debug, Default)]
pub(crate) struct Counting(u64);

impl SecureRandom for Counting {
    fn fill_public(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        for byte in out {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = (self.0 >> 56) as u8;
        }
        Ok(())
    }

    fn fill_secret(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        self.fill_public(out)
    }
}

/// A source that failed.
#[derive(Debug)]
pub(crate) struct Broken;

impl SecureRandom for Broken {
    fn fill_public(&mut self, _: &mut [u8]) -> Result<(), RandomError> {
        Err(RandomError)
    }

    fn fill_secret(&mut self, _: &mut [u8]) -> Result<(), RandomError> {
        Err(RandomError)
    }
}

/// A time, `millis` after the start of every test.
pub(crate) fn at(millis: u64) -> Now {
    let passed = Duration::from_millis(millis);
    Now { monotonic: passed, unix: Duration::from_secs(START) + passed }
}

/// The Unix second at which the tests begin.
pub(crate) const START: u64 = 1_700_000_000;

/// Reads what `poll_transmit` gave.
pub(crate) fn read(plaintext: &[u8]) -> Opened<'_> {
    let long = |at: usize| i64::from_le_bytes(plaintext[at..at + 8].try_into().unwrap());
    Opened {
        salt: long(0),
        session_id: SessionId(long(8)),
        msg_id: MsgId::from_long(long(16)),
        seqno: i32::from_le_bytes(plaintext[24..28].try_into().unwrap()),
        body: &plaintext[32..],
        quick_ack: 0,
    }
}

/// A message that was sent, out of its container.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Sent {
    pub(crate) msg_id: MsgId,
    pub(crate) seqno: i32,
    pub(crate) body: Vec<u8>,
    pub(crate) in_container: bool,
}

/// The messages of a packet.
pub(crate) fn unpack(plaintext: &[u8]) -> Vec<Sent> {
    let outer = read(plaintext);
    let in_container = container::is_container(outer.body);
    let inners = if in_container {
        container::open(outer.body, outer.msg_id).unwrap()
    } else {
        vec![container::Inner { msg_id: outer.msg_id, seqno: outer.seqno, body: outer.body }]
    };
    let owned = |inner: container::Inner<'_>| Sent {
        msg_id: inner.msg_id,
        seqno: inner.seqno,
        body: inner.body.to_vec(),
        in_container,
    };
    inners.into_iter().map(owned).collect()
}
