//! What the tests of the key exchange look for.

use dayfly_core::handshake::server::HandshakeEvent;
use dayfly_core::server::Event;
use dayfly_testkit::clients::Act;
use dayfly_tl::mtproto::{ReqPq, ReqPqMulti, ResPq};
use dayfly_tl::{Reader, read_exact};

use crate::peers::Heard;
use crate::rig::{Replay, Sent};

/// The `resPQ` in a plain answer.
pub(crate) fn res_pq(answer: &[u8]) -> Option<ResPq<'_>> {
    read_exact(&answer[20..]).ok()
}

/// Whether this is the `resPQ` for the nonce of a `req_pq` or `req_pq_multi`.
pub(crate) fn answers_probe(heard: &Heard, probe: &Sent) -> bool {
    let Heard::Plain(answer) = heard else { return false };
    res_pq(answer).is_some_and(|m| m.nonce == probe.frame[24..40])
}

pub(crate) fn is_probe(sent: &Sent) -> bool {
    [ReqPq::CONSTRUCTOR, ReqPqMulti::CONSTRUCTOR].contains(&sent.constructor())
}

pub(crate) fn of(frames: &[Sent], constructor: u32) -> Vec<&Sent> {
    frames.iter().filter(|sent| sent.constructor() == constructor).collect()
}

pub(crate) fn on(frames: &[Sent], connection: u64) -> Vec<&Sent> {
    frames.iter().filter(|sent| sent.on == connection).collect()
}

pub(crate) fn is_stream(replay: &Replay, connection: u64) -> bool {
    replay.recording.steps.iter().any(|step| step.on == connection && step.act == Act::Sends)
}

/// Whether a query of the key exchange is answered as it should.
pub(crate) fn is_ok(heard: &[Heard], constructor: u32) -> bool {
    matches!(heard, [Heard::Plain(answer)] if Reader::new(&answer[20..]).peek_id() == Ok(constructor))
}

/// What was refused, put off or lost its place.
pub(crate) fn complaints(replay: &Replay) -> Vec<Event> {
    replay.events(|event| match event {
        Event::TransportError { .. } | Event::Closed { .. } => Some(event.clone()),
        Event::Handshake(HandshakeEvent::KeyMade { .. } | HandshakeEvent::Retry { .. }) => None,
        Event::Handshake(_) => Some(event.clone()),
        _ => None,
    })
}
