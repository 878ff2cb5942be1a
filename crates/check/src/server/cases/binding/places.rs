//! Where a bind may stand: rule PF-18.

use super::calls::{init, layer, packed};
use super::{GET_STATE, PERM_EMPTY, acts_as_bound, introduced, is_there, is_true};
use crate::case::cases;
use crate::server::Entry;
use crate::server::probe::{Line, Probe, Told};
use crate::server::talk::{Answer, Made, Said};
use crate::verdict::{Outcome, failed, not_reached};

cases! {
    "PF-18/1" Compat "a bind in invokeWithLayer(initConnection(…))"
        why "TDLib sends its first call of a connection so, and that is the bind"
        expected "boolTrue, and the key serves"
        nested("a bind in invokeWithLayer(initConnection(…))", |query| layer(&init(query)));
    "PF-18/2" Compat "a bind in initConnection(invokeWithLayer(…))"
        why "both nestings are in use, and the specification names one only"
        expected "boolTrue, and the key serves"
        nested("a bind in initConnection(invokeWithLayer(…))", |query| init(&layer(query)));
    "PF-18/3" Compat "a bind in gzip_packed"
        why "clients pack whatever is over some length: a bind with client info around it is"
        expected "boolTrue, and the key serves"
        nested("a packed bind", packed);
    "PF-18/4" Compat "a bind in gzip_packed within invokeWithLayer(initConnection(…))"
        why "clients pack whatever is over some length, at any level"
        expected "boolTrue, and the key serves"
        nested("a packed bind in invokeWithLayer(initConnection(…))", |query| layer(&init(&packed(query))));
    "PF-18/5" Compat "a bind first in a container, with a call behind it"
        why "clients send what they have in one packet: a call that is run before the bind gets a 401"
        expected "boolTrue, and the call is not refused as unbound"
        first_in_container;
    "PF-18/6" Compat "a bind behind a call in its container"
        why "the order inside a container is whatever the client's queue made of it"
        expected "boolTrue, and the call is not refused as unbound"
        second_in_container;
    "PF-18/7" Compat "a call right behind the bind, in a packet of its own"
        why "clients do not wait for boolTrue: a call that overtakes the bind gets a 401, and TDLib logs out"
        expected "boolTrue, and the call is not refused as unbound"
        call_right_behind;
    "PF-18/8" Compat "other sessions under a bound key"
        why "temp_session_id is of the bind alone: clients begin a new session at each start"
        expected "calls in other sessions, over other connections, are answered"
        other_sessions;
}

/// A bind with something around it, which has to be answered with `boolTrue`.
pub(super) async fn bind_in(
    probe: &mut Probe,
    line: &mut Line,
    perm: &Made,
    what: &str,
    wrap: impl Fn(&[u8]) -> Vec<u8>,
) -> Outcome {
    let ends = line.ends;
    for _ in 0..2 {
        let mut said = probe.bind_call(line, perm, ends)?;
        said.body = wrap(&said.body);
        match line.answer(&said, what, &mut probe.dice).await? {
            Told::Answer(answer) => return is_true(&answer, what),
            Told::Salt => {}
            Told::Nothing(heard) => return failed(format!("{what} got {}", heard.told())),
        }
    }
    not_reached("bad_server_salt came twice in a row")
}

async fn nested(probe: &mut Probe, what: &str, wrap: impl Fn(&[u8]) -> Vec<u8>) -> Outcome {
    let (perm, temp) = (probe.perm().await?, probe.temp(3600).await?);
    let mut line = probe.line(&temp).await?;
    bind_in(probe, &mut line, &perm, what, wrap).await?;
    acts_as_bound(&mut line, probe, "the bound key").await
}

/// A new unbound key's line, a bind on it and a call that only a bound key may make, neither of them sent.
async fn bind_and_call(probe: &mut Probe, call_first: bool) -> Outcome<(Line, Said, Said)> {
    let (perm, temp) = (probe.perm().await?, probe.temp(3600).await?);
    let mut line = probe.line(&temp).await?;
    let ends = line.ends;
    let early = line.talk.say(introduced(&GET_STATE));
    let bind = probe.bind_call(&mut line, &perm, ends)?;
    let call = if call_first { early } else { line.talk.say(introduced(&GET_STATE)) };
    Ok((line, bind, call))
}

/// What a message was answered, whether it came already or has to be waited for.
pub(super) async fn answer_to(line: &mut Line, msg_id: i64, what: &str) -> Outcome<Answer> {
    if let Some(answer) = line.others.iter().find_map(|message| message.answer_to(msg_id)) {
        return Ok(answer);
    }
    match line.wait_for(|message| message.answer_to(msg_id)).await? {
        Ok(answer) => Ok(answer),
        Err(heard) => failed(format!("{what} got {}", heard.told())),
    }
}

/// The bind succeeded, and the call beside it was not refused as one of an unbound key.
async fn bound_before_call(line: &mut Line, bind: &Said, call: &Said) -> Outcome {
    let answer = answer_to(line, bind.msg_id, "the bind").await?;
    is_true(&answer, "the bind")?;
    match answer_to(line, call.msg_id, "the call beside the bind").await? {
        Err((code, text)) if (code, text.as_str()) == PERM_EMPTY => {
            failed("the call beside the bind was refused as one of an unbound key")
        }
        _ => Ok(()),
    }
}

async fn first_in_container(probe: &mut Probe) -> Outcome {
    let (mut line, bind, call) = bind_and_call(probe, false).await?;
    let container = line.talk.together(&[bind.clone(), call.clone()]);
    line.send(&container, "a container of a bind and updates.getState", &mut probe.dice).await?;
    bound_before_call(&mut line, &bind, &call).await
}

async fn second_in_container(probe: &mut Probe) -> Outcome {
    let (mut line, bind, call) = bind_and_call(probe, true).await?;
    let container = line.talk.together(&[call.clone(), bind.clone()]);
    line.send(&container, "a container of updates.getState and a bind", &mut probe.dice).await?;
    bound_before_call(&mut line, &bind, &call).await
}

async fn call_right_behind(probe: &mut Probe) -> Outcome {
    let (mut line, bind, call) = bind_and_call(probe, false).await?;
    line.send(&bind, "auth.bindTempAuthKey", &mut probe.dice).await?;
    line.send(&call, "updates.getState right behind it", &mut probe.dice).await?;
    bound_before_call(&mut line, &bind, &call).await
}

async fn other_sessions(probe: &mut Probe) -> Outcome {
    let (pair, mut line) = probe.bound().await?;
    is_there(probe, &pair.temp, "the bound key, in a second session").await?;
    let mut third = probe.line(&pair.temp).await?;
    acts_as_bound(&mut third, probe, "the bound key, in a third session").await?;
    acts_as_bound(&mut line, probe, "the bound key, in the session of the bind").await
}
