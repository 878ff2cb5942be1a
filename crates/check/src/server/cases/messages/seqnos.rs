//! seqnos: rule MS-04.

use std::collections::BTreeMap;

use dayfly_tl::mtproto::{MsgsAck, RpcResult};
use dayfly_tl::{LongVec, to_bytes};

use super::{get_config, packed, refused};
use crate::case::cases;
use crate::server::Entry;
use crate::server::fate::Fate;
use crate::server::probe::{Line, Probe};
use crate::verdict::{Outcome, Stop, failed};

cases! {
    "MS-04/1" Must "a later message with a lower seqno"
        why "messages that were taken out and put in elsewhere show by it"
        expected "code 32, and nothing of it is done"
        too_low;
    "MS-04/2" Must "a later message with the same odd seqno"
        why "two content-related messages of one seqno mean that one of them is not the client's"
        expected "code 32, and nothing of it is done"
        same_odd;
    "MS-04/3" Must "an earlier message with a higher seqno"
        why "messages that were held back and sent out of turn show by it"
        expected "code 33, and nothing of it is done"
        too_high;
    "MS-04/4" Must "an API call with an even seqno"
        why "what is not counted is not acknowledged, and may be lost without a trace"
        expected "code 35, and it is not run"
        even_call;
    "MS-04/5" Must "a packed API call with an even seqno"
        why "packing would be a way around the count"
        expected "code 35, and it is not run"
        even_packed_call;
    "MS-04/6" Compat "an odd seqno on msgs_ack"
        why "code 34 makes a client that numbers its acknowledgements reconnect for ever"
        expected "it is taken, and the session goes on"
        odd_ack;
    "MS-04/7" Must "the seqnos of the server"
        why "a client that counts finds a message missing where none is, and resets the session"
        expected "rpc_result has an odd one, and later ones have higher ones"
        own;
    "MS-04/8" Must "an earlier message with a seqno that fits"
        why "two packets that pass each other on the way would be lost"
        expected "a pong"
        in_between;
}

/// A ping that comes late: its place was left free between the messages around it.
struct Between {
    line: Line,
    early: i64,
}

/// Two pings were sent, seqnos 1 and 9, and an id between theirs is free.
async fn between(probe: &mut Probe) -> Outcome<Between> {
    let mut line = probe.session().await?;
    let early = line.talk.next_id();
    let mut later = line.ping(&mut probe.dice);
    later.seqno = 9;
    match line.fate(&later, "a ping of seqno 9", &mut probe.dice).await? {
        Fate::Answered(_) => Ok(Between { line, early }),
        other => failed(format!("a ping of seqno 9 got {}", other.told())),
    }
}

async fn too_low(probe: &mut Probe) -> Outcome {
    let mut line = between(probe).await?.line;
    let mut said = line.ping(&mut probe.dice);
    said.seqno = 3;
    line.talk.skip_content(20);
    refused(&mut line, &said, 32, "a ping of seqno 3 behind one of 9", probe).await
}

async fn same_odd(probe: &mut Probe) -> Outcome {
    let mut line = between(probe).await?.line;
    let mut said = line.ping(&mut probe.dice);
    said.seqno = 9;
    line.talk.skip_content(20);
    refused(&mut line, &said, 32, "a second ping of seqno 9", probe).await
}

async fn too_high(probe: &mut Probe) -> Outcome {
    for seqno in [11, 9] {
        let Between { mut line, early } = between(probe).await?;
        let mut said = line.ping(&mut probe.dice);
        (said.msg_id, said.seqno) = (early, seqno);
        line.talk.skip_content(20);
        let what = format!("a ping of seqno {seqno} that is older than the one of 9");
        refused(&mut line, &said, 33, &what, probe).await?;
    }
    Ok(())
}

async fn in_between(probe: &mut Probe) -> Outcome {
    let Between { mut line, early } = between(probe).await?;
    let mut said = line.ping(&mut probe.dice);
    (said.msg_id, said.seqno) = (early, 5);
    line.talk.skip_content(20);
    line.ask(&said, "a ping of seqno 5 that is older than the one of 9", &mut probe.dice).await?;
    line.goes_on(&mut probe.dice).await
}

async fn even_call(probe: &mut Probe) -> Outcome {
    even(probe, get_config(), "help.getConfig").await
}

async fn even_packed_call(probe: &mut Probe) -> Outcome {
    even(probe, packed(&get_config(), false), "help.getConfig in gzip_packed").await
}

async fn even(probe: &mut Probe, call: Vec<u8>, what: &str) -> Outcome {
    let mut line = probe.caller().await?;
    line.greet(&mut probe.dice).await?;
    let said = line.talk.mention(call);
    refused(&mut line, &said, 35, &format!("{what} with an even seqno"), probe).await
}

async fn odd_ack(probe: &mut Probe) -> Outcome {
    let mut line = probe.session().await?;
    let said = line.talk.say(to_bytes(&MsgsAck { msg_ids: LongVec::from_slice(&[1]) }));
    line.send(&said, "msgs_ack with an odd seqno", &mut probe.dice).await?;
    line.goes_on(&mut probe.dice).await?;
    if line.notice_about(&said) {
        return failed("it got bad_msg_notification");
    }
    Ok(())
}

async fn own(probe: &mut Probe) -> Outcome {
    let mut line = probe.caller().await?;
    line.greet(&mut probe.dice).await?;
    let mut seqnos = BTreeMap::new();
    for _ in 0..5 {
        let said = line.talk.say(get_config());
        let result = line.ask(&said, "help.getConfig", &mut probe.dice).await?;
        if result.constructor() == RpcResult::CONSTRUCTOR && result.seqno & 1 == 0 {
            return failed(format!("rpc_result has the even seqno {}", result.seqno));
        }
        seqnos.insert(result.msg_id, result.seqno);
    }
    let mut counted = seqnos.values().filter(|seqno| *seqno & 1 == 1);
    let Some(mut before) = counted.next().copied() else {
        return Err(Stop::Undecided("no message with an odd seqno came".into()));
    };
    for seqno in counted {
        if *seqno <= before {
            return failed(format!("seqno {seqno} comes after {before}"));
        }
        before = *seqno;
    }
    Ok(())
}
