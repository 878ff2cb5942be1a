//! msg_ids: rules MS-01 and MS-02.

use std::collections::BTreeSet;

use dayfly_tl::mtproto::{NewSessionCreated, Pong, RpcResult};

use super::{answered, get_config, refused};
use crate::case::cases;
use crate::server::Entry;
use crate::server::probe::{Line, Probe};
use crate::server::talk::{Message, unix_now};
use crate::verdict::{Outcome, failed, not_reached};

cases! {
    "MS-01/1" Must "the parity of the server's msg_ids"
        why "a client drops what is not odd, since only so can nobody send its own messages back to it"
        expected "1 modulo 4 on a pong and on rpc_result, 3 modulo 4 on new_session_created"
        parity;
    "MS-01/2" Must "no msg_id of the server comes twice, and they grow"
        why "a client drops a second message of the same msg_id as a replay, and with it an answer"
        expected "twenty pongs, each with a msg_id above the one before"
        grow;
    "MS-01/3" Must "the server's msg_ids tell its time"
        why "a client sets its clock by them and drops what is over 300 s old or 30 s ahead"
        expected "the Unix time in the higher half, and something in the lower one"
        tell_the_time;
    "MS-02/1" Must "a msg_id over 300 s old"
        why "what was recorded could be sent again after the server has forgotten that it came before"
        expected "code 16, and nothing of it is done"
        too_low;
    "MS-02/2" Must "a msg_id over 30 s ahead"
        why "a message from the future could be replayed for as long as it lies ahead"
        expected "code 17, and nothing of it is done"
        too_high;
    "MS-02/3" Must "a msg_id that is not divisible by 4"
        why "an odd one is a server's: its own messages could be sent back to it"
        expected "code 18, and nothing of it is done"
        not_of_client;
    "MS-02/4" Must "a container with the msg_id of another"
        why "two containers of one msg_id cannot be told apart in acknowledgements"
        expected "code 19, and nothing in it is done"
        container_again;
    "MS-02/5" Must "msg_ids of 290 s ago and of 25 s ahead"
        why "a client whose clock is a little off would be shut out"
        expected "a pong to each"
        within_the_window;
}

async fn parity(probe: &mut Probe) -> Outcome {
    let mut line = probe.caller().await?;
    line.call(&get_config(), "help.getConfig", &mut probe.dice).await?.ok();
    let ping = line.ping(&mut probe.dice);
    let pong = line.ask(&ping, "a ping", &mut probe.dice).await?;
    is(&pong, 1)?;
    let call = line.talk.say(get_config());
    let result = line.ask(&call, "help.getConfig", &mut probe.dice).await?;
    if result.constructor() != RpcResult::CONSTRUCTOR {
        return failed(format!("the call got #{:08x}", result.constructor()));
    }
    is(&result, 1)?;
    match line.unasked(NewSessionCreated::CONSTRUCTOR).first() {
        Some(created) => is(created, 3),
        None => not_reached("new_session_created did not come"),
    }
}

fn is(message: &Message, remainder: i64) -> Outcome {
    let found = message.msg_id.rem_euclid(4);
    if found == remainder {
        return Ok(());
    }
    failed(format!("the msg_id of #{:08x} is {found} modulo 4, not {remainder}", message.constructor()))
}

/// Twenty pings in one container: their pongs are made at one moment.
async fn pongs(probe: &mut Probe) -> Outcome<(Line, Vec<Message>)> {
    let mut line = probe.session().await?;
    let pings: Vec<_> = (0..20).map(|_| line.ping(&mut probe.dice)).collect();
    let container = line.talk.together(&pings);
    line.send(&container, "a container of twenty pings", &mut probe.dice).await?;
    let pong = |message: &Message| (message.constructor() == Pong::CONSTRUCTOR).then(|| message.clone());
    let mut pongs = Vec::new();
    while pongs.len() < pings.len() {
        match line.wait_for(pong).await? {
            Ok(message) => pongs.push(message),
            Err(heard) => return failed(format!("after {} pongs came {}", pongs.len(), heard.told())),
        }
        let (more, others) = line.others.drain(..).partition(|message| pong(message).is_some());
        line.others = others;
        pongs.extend::<Vec<_>>(more);
    }
    Ok((line, pongs))
}

async fn grow(probe: &mut Probe) -> Outcome {
    let (mut line, messages) = pongs(probe).await?;
    let ids: BTreeSet<_> = messages.iter().map(|message| message.msg_id).collect();
    if ids.len() != messages.len() {
        return failed("two pongs have the same msg_id");
    }
    let ping = line.ping(&mut probe.dice);
    let last = line.ask(&ping, "one ping more", &mut probe.dice).await?;
    match ids.last() {
        Some(highest) if last.msg_id > *highest => Ok(()),
        _ => failed("a later pong has a lower msg_id"),
    }
}

async fn tell_the_time(probe: &mut Probe) -> Outcome {
    let (line, messages) = pongs(probe).await?;
    let now = unix_now().0 + line.talk.skew;
    for message in messages {
        let told = message.msg_id >> 32;
        if (told - now).abs() > 30 {
            return failed(format!("a msg_id tells {told}, and by server_time it is {now}"));
        }
        if message.msg_id & 0xffff_fffc == 0 {
            return failed("the lower half of a msg_id is empty");
        }
    }
    Ok(())
}

/// A ping of which the msg_id is this many seconds from now gets `code`.
async fn refused_at(probe: &mut Probe, seconds: i64, code: i32, what: &str) -> Outcome {
    let mut line = probe.session().await?;
    let mut said = line.ping(&mut probe.dice);
    said.msg_id = line.talk.id_at(seconds);
    refused(&mut line, &said, code, what, probe).await
}

async fn too_low(probe: &mut Probe) -> Outcome {
    refused_at(probe, -310, 16, "a ping of 310 s ago").await
}

async fn too_high(probe: &mut Probe) -> Outcome {
    refused_at(probe, 45, 17, "a ping of 45 s ahead").await
}

async fn not_of_client(probe: &mut Probe) -> Outcome {
    let mut line = probe.session().await?;
    for remainder in 1..4 {
        let mut said = line.ping(&mut probe.dice);
        said.msg_id += remainder;
        refused(&mut line, &said, 18, &format!("a ping of {remainder} modulo 4"), probe).await?;
        // Refused messages do not count.
        line.talk = line.talk.another(probe.dice.long() | 1);
        line.greet(&mut probe.dice).await?;
    }
    Ok(())
}

async fn container_again(probe: &mut Probe) -> Outcome {
    let mut line = probe.session().await?;
    // What is in a container may not be above it, so both pings are made before.
    let (first, second) = (line.ping(&mut probe.dice), line.ping(&mut probe.dice));
    let container = line.talk.together(std::slice::from_ref(&first));
    line.send(&container, "a container with a ping", &mut probe.dice).await?;
    line.fate_of(&first).await?;
    let mut again = line.talk.together(std::slice::from_ref(&second));
    again.msg_id = container.msg_id;
    refused(&mut line, &again, 19, "a container of the same msg_id with another ping", probe).await?;
    if line.others.iter().any(|message| message.is_about(&second)) {
        return failed("the ping in the second container was answered");
    }
    Ok(())
}

async fn within_the_window(probe: &mut Probe) -> Outcome {
    for seconds in [-290, 25] {
        let made = probe.perm().await?;
        let mut line = probe.line(&made).await?;
        let mut said = line.ping(&mut probe.dice);
        said.msg_id = line.talk.id_at(seconds);
        answered(&mut line, &said, &format!("a ping of {seconds} s from now"), probe).await?;
    }
    Ok(())
}
