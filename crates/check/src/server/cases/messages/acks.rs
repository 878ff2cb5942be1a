//! Acknowledgements: rule MS-13.

use dayfly_tl::mtproto::{HttpWait, MsgResendReqPlain, MsgsAck, MsgsStateReq, NewSessionCreated};
use dayfly_tl::{LongVec, read_exact, to_bytes};

use super::get_config;
use crate::case::cases;
use crate::server::Entry;
use crate::server::fate::Fate;
use crate::server::probe::{Line, Probe};
use crate::server::talk::{Message, Said};
use crate::server::wire::Heard;
use crate::verdict::{Outcome, failed, not_reached};

cases! {
    "MS-13/1" Must "a content-related message that has no answer"
        why "a client sends what was not acknowledged again and again"
        expected "msgs_ack with its msg_id"
        acknowledged;
    "MS-13/2" Must "an answer that was not acknowledged, after a new connection"
        why "an answer that was lost with its connection would be lost for good"
        expected "the same rpc_result, under its msg_id"
        sent_again;
    "MS-13/3" Must "an answer that was acknowledged, after a new connection"
        why "a server that does not take acknowledgements sends every client all it ever said"
        expected "it is not sent again"
        not_sent_again;
    "MS-13/4" Must "8,193 ids in msgs_ack, msgs_state_req and msg_resend_req"
        why "without a bound one message can make the server look up as many ids as fit into a packet"
        expected "the transport error -429"
        too_many_ids;
    "MS-13/5" Must "8,192 ids in msgs_ack and in msgs_state_req"
        why "a client that was away for long has as many to tell"
        expected "they are taken"
        as_many_ids_as_allowed;
}

async fn acknowledged(probe: &mut Probe) -> Outcome {
    let mut line = probe.session().await?;
    // Over a stream it means nothing, and has no answer.
    let wait = to_bytes(&HttpWait { max_delay: 0, wait_after: 0, max_wait: 0 });
    let said = line.talk.say(wait);
    line.send(&said, "http_wait with an odd seqno", &mut probe.dice).await?;
    let ack = line.wait_for(|message| {
        let ack: MsgsAck<'_> = read_exact(&message.body).ok()?;
        ack.msg_ids.contains(said.msg_id).then_some(())
    });
    match ack.await? {
        Ok(()) => Ok(()),
        Err(heard) => failed(format!("instead of msgs_ack came {}", heard.told())),
    }
}

/// A session with a call that was answered; its old connection is gone.
async fn lost_connection(probe: &mut Probe, acknowledge: bool) -> Outcome<(Line, Said, Message)> {
    let mut line = probe.caller().await?;
    line.greet(&mut probe.dice).await?;
    let said = line.talk.say(get_config());
    let result = match line.fate(&said, "help.getConfig", &mut probe.dice).await? {
        Fate::Answered(message) => message,
        other => return not_reached(format!("help.getConfig got {}", other.told())),
    };
    if acknowledge {
        let ack = to_bytes(&MsgsAck { msg_ids: LongVec::from_slice(&[result.msg_id]) });
        let ack = line.talk.mention(ack);
        line.send(&ack, "msgs_ack of the result", &mut probe.dice).await?;
        line.goes_on(&mut probe.dice).await?;
    }
    line.others.clear();
    probe.move_on(&mut line).await?;
    line.goes_on(&mut probe.dice).await?;
    Ok((line, said, result))
}

/// Whether the result is among what came, or comes before the run's silence is over.
async fn comes_again(line: &mut Line, said: &Said, probe: &Probe) -> Outcome<Option<Message>> {
    loop {
        let result = line.others.iter().find(|message| message.answer_to(said.msg_id).is_some());
        if result.is_some() {
            return Ok(result.cloned());
        }
        match line.wire.hear_within(probe.target().silence).await? {
            Heard::Payload(payload) => {
                let messages = line.talk.open(&payload)?;
                line.others.extend(messages);
            }
            _ => return Ok(None),
        }
    }
}

async fn sent_again(probe: &mut Probe) -> Outcome {
    let (mut line, said, result) = lost_connection(probe, false).await?;
    match comes_again(&mut line, &said, probe).await? {
        Some(again) if again.msg_id == result.msg_id && again.body == result.body => Ok(()),
        Some(_) => failed("it came under another msg_id, or with other bytes"),
        None => failed("it did not come"),
    }
}

async fn not_sent_again(probe: &mut Probe) -> Outcome {
    let (mut line, said, _) = lost_connection(probe, true).await?;
    match comes_again(&mut line, &said, probe).await? {
        Some(_) => failed("it came again"),
        None => line.goes_on(&mut probe.dice).await,
    }
}

/// A service message about these ids.
type Asking = fn(LongVec<'_>) -> Vec<u8>;

async fn too_many_ids(probe: &mut Probe) -> Outcome {
    let messages: [(&str, Asking); 3] = [
        ("msgs_ack", |msg_ids| to_bytes(&MsgsAck { msg_ids })),
        ("msgs_state_req", |msg_ids| to_bytes(&MsgsStateReq { msg_ids })),
        ("msg_resend_req", |msg_ids| to_bytes(&MsgResendReqPlain { msg_ids })),
    ];
    for (name, made_of) in messages {
        let mut line = probe.session().await?;
        // One that the server can send again, so that its number is all that is wrong with them.
        let known = line.unasked(NewSessionCreated::CONSTRUCTOR).first().map_or(4, |message| message.msg_id);
        let said = line.talk.mention(made_of(LongVec::from_slice(&vec![known; 8193])));
        line.send(&said, &format!("{name} with 8,193 ids"), &mut probe.dice).await?;
        match line.wire.hear().await? {
            Heard::Error(-429) => {}
            other => return failed(format!("{name} with 8,193 ids got {}", other.told())),
        }
    }
    Ok(())
}

async fn as_many_ids_as_allowed(probe: &mut Probe) -> Outcome {
    let ids = vec![4; 8192];
    let mut line = probe.session().await?;
    let ack = line.talk.mention(to_bytes(&MsgsAck { msg_ids: LongVec::from_slice(&ids) }));
    line.send(&ack, "msgs_ack with 8,192 ids", &mut probe.dice).await?;
    line.goes_on(&mut probe.dice).await?;
    let ask = line.talk.say(to_bytes(&MsgsStateReq { msg_ids: LongVec::from_slice(&ids) }));
    line.ask(&ask, "msgs_state_req with 8,192 ids", &mut probe.dice).await.map(drop)
}
