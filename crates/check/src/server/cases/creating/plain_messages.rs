//! Plain messages, the bounds on runs, and frames under keys that are not there: rules HS-34 to HS-36.

use dayfly_core::plain;
use dayfly_tl::api::HelpGetConfig;
use dayfly_tl::mtproto::{MsgsAck, Ping, ResPq};
use dayfly_tl::{LongVec, read_prefix, to_bytes};

use super::{answered, not_found, serves};
use crate::case::cases;
use crate::server::Entry;
use crate::server::exchange::Exchange;
use crate::server::probe::Probe;
use crate::server::wire::{Heard, Wire, plain_body};
use crate::verdict::{Outcome, failed, not_reached};

/// How many runs are left behind: more than a server needs to keep for one address.
const ABANDONED: usize = 2_500;

cases! {
    "HS-34/1" Must "the server's plain messages have a msg_id that is 1 modulo 4"
        why "clients tell by it that the server answers and nobody reflects their own messages at them"
        expected "auth_key_id 0 and a msg_id of 1 modulo 4, growing"
        own_msg_id;
    "HS-34/2" Compat "the server's plain messages have their exact length"
        why "clients that read the object from the end of the message, or compare lengths, would be shut out"
        expected "as many bytes as the length says, all of them the object"
        own_length;
    "HS-34/3" Compat "plain messages with odd msg_ids"
        why "TDLib sends 0 and 1, others the time in microseconds: who checks shuts them out"
        expected "resPQ for each"
        odd_msg_ids;
    "HS-34/4" Compat "255 random bytes behind the object"
        why "TDLib and Telegram Desktop pad their plain messages so that their lengths tell nothing"
        expected "resPQ"
        bytes_behind;
    "HS-34/5" Compat "a plain msgs_ack"
        why "many clients acknowledge resPQ: a -404 for it ends their login"
        expected "no answer to it, and resPQ to what comes after"
        swallowed_ack;
    "HS-34/6" Must "a length beyond the frame"
        why "it is the classic leak: a server that believes it reads, or answers with, what lies behind in memory"
        expected "-404"
        refuses_length("a plain message that is 4 bytes shorter than it says", |query| query + 4);
    "HS-34/7" Must "a length of 2^32 - 4"
        why "read as signed it is negative, added to it overflows: either way it is past the check"
        expected "-404"
        refuses_length("a plain message of length 2^32 - 4", |_| u32::MAX - 3);
    "HS-34/8" Must "a length that cuts the object"
        why "bytes outside the message are none of it: what reads them can be made to read anything"
        expected "-404"
        refuses_length("a plain message whose length cuts its object", |query| query - 4);
    "HS-34/9" Compat "a plain object that is none of the exchange"
        why "whatever else is answered without a key is open to everybody"
        expected "-404, and the connection goes on"
        unknown_object;
    "HS-35/1" Compat "runs that are left behind"
        why "whoever opens runs and goes must not shut out those who come after, nor those who are half done"
        expected "resPQ for each of 2500 runs, and a run past its factors still ends with a key"
        abandoned_runs, Load;
    "HS-36/1" Must "an encrypted message under a key that was never made"
        why "a client whose key was lost would wait for ever: -404 is what tells it to make another"
        expected "-404"
        unknown_key;
    "HS-36/2" Compat "the connection after that"
        why "clients make the next key on the connection on which they learned that the last one is gone"
        expected "a whole exchange on the same connection"
        after_unknown_key;
    "HS-36/3" Must "a damaged message under a key that exists"
        why "a -404 makes a client throw its key away: anybody on the way could do that with one flipped bit"
        expected "anything but -404, and the key still serves"
        damaged_message;
}

/// A first query, and its whole answer.
async fn payload_of(wire: &mut Wire, payload: &[u8], what: &str) -> Outcome<Vec<u8>> {
    wire.send(payload, what).await?;
    match wire.hear().await? {
        Heard::Payload(payload) => Ok(payload),
        other => failed(format!("{what} got {} instead of resPQ", other.told())),
    }
}

fn opening(probe: &mut Probe) -> Vec<u8> {
    Exchange::new(probe.target().key.clone(), &mut probe.dice).req_pq()
}

/// The server's msg_id and the length it states.
fn header(payload: &[u8]) -> Option<(i64, u32)> {
    let msg_id = i64::from_le_bytes(*payload.get(8..)?.first_chunk()?);
    Some((msg_id, u32::from_le_bytes(*payload.get(16..)?.first_chunk()?)))
}

async fn own_msg_id(probe: &mut Probe) -> Outcome {
    let mut wire = probe.connect().await?;
    let mut last = i64::MIN;
    for _ in 0..2 {
        let query = plain::write(4, &opening(probe));
        let payload = payload_of(&mut wire, &query, "req_pq_multi").await?;
        let Some((msg_id, _)) = header(&payload).filter(|_| plain::is_plain(&payload)) else {
            return failed("the answer is no plain message");
        };
        if msg_id.rem_euclid(4) != 1 {
            return failed(format!("the msg_id {msg_id:#018x} is {} modulo 4", msg_id.rem_euclid(4)));
        }
        if msg_id <= last {
            return failed(format!("the msg_id {msg_id:#018x} came after {last:#018x}"));
        }
        last = msg_id;
    }
    Ok(())
}

async fn own_length(probe: &mut Probe) -> Outcome {
    let mut wire = probe.connect().await?;
    let query = plain::write(4, &opening(probe));
    let payload = payload_of(&mut wire, &query, "req_pq_multi").await?;
    let body = plain_body(&payload);
    let Ok((_, object)) = read_prefix::<ResPq<'_>>(body) else { return failed("the answer is no resPQ") };
    let stated = header(&payload).map_or(0, |(_, length)| length as usize);
    if (stated, body.len()) != (object, object) {
        return failed(format!(
            "resPQ of {object} bytes came with the length {stated} and {} bytes in all",
            body.len()
        ));
    }
    Ok(())
}

async fn odd_msg_ids(probe: &mut Probe) -> Outcome {
    let mut wire = probe.connect().await?;
    for msg_id in [0, 1, 3, -1, i64::MIN, i64::MAX] {
        let query = plain::write(msg_id, &opening(probe));
        let what = format!("req_pq_multi under the msg_id {msg_id}");
        payload_of(&mut wire, &query, &what).await?;
    }
    Ok(())
}

async fn bytes_behind(probe: &mut Probe) -> Outcome {
    let mut wire = probe.connect().await?;
    let padding: [u8; 256] = probe.dice.bytes();
    for len in [4, 104, 255, 256] {
        // A frame has whole words, but the length inside need not.
        let body = [&opening(probe)[..], padding.get(..len).unwrap_or_default()].concat();
        let mut query = plain::write(4, &body);
        query.resize(query.len().next_multiple_of(4), 0);
        let what = format!("req_pq_multi with {len} bytes behind it");
        payload_of(&mut wire, &query, &what).await?;
    }
    Ok(())
}

async fn swallowed_ack(probe: &mut Probe) -> Outcome {
    let mut wire = probe.connect().await?;
    let ack = to_bytes(&MsgsAck { msg_ids: LongVec::from_slice(&[5]) });
    wire.send_plain(&ack, "a plain msgs_ack").await?;
    let query = opening(probe);
    answered(probe, &mut wire, &query, "req_pq_multi after a plain msgs_ack").await.map(|_| ())
}

/// `req_pq_multi` with the length that `stated` makes of the right one gets -404.
async fn refuses_length(probe: &mut Probe, what: &str, stated: impl Fn(u32) -> u32) -> Outcome {
    let mut wire = probe.connect().await?;
    let query = opening(probe);
    let mut payload = plain::write(4, &query);
    let right = u32::try_from(query.len()).unwrap_or_default();
    payload.splice(16..20, stated(right).to_le_bytes());
    wire.send(&payload, what).await?;
    match wire.hear().await? {
        Heard::Error(-404) => Ok(()),
        other => failed(format!("{what} got {} instead of -404", other.told())),
    }
}

async fn unknown_object(probe: &mut Probe) -> Outcome {
    let mut wire = probe.connect().await?;
    for object in [to_bytes(&Ping { ping_id: 1 }), to_bytes(&HelpGetConfig {}), vec![0x55; 8]] {
        not_found(probe, &mut wire, &object, "a plain object that is none of the exchange").await?;
    }
    let query = opening(probe);
    answered(probe, &mut wire, &query, "req_pq_multi after it").await.map(|_| ())
}

async fn abandoned_runs(probe: &mut Probe) -> Outcome {
    let mut wire = probe.connect().await?;
    let mut half_done = probe.proven(&mut wire).await?;
    for number in 1..=ABANDONED {
        let query = opening(probe);
        match probe.ask(&mut wire, &query, "one of 2500 req_pq_multi").await? {
            Heard::Payload(_) => {}
            other => return failed(format!("req_pq_multi number {number} got {}", other.told())),
        }
    }
    let query = half_done.finish(0)?;
    answered(probe, &mut wire, &query, "set_client_DH_params of the run that was half done").await?;
    probe.finish(&mut wire, &mut half_done, None).await?;
    probe.key_on(&mut wire, None).await.map(|_| ())
}

/// A message as it would be, under a key that the server has never seen.
async fn under_unknown_key(probe: &mut Probe, wire: &mut Wire) -> Outcome {
    let packet: [u8; 120] = probe.dice.bytes();
    wire.send(&packet, "an encrypted message under a key that was never made").await?;
    match wire.hear().await? {
        Heard::Error(-404) => Ok(()),
        other => failed(format!("a message under an unknown key got {} instead of -404", other.told())),
    }
}

async fn unknown_key(probe: &mut Probe) -> Outcome {
    let mut wire = probe.connect().await?;
    under_unknown_key(probe, &mut wire).await
}

async fn after_unknown_key(probe: &mut Probe) -> Outcome {
    let mut wire = probe.connect().await?;
    under_unknown_key(probe, &mut wire).await?;
    let made = probe.key_on(&mut wire, Some(600)).await?;
    serves(probe, &made).await
}

async fn damaged_message(probe: &mut Probe) -> Outcome {
    let made = probe.temp(600).await?;
    let mut line = probe.line(&made).await?;
    let said = line.talk.say(to_bytes(&HelpGetConfig {}));
    let mut packet = line.talk.seal(&said, &mut probe.dice)?;
    let Some(byte) = packet.get_mut(30) else { return not_reached("the suite itself: no packet") };
    *byte ^= 1;
    line.wire.send(&packet, "a message with one bit changed").await?;
    let silence = probe.target().silence;
    match line.wire.hear_within(silence).await? {
        Heard::Error(-404) => failed("a damaged message under a key that exists got -404"),
        _ => serves(probe, &made).await,
    }
}
