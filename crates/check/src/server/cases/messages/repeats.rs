//! What comes twice: rule MS-03.

use std::time::Duration;

use dayfly_tl::mtproto::MsgDetailedInfoPlain;

use super::get_config;
use crate::case::cases;
use crate::server::Entry;
use crate::server::fate::Fate;
use crate::server::probe::{Line, Probe};
use crate::server::talk::{Message, Said, unix_now};
use crate::server::wire::Heard;
use crate::verdict::{Outcome, Stop, failed, not_reached};

cases! {
    "MS-03/1" Must "a call is sent twice with one msg_id"
        why "whoever records a packet and sends it again would make the call run again: a message sent twice, a payment made twice"
        expected "no second run: the answer of the first one, under its msg_id, or word of it"
        not_run_twice;
    "MS-03/2" Must "the answer of a repeated call"
        why "a client repeats a call when the answer was lost; without it the call hangs for ever"
        expected "the same rpc_result again, or msg_detailed_info"
        answered_again;
    "MS-03/3" Must "a call is repeated after 1,000 messages"
        why "an attacker only has to wait until the server has forgotten the msg_id"
        expected "it is not run again"
        remembered;
    "MS-03/4" Must "a call is repeated after 1,100 messages"
        why "no server keeps every msg_id; what it cannot tell from a replay it must not run"
        expected "it is not run again: code 20, or its answer where the server remembers it"
        below_all;
    "MS-03/5" Compat "a recorded packet is sent again on another connection"
        why "a session that follows a replay can be taken from its client by anyone on the way"
        expected "it is not run, and the session goes on speaking on the connection of its client"
        replayed_elsewhere;
}

/// The result of a call, as the message in which it came.
async fn first_result(line: &mut Line, said: &Said, probe: &mut Probe) -> Outcome<Message> {
    match line.fate(said, "help.getConfig", &mut probe.dice).await? {
        Fate::Answered(message) => Ok(message),
        other => not_reached(format!("help.getConfig got {}", other.told())),
    }
}

/// A session with a call that was answered, and the moment over at which its answer would be another one.
async fn called(probe: &mut Probe) -> Outcome<(Line, Said, Message)> {
    let mut line = probe.caller().await?;
    line.greet(&mut probe.dice).await?;
    let said = line.talk.say(get_config());
    let result = first_result(&mut line, &said, probe).await?;
    Ok((line, said, result))
}

/// Until the clock, which is in the answer, shows another second.
async fn next_second() {
    let begun = unix_now().0;
    while unix_now().0 <= begun {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What a message says of a call that was answered with `result`: that answer again, or where it is to be had.
fn again(message: &Message, said: &Said, result: &Message) -> Option<Outcome> {
    if message.constructor() == MsgDetailedInfoPlain::CONSTRUCTOR {
        return message.is_about(said).then_some(Ok(()));
    }
    let answers = message.answer_to(said.msg_id).is_some();
    answers.then(|| {
        if message.msg_id == result.msg_id {
            Ok(())
        } else if message.body == result.body {
            Err(Stop::Undecided(
                "the answer has a msg_id of its own and the same bytes: it may have been run again".into(),
            ))
        } else {
            failed("another answer came: the call was run again")
        }
    })
}

/// What comes to a repeat within the silence that the run allows; `None` if nothing of it.
async fn repeated(
    line: &mut Line,
    said: &Said,
    result: &Message,
    probe: &mut Probe,
) -> Outcome<Option<Outcome>> {
    line.send(said, "the same call, byte for byte", &mut probe.dice).await?;
    let ping = line.ping(&mut probe.dice);
    line.send(&ping, "a ping", &mut probe.dice).await?;
    let (mut came, mut ponged) = (None, false);
    while !ponged {
        let messages = match line.hear().await? {
            Ok(messages) => messages,
            Err(heard) => return failed(format!("the ping behind the repeat got {}", heard.told())),
        };
        ponged = messages.iter().any(|message| message.is_about(&ping));
        came = came.or_else(|| messages.iter().find_map(|message| again(message, said, result)));
    }
    // The answer of a second run may take longer than a pong.
    if came.is_none()
        && let Heard::Payload(payload) = line.wire.hear_within(probe.target().silence).await?
    {
        came = line.talk.open(&payload)?.iter().find_map(|message| again(message, said, result));
    }
    Ok(came)
}

async fn not_run_twice(probe: &mut Probe) -> Outcome {
    let (mut line, said, result) = called(probe).await?;
    next_second().await;
    repeated(&mut line, &said, &result, probe).await?.unwrap_or(Ok(()))
}

async fn answered_again(probe: &mut Probe) -> Outcome {
    let (mut line, said, result) = called(probe).await?;
    next_second().await;
    match repeated(&mut line, &said, &result, probe).await? {
        // That it is not run twice is a case of its own.
        Some(_) => Ok(()),
        None => failed("neither the answer nor word of it came"),
    }
}

/// Sends so many pings in containers, and waits for the last pong.
async fn fill(line: &mut Line, count: usize, probe: &mut Probe) -> Outcome {
    let mut left = count;
    while left > 0 {
        let some = left.min(500);
        let pings: Vec<_> = (0..some).map(|_| line.ping(&mut probe.dice)).collect();
        let container = line.talk.together(&pings);
        line.send(&container, &format!("a container of {some} pings"), &mut probe.dice).await?;
        if let Some(last) = pings.last() {
            match line.fate_of(last).await? {
                Fate::Answered(_) => {}
                other => return not_reached(format!("a ping in a container got {}", other.told())),
            }
        }
        left -= some;
    }
    line.others.clear();
    Ok(())
}

/// A call is repeated when so many other messages have come after it, and is not run.
async fn repeated_after(count: usize, probe: &mut Probe) -> Outcome {
    let (mut line, said, result) = called(probe).await?;
    next_second().await;
    fill(&mut line, count, probe).await?;
    repeated(&mut line, &said, &result, probe).await?.unwrap_or(Ok(()))
}

async fn remembered(probe: &mut Probe) -> Outcome {
    repeated_after(1000, probe).await
}

async fn below_all(probe: &mut Probe) -> Outcome {
    repeated_after(1100, probe).await
}

async fn replayed_elsewhere(probe: &mut Probe) -> Outcome {
    let mut line = probe.caller().await?;
    line.greet(&mut probe.dice).await?;
    let said = line.talk.say(get_config());
    let packet = line.talk.seal(&said, &mut probe.dice)?;
    line.wire.send(&packet, "help.getConfig").await?;
    if let other @ (Fate::Refused(_) | Fate::Salt(_) | Fate::Nothing(_)) = line.fate_of(&said).await? {
        return not_reached(format!("help.getConfig got {}", other.told()));
    }
    let mut elsewhere = probe.connect().await?;
    elsewhere.send(&packet, "the recorded packet, on another connection").await?;
    tokio::select! {
        biased;
        heard = elsewhere.hear() => match heard? {
            Heard::Payload(_) => failed("the session speaks on the connection of the replay"),
            _ => line.goes_on(&mut probe.dice).await,
        },
        heard = line.wire.hear() => match heard? {
            Heard::Payload(_) => line.goes_on(&mut probe.dice).await,
            Heard::Silence => Err(Stop::Undecided("the server says nothing to a replay on either connection".into())),
            other => failed(format!("the connection of the client got {}", other.told())),
        },
    }
}
