//! A client by hand under a planted key: it seals ahead of time, and opens only what it wants to see.

use anyhow::{Context as _, Result, bail, ensure};
use dayfly_client::OsRandom;
use dayfly_core::keys::kind::{TrafficKey, UnboundTempKey};
use dayfly_core::session::container::{self, Inner};
use dayfly_core::session::{MsgId, SessionId, envelope};
use dayfly_crypto::kdf::Side;
use dayfly_tl::mtproto::MsgsAck;
use dayfly_tl::to_bytes;
use tokio::io::AsyncReadExt as _;
use tokio::net::tcp::OwnedReadHalf;

use crate::planted::{self, Which};

/// What opens a connection of intermediate frames, not obfuscated.
pub(crate) const OPENING: [u8; 4] = [0xee; 4];
/// The length in front of a frame.
const HEAD: usize = 4;

/// One session under the temporary key of a client.
pub(crate) struct Speaker {
    key: TrafficKey,
    session: SessionId,
    next: u64,
    seqno: i32,
}

/// A message of the server's.
pub(crate) struct Heard {
    pub(crate) msg_id: MsgId,
    pub(crate) seqno: i32,
    pub(crate) body: Vec<u8>,
}

impl Speaker {
    /// The client of this number, with a session that has said nothing yet.
    pub(crate) fn new(number: u32) -> Self {
        let key = UnboundTempKey::new(planted::key(Which::Temporary, number), u64::MAX);
        let session = SessionId(i64::from(number) + 1);
        Self { key: TrafficKey::from(&key), session, next: planted::unix_now() << 32, seqno: 0 }
    }

    /// A frame with one message, ready for the wire, and the message's msg_id.
    ///
    /// # Errors
    /// If the system gives no random bytes.
    pub(crate) fn frame(&mut self, body: &[u8], content_related: bool) -> Result<(MsgId, Vec<u8>)> {
        self.next += 4;
        let msg_id = MsgId(self.next);
        let seqno = self.seqno * 2 + i32::from(content_related);
        self.seqno += i32::from(content_related);
        let plaintext = envelope::plaintext(planted::SALT, self.session, msg_id, seqno, body);
        let packet = envelope::seal(&self.key, Side::Client, &plaintext, &mut OsRandom)?;
        let length = u32::try_from(packet.len())?;
        Ok((msg_id, [&length.to_le_bytes()[..], &packet].concat()))
    }

    /// Acknowledges what wants to be, of what was heard; `None` if nothing does.
    ///
    /// # Errors
    /// As [`frame`](Self::frame).
    pub(crate) fn acknowledge(&mut self, heard: &[Heard]) -> Result<Option<Vec<u8>>> {
        let content_related = heard.iter().filter(|message| message.seqno & 1 == 1);
        let ids: Vec<i64> = content_related.map(|message| message.msg_id.to_long()).collect();
        if ids.is_empty() {
            return Ok(None);
        }
        let body = to_bytes(&MsgsAck { msg_ids: ids.into_iter().collect() });
        Ok(Some(self.frame(&body, false)?.1))
    }

    /// The messages in a packet, of a container each.
    ///
    /// # Errors
    /// If it does not open.
    pub(crate) fn open(&self, packet: &[u8]) -> Result<Vec<Heard>> {
        let mut packet = packet.to_vec();
        if let Ok(code) = <[u8; 4]>::try_from(packet.as_slice()) {
            bail!("the server answers with the transport error {}", i32::from_le_bytes(code));
        }
        let opened = envelope::open(&self.key, Side::Server, &mut packet)?;
        ensure!(opened.session_id == self.session, "an answer for another session");
        if !container::is_container(opened.body) {
            return Ok(vec![Heard {
                msg_id: opened.msg_id,
                seqno: opened.seqno,
                body: opened.body.to_vec(),
            }]);
        }
        let inners = container::open(opened.body, opened.msg_id)?;
        Ok(inners.into_iter().map(Heard::from).collect())
    }
}

impl From<Inner<'_>> for Heard {
    fn from(inner: Inner<'_>) -> Self {
        Self { msg_id: inner.msg_id, seqno: inner.seqno, body: inner.body.to_vec() }
    }
}

/// Cuts packets out of what arrives on a connection.
pub(crate) struct Ear {
    socket: OwnedReadHalf,
    bytes: Vec<u8>,
    /// What stands before was given out.
    used: usize,
}

impl Ear {
    pub(crate) fn new(socket: OwnedReadHalf) -> Self {
        Self { socket, bytes: Vec::new(), used: 0 }
    }

    /// The next packet that has arrived whole.
    pub(crate) fn packet(&mut self) -> Option<&[u8]> {
        let rest = self.bytes.get(self.used..)?;
        let length = u32::from_le_bytes(*rest.first_chunk()?) as usize;
        let packet = HEAD..HEAD + length;
        rest.get(packet.clone())?;
        let start = self.used;
        self.used += packet.end;
        self.bytes.get(start + packet.start..start + packet.end)
    }

    /// Waits until more has arrived.
    ///
    /// # Errors
    /// If the connection has ended.
    pub(crate) async fn listen(&mut self) -> Result<()> {
        self.bytes.drain(..self.used);
        self.used = 0;
        let count = self.socket.read_buf(&mut self.bytes).await.context("the connection broke")?;
        ensure!(count > 0, "the server closed the connection");
        Ok(())
    }

    /// Gives up the memory held, which is none of the server's.
    pub(crate) fn rest(&mut self) {
        self.bytes.drain(..self.used);
        self.used = 0;
        self.bytes.shrink_to_fit();
    }
}
