//! How calls are answered, and not: rule MS-14.

use dayfly_tl::mtproto::{
    DestroySession, DestroySessionNone, FutureSalts, GetFutureSalts, MsgsAck, MsgsStateInfo, MsgsStateReq,
    Pong, RpcAnswerDropped, RpcAnswerDroppedRunning, RpcAnswerUnknown, RpcDropAnswerCall,
};
use dayfly_tl::{LongVec, read_exact, to_bytes};

use super::get_config;
use crate::case::cases;
use crate::server::Entry;
use crate::server::fate::Fate;
use crate::server::probe::{Line, Probe, Told};
use crate::server::talk::{Message, Said};
use crate::verdict::{Outcome, failed, not_reached};

cases! {
    "MS-14/1" Must "three calls at once"
        why "an answer under another msg_id is taken for that of another call"
        expected "an rpc_result to each, with its msg_id"
        each_its_own;
    "MS-14/2" Must "a call that the server does not know"
        why "a call without an answer hangs for ever"
        expected "rpc_result with rpc_error in it"
        unknown_call;
    "MS-14/3" Must "ping, get_future_salts and msgs_state_req"
        why "TDLib and mtcute read their answers in no other form"
        expected "pong, future_salts and msgs_state_info without rpc_result around them"
        bare_answers;
    "MS-14/4" Compat "destroy_session"
        why "TDLib and mtcute read its answer in no other form"
        expected "destroy_session_none without rpc_result around it"
        bare_destroy;
    "MS-14/5" Must "rpc_drop_answer for a call that never was"
        why "a client that waits for the outcome waits for ever"
        expected "rpc_answer_unknown in rpc_result"
        drop_unknown;
    "MS-14/6" Must "rpc_drop_answer for a call whose answer was acknowledged"
        why "a server that keeps acknowledged answers keeps them for ever"
        expected "rpc_answer_unknown in rpc_result"
        drop_acknowledged;
    "MS-14/7" Must "rpc_drop_answer for a call whose answer was not acknowledged"
        why "a dropped answer that comes again is what its client wanted to be spared"
        expected "rpc_answer_dropped with that answer's msg_id, seqno and length, or rpc_answer_unknown"
        drop_answered;
    "MS-14/8" Must "rpc_drop_answer right behind its call"
        why "whoever cancels a call must learn whether its answer still comes"
        expected "one of the three outcomes, and what then comes agrees with it"
        drop_running;
}

async fn each_its_own(probe: &mut Probe) -> Outcome {
    let mut line = probe.caller().await?;
    line.greet(&mut probe.dice).await?;
    let calls: Vec<_> = (0..3).map(|_| line.talk.say(get_config())).collect();
    let container = line.talk.together(&calls);
    line.send(&container, "three times help.getConfig in a container", &mut probe.dice).await?;
    for call in &calls {
        if line.others.iter().any(|message| message.answer_to(call.msg_id).is_some()) {
            continue;
        }
        match line.fate_of(call).await? {
            Fate::Answered(_) => {}
            other => return failed(format!("one of them got {}", other.told())),
        }
    }
    Ok(())
}

async fn unknown_call(probe: &mut Probe) -> Outcome {
    let mut line = probe.caller().await?;
    line.greet(&mut probe.dice).await?;
    // No constructor of any layer is all ones.
    match line.call(&[0xff; 8], "a call of an unknown constructor", &mut probe.dice).await? {
        Err(_) => Ok(()),
        Ok(result) => failed(format!("it got a result of {} bytes", result.len())),
    }
}

async fn bare_answers(probe: &mut Probe) -> Outcome {
    let mut line = probe.session().await?;
    let ping = line.ping(&mut probe.dice);
    let salts = line.talk.say(to_bytes(&GetFutureSalts { num: 1 }));
    let states = line.talk.say(to_bytes(&MsgsStateReq { msg_ids: LongVec::from_slice(&[ping.msg_id]) }));
    let asked = [
        ("ping", ping, Pong::CONSTRUCTOR),
        ("get_future_salts", salts, FutureSalts::CONSTRUCTOR),
        ("msgs_state_req", states, MsgsStateInfo::CONSTRUCTOR),
    ];
    for (name, said, constructor) in asked {
        let answer = line.ask(&said, name, &mut probe.dice).await?;
        if answer.constructor() != constructor {
            return failed(format!("{name} got #{:08x}", answer.constructor()));
        }
    }
    Ok(())
}

async fn bare_destroy(probe: &mut Probe) -> Outcome {
    let mut line = probe.session().await?;
    let said = line.talk.say(to_bytes(&DestroySession { session_id: probe.dice.long() }));
    let answer = line.ask(&said, "destroy_session", &mut probe.dice).await?;
    match answer.constructor() {
        DestroySessionNone::CONSTRUCTOR => Ok(()),
        other => failed(format!("it got #{other:08x}")),
    }
}

/// What `rpc_drop_answer` can come to.
enum Dropping {
    Unknown,
    Running,
    Dropped(RpcAnswerDropped),
}

/// The outcome in the `rpc_result` of a `rpc_drop_answer`.
fn outcome_in(result: &[u8]) -> Option<Dropping> {
    if read_exact::<RpcAnswerUnknown>(result).is_ok() {
        return Some(Dropping::Unknown);
    }
    if read_exact::<RpcAnswerDroppedRunning>(result).is_ok() {
        return Some(Dropping::Running);
    }
    read_exact(result).ok().map(Dropping::Dropped)
}

fn drop_of(line: &mut Line, msg_id: i64) -> Said {
    line.talk.say(to_bytes(&RpcDropAnswerCall { req_msg_id: msg_id }))
}

/// Drops the answer of a call; what came of it.
async fn dropping(line: &mut Line, msg_id: i64, probe: &mut Probe) -> Outcome<Dropping> {
    let said = drop_of(line, msg_id);
    match line.answer(&said, "rpc_drop_answer", &mut probe.dice).await? {
        Told::Answer(Ok(result)) => outcome_of(&result),
        Told::Answer(Err(error)) => failed(format!("it got the error {error:?}")),
        Told::Salt => not_reached("the salt ended just then"),
        Told::Nothing(heard) => failed(format!("it got {}", heard.told())),
    }
}

fn outcome_of(result: &[u8]) -> Outcome<Dropping> {
    match outcome_in(result) {
        Some(outcome) => Ok(outcome),
        None => failed("its rpc_result holds none of the three outcomes"),
    }
}

async fn drop_unknown(probe: &mut Probe) -> Outcome {
    let mut line = probe.caller().await?;
    line.greet(&mut probe.dice).await?;
    let never = line.talk.next_id();
    match dropping(&mut line, never, probe).await? {
        Dropping::Unknown => Ok(()),
        _ => failed("it is not rpc_answer_unknown"),
    }
}

/// A call, and the message that answered it.
async fn called(line: &mut Line, probe: &mut Probe) -> Outcome<(Said, Message)> {
    let call = line.talk.say(get_config());
    match line.fate(&call, "help.getConfig", &mut probe.dice).await? {
        Fate::Answered(result) => Ok((call, result)),
        other => not_reached(format!("help.getConfig got {}", other.told())),
    }
}

async fn drop_acknowledged(probe: &mut Probe) -> Outcome {
    let mut line = probe.caller().await?;
    line.greet(&mut probe.dice).await?;
    let (call, result) = called(&mut line, probe).await?;
    let ack = line.talk.mention(to_bytes(&MsgsAck { msg_ids: LongVec::from_slice(&[result.msg_id]) }));
    line.send(&ack, "msgs_ack of the result", &mut probe.dice).await?;
    match dropping(&mut line, call.msg_id, probe).await? {
        Dropping::Unknown => Ok(()),
        _ => failed("it is not rpc_answer_unknown"),
    }
}

async fn drop_answered(probe: &mut Probe) -> Outcome {
    let mut line = probe.caller().await?;
    line.greet(&mut probe.dice).await?;
    let (call, result) = called(&mut line, probe).await?;
    match dropping(&mut line, call.msg_id, probe).await? {
        Dropping::Unknown => {}
        Dropping::Running => return failed("it is rpc_answer_dropped_running, and the answer had come"),
        Dropping::Dropped(dropped) => {
            let bytes = i32::try_from(result.body.len()).unwrap_or(i32::MAX);
            if (dropped.msg_id, dropped.seq_no, dropped.bytes) != (result.msg_id, result.seqno, bytes) {
                return failed("rpc_answer_dropped names another message than the answer");
            }
        }
    }
    line.others.clear();
    probe.move_on(&mut line).await?;
    line.goes_on(&mut probe.dice).await?;
    line.goes_on(&mut probe.dice).await?;
    match line.others.iter().any(|message| message.answer_to(call.msg_id).is_some()) {
        true => failed("the dropped answer came again on a new connection"),
        false => Ok(()),
    }
}

/// The call and what drops it go out in one write, so that they can meet.
async fn drop_running(probe: &mut Probe) -> Outcome {
    let mut line = probe.caller().await?;
    line.greet(&mut probe.dice).await?;
    let call = line.talk.say(get_config());
    let drop = drop_of(&mut line, call.msg_id);
    let mut bytes = Vec::new();
    for said in [&call, &drop] {
        let packet = line.talk.seal(said, &mut probe.dice)?;
        bytes.extend(line.wire.framed(&packet, false)?);
    }
    line.wire.write_as("help.getConfig and its rpc_drop_answer in one write", &bytes).await;
    let outcome = match line.wait_for(|message| message.answer_to(drop.msg_id)).await? {
        Ok(Ok(result)) => outcome_of(&result)?,
        Ok(Err(error)) => return failed(format!("rpc_drop_answer got the error {error:?}")),
        Err(heard) => return failed(format!("rpc_drop_answer got {}", heard.told())),
    };
    let came = line.others.iter().find_map(|message| message.answer_to(call.msg_id));
    let came = match came {
        Some(answer) => Some(answer),
        None => line.wait_for(|message| message.answer_to(call.msg_id)).await?.ok(),
    };
    let running = |answer: &[u8]| matches!(outcome_in(answer), Some(Dropping::Running));
    match (outcome, came) {
        (Dropping::Running, Some(Ok(answer))) if running(&answer) => Ok(()),
        (Dropping::Running, Some(_)) => failed("the answer came all the same"),
        (Dropping::Running, None) => failed("the call did not get rpc_answer_dropped_running too"),
        (Dropping::Unknown, Some(_)) | (Dropping::Dropped(_), _) => Ok(()),
        (Dropping::Unknown, None) => failed("it is rpc_answer_unknown, and no answer of the call came"),
    }
}
