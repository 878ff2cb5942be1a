//! What the lab tells: everything that happens, in the order in which it happens.
//!
//! Transcripts, the page, the key log and the verdicts of `check client` are made of these and of nothing else. Values are
//! secrets of real exchanges where the client is a real one: whoever keeps them keeps what opens the conversation.

use std::net::SocketAddr;
use std::time::Duration;

use dayfly_core::observer::Direction;
use dayfly_core::server::Event;
use dayfly_crypto::AuthKeyId;

use super::fault::Fault;

/// Something that happened.
#[derive(Clone, Debug)]
pub struct LabEvent {
    /// Counted from 1, without gaps.
    pub number: u64,
    /// When, by the lab's clock: since the Unix epoch.
    pub at: Duration,
    /// When, since the lab was started; never goes back, whatever becomes of the clock.
    pub since_start: Duration,
    /// The connection, counted from 1 in the order in which they were accepted; `None` for what belongs to none.
    pub connection: Option<u64>,
    /// What it is.
    pub what: What,
}

/// What happened. Directions are seen from the lab: [`Direction::In`] comes from the client.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum What {
    /// A connection was accepted.
    Connected {
        /// The other end.
        peer: SocketAddr,
    },
    /// Its first bytes told the transport.
    Transport {
        /// `abridged`, `intermediate`, `padded intermediate` or `full`.
        name: &'static str,
        /// Whether it is obfuscated.
        obfuscated: bool,
    },
    /// A payload went over the wire: what a frame holds, `auth_key_id` first. It stands before what it holds.
    Payload {
        /// Which way.
        direction: Direction,
        /// The bytes, as they went over the wire.
        bytes: Vec<u8>,
        /// Whether a quick acknowledgement is asked for.
        quick_ack: bool,
        /// The fault that changed it or put it there; the honest bytes of what was changed are in [`What::Meddled`].
        fault: Option<Fault>,
    },
    /// A transport error went to the client.
    TransportError {
        /// Such as -404.
        code: i32,
        /// The fault that put it there; `None` if the lab's server had a reason of its own, which another event tells.
        fault: Option<Fault>,
    },
    /// A quick acknowledgement went to the client.
    QuickAck {
        /// Its token.
        token: u32,
    },
    /// A fault acted on a payload.
    Meddled {
        /// Which one.
        fault: Fault,
        /// Which way the payload went.
        direction: Direction,
        /// The payload as it would have gone without the fault: empty for one that the fault made, the one that went for a
        /// fault that acted on what the lab's server drew or kept.
        honest: Vec<u8>,
    },
    /// A plain message, as it went over the wire.
    Plain {
        /// Which way.
        direction: Direction,
        /// Its `msg_id`.
        msg_id: i64,
        /// The constructor's name in the schema; the empty text for one that is not of the key exchange.
        name: &'static str,
        /// The TL object and whatever follows it in the message, constructor id first.
        body: Vec<u8>,
    },
    /// An encrypted message that could be opened, as it went over the wire.
    Sealed {
        /// Which way.
        direction: Direction,
        /// The key.
        key: AuthKeyId,
        /// `server_salt`.
        salt: i64,
        /// `session_id`.
        session_id: i64,
        /// `msg_id`.
        msg_id: i64,
        /// `seqno`.
        seqno: i32,
        /// The body: a container as a whole.
        body: Vec<u8>,
        /// How many bytes of padding followed it.
        padding: usize,
    },
    /// An encrypted message that could not be opened.
    Unopened {
        /// Which way.
        direction: Direction,
        /// The key that it names.
        key: AuthKeyId,
        /// Why, in words.
        why: String,
    },
    /// A value of the key exchange was derived: `new_nonce`, `tmp_aes_key`, `tmp_aes_iv`, `a`, `g_a`, `g_b`, `auth_key`.
    Value {
        /// Its name in the specification.
        name: &'static str,
        /// It.
        bytes: Vec<u8>,
    },
    /// A check of the specification was made of what came.
    Checked {
        /// The rule, such as `HS-23`.
        rule: &'static str,
        /// The field, by its name in the schema.
        field: &'static str,
        /// What it means if it did not hold, in a sentence without its full stop.
        message: &'static str,
        /// Whether it held.
        held: bool,
    },
    /// Of the lab's server: a key was made, a query refused, a key bound, a call taken, and so on.
    Server(Event),
    /// What came from the back end, or in its place, went to the lab's server as the answer to a call.
    BackEnd {
        /// The constructor of the innermost query.
        method: u32,
        /// The code and the message of an error; `None` for a result.
        error: Option<(i32, String)>,
    },
    /// The clock was set or advanced.
    ClockSet,
    /// A connection ended.
    Closed {
        /// Whether the client ended it.
        by_client: bool,
        /// Why, in words; empty if the client just did.
        reason: String,
    },
}
