//! Encrypted messages: rules MS.

mod acks;
mod calls;
mod containers;
mod ending;
mod envelope;
mod ids;
mod opening;
mod pings;
mod repeats;
mod salts;
mod seqnos;
mod states;

use dayfly_tl::mtproto::{BadMsgNotificationPlain, GzipPacked};
use dayfly_tl::{api, read_exact, to_bytes};

use crate::server::fate::Fate;
use crate::server::probe::{Line, Probe};
use crate::server::talk::Said;
use crate::server::wire::Heard;
use crate::verdict::{Outcome, failed};

/// Every case, a rule after the other.
pub(super) fn cases() -> Vec<crate::server::Entry> {
    let families = [
        ids::cases(),
        repeats::cases(),
        seqnos::cases(),
        envelope::cases(),
        salts::cases(),
        opening::cases(),
        containers::cases(),
        acks::cases(),
        calls::cases(),
        states::cases(),
        pings::cases(),
        ending::cases(),
    ];
    families.into_iter().flatten().collect()
}

/// `help.getConfig` as a first call has to come.
pub(super) fn get_config() -> Vec<u8> {
    dayfly_core::client::ClientInfo::default().introduce(&to_bytes(&api::HelpGetConfig {}))
}

/// A message of which the notice is waited for: it is refused with this code, and nothing of it is done.
async fn refused(line: &mut Line, said: &Said, code: i32, what: &str, probe: &mut Probe) -> Outcome {
    line.send(said, what, &mut probe.dice).await?;
    let notice = line.wait_for(|message| {
        let notice = read_exact::<BadMsgNotificationPlain>(&message.body).ok();
        notice.filter(|notice| notice.bad_msg_id == said.msg_id).map(Ok).or_else(|| {
            message.is_about(said).then(|| Err(format!("the answer #{:08x}", message.constructor())))
        })
    });
    let notice = match notice.await? {
        Ok(Ok(notice)) => notice,
        Ok(Err(other)) => return failed(format!("{what} got {other}, expected code {code}")),
        Err(heard) => return failed(format!("{what} got {}, expected code {code}", heard.told())),
    };
    if notice.error_code != code {
        return failed(format!("{what} got code {} instead of {code}", notice.error_code));
    }
    if notice.bad_msg_seqno != said.seqno {
        return failed(format!("bad_msg_seqno is {}, sent was {}", notice.bad_msg_seqno, said.seqno));
    }
    line.goes_on_without(said, &mut probe.dice).await
}

/// A packet that is dropped: no answer, no transport error, and the key lives on (rules MS-06, HS-36). Whether the connection
/// was closed; the session has a new one then.
async fn dropped(
    line: &mut Line,
    packet: &[u8],
    said: &Said,
    what: &str,
    probe: &mut Probe,
) -> Outcome<bool> {
    line.wire.send(packet, what).await?;
    let silence = probe.target().silence;
    let closed = loop {
        match line.wire.hear_within(silence).await? {
            Heard::Closed => break true,
            Heard::Silence => break false,
            Heard::Payload(payload) => {
                let messages = line.talk.open(&payload)?;
                if let Some(answer) = messages.iter().find(|message| message.is_about(said)) {
                    return failed(format!("{what} got #{:08x} instead of silence", answer.constructor()));
                }
                line.others.extend(messages);
            }
            other => return failed(format!("{what} got {} instead of silence", other.told())),
        }
    };
    if closed {
        probe.move_on(line).await?;
    }
    line.goes_on_without(said, &mut probe.dice).await?;
    Ok(closed)
}

/// `gzip_packed` around an object, with the header of zlib or of gzip.
fn packed(object: &[u8], zlib: bool) -> Vec<u8> {
    use flate2::Compression;
    use std::io::Read as _;
    let mut packed = Vec::new();
    let read = if zlib {
        flate2::bufread::ZlibEncoder::new(object, Compression::default()).read_to_end(&mut packed)
    } else {
        flate2::bufread::GzEncoder::new(object, Compression::default()).read_to_end(&mut packed)
    };
    debug_assert!(read.is_ok(), "reading from memory does not fail");
    to_bytes(&GzipPacked { packed_data: &packed })
}

/// What a message got that a right server answers.
async fn answered(line: &mut Line, said: &Said, what: &str, probe: &mut Probe) -> Outcome {
    match line.fate(said, what, &mut probe.dice).await? {
        Fate::Answered(_) => Ok(()),
        other => failed(format!("{what} got {}", other.told())),
    }
}
