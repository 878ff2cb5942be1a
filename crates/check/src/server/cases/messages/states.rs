//! States of messages, and messages sent again: rule MS-15.

use dayfly_tl::mtproto::{MsgResendReqPlain, MsgsStateInfo, MsgsStateReq};
use dayfly_tl::{LongVec, read_exact, to_bytes};

use super::get_config;
use crate::case::cases;
use crate::server::Entry;
use crate::server::fate::Fate;
use crate::server::probe::{Line, Probe};
use crate::server::talk::Message;
use crate::verdict::{Outcome, failed, not_reached};

cases! {
    "MS-15/1" Must "msgs_state_req"
        why "a client sends again what was not received: a wrong state runs a call twice or loses it"
        expected "a byte for each id: 4 for what was received, 1 or 2 for what was not, 3 for what is to come"
        states;
    "MS-15/2" Must "msg_resend_req for an answer that was not acknowledged"
        why "a client that lost an answer has no other way to it"
        expected "the same message again"
        resent;
    "MS-15/3" Must "msg_resend_req for a message that never was"
        why "a client that is told nothing waits for ever"
        expected "msgs_state_info for all ids"
        not_resent;
}

async fn info(line: &mut Line, body: Vec<u8>, what: &str, probe: &mut Probe) -> Outcome<Vec<u8>> {
    let said = line.talk.say(body);
    let answer = line.ask(&said, what, &mut probe.dice).await?;
    match read_exact::<MsgsStateInfo<'_>>(&answer.body) {
        Ok(info) => Ok(info.info.to_vec()),
        Err(_) => failed(format!("{what} got #{:08x}", answer.constructor())),
    }
}

async fn states(probe: &mut Probe) -> Outcome {
    let mut line = probe.session().await?;
    let received = line.ping(&mut probe.dice);
    line.ask(&received, "a ping", &mut probe.dice).await?;
    let never = line.talk.next_id();
    line.goes_on(&mut probe.dice).await?;
    let to_come = line.talk.id_at(20);
    let msg_ids = [received.msg_id, never, to_come];
    let body = to_bytes(&MsgsStateReq { msg_ids: LongVec::from_slice(&msg_ids) });
    let info = info(&mut line, body, "msgs_state_req", probe).await?;
    let low: Vec<_> = info.iter().map(|byte| byte & 7).collect();
    match low.as_slice() {
        [4, 1 | 2, 3] => Ok(()),
        [_, _, _] => failed(format!("the three states are {info:?}")),
        _ => failed(format!("{} bytes came for three ids", info.len())),
    }
}

/// A session with a call that was answered, and the answer.
async fn called(probe: &mut Probe) -> Outcome<(Line, Message)> {
    let mut line = probe.caller().await?;
    line.greet(&mut probe.dice).await?;
    let call = line.talk.say(get_config());
    match line.fate(&call, "help.getConfig", &mut probe.dice).await? {
        Fate::Answered(result) => Ok((line, result)),
        other => not_reached(format!("help.getConfig got {}", other.told())),
    }
}

async fn resent(probe: &mut Probe) -> Outcome {
    let (mut line, result) = called(probe).await?;
    let msg_ids = [result.msg_id];
    let said = line.talk.say(to_bytes(&MsgResendReqPlain { msg_ids: LongVec::from_slice(&msg_ids) }));
    line.send(&said, "msg_resend_req for the result", &mut probe.dice).await?;
    match line.wait_for(|message| (message.msg_id == result.msg_id).then(|| message.clone())).await? {
        Ok(again) if again.body == result.body => Ok(()),
        Ok(_) => failed("it has other bytes"),
        Err(heard) => failed(format!("it got {}", heard.told())),
    }
}

async fn not_resent(probe: &mut Probe) -> Outcome {
    let (mut line, result) = called(probe).await?;
    let msg_ids = [result.msg_id, result.msg_id - 4000];
    let body = to_bytes(&MsgResendReqPlain { msg_ids: LongVec::from_slice(&msg_ids) });
    let info = info(&mut line, body, "msg_resend_req for the result and for a message that never was", probe)
        .await?;
    match info.len() {
        2 => Ok(()),
        count => failed(format!("{count} bytes came for two ids")),
    }
}
