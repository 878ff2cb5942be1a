//! Containers and compression: rule MS-12.

use dayfly_tl::mtproto::Ping;
use dayfly_tl::to_bytes;

use super::{get_config, packed, refused};
use crate::case::cases;
use crate::server::Entry;
use crate::server::fate::Fate;
use crate::server::probe::{Line, Probe};
use crate::server::talk::Said;
use crate::server::wire::Heard;
use crate::verdict::{Outcome, failed, not_reached};

cases! {
    "MS-12/1" Must "a container of 1,024 messages"
        why "a client that comes back after a while sends all that is open at once"
        expected "all of it is done"
        full;
    "MS-12/2" Must "a container of 1,025 messages"
        why "without a bound one packet can make the server work for as long as its sender likes"
        expected "the transport error -429, and nothing of it is done"
        too_many;
    "MS-12/3" Compat "an empty container"
        why "clients send one to end a long poll"
        expected "no complaint, and the session goes on"
        empty;
    "MS-12/4" Must "a container in a container"
        why "each level multiplies what one packet costs the server"
        expected "code 64, and nothing of the whole is done"
        nested;
    "MS-12/5" Must "a message whose msg_id is not below that of its container"
        why "with it the order in which messages were made cannot be told any more"
        expected "code 64, and nothing of the whole is done"
        above_its_container;
    "MS-12/6" Must "bytes behind the last message, and a message beyond the end"
        why "a container that does not come apart would be taken in part, and its sender believes all of it was"
        expected "code 64, and nothing of the whole is done"
        does_not_come_apart;
    "MS-12/7" Compat "a message in a container with a msg_id of a server's"
        why "what is sent back to the server in a container is the client's own no more than outside of one"
        expected "code 64, and nothing of the whole is done"
        inner_of_a_server;
    "MS-12/8" Must "a call in gzip_packed, with the header of gzip"
        why "clients pack every long call"
        expected "its result"
        gzip;
    "MS-12/9" Compat "a call in gzip_packed, with the header of zlib"
        why "TDLib and mtcute write that header and could call nothing long"
        expected "its result"
        zlib;
    "MS-12/10" Compat "64 MiB of zeros in gzip_packed"
        why "a packet of 64 KiB would take a thousand times its length of the server's memory"
        expected "the call alone gets an error, and the session goes on"
        bomb;
    "MS-12/11" Compat "gzip_packed that does not unpack"
        why "a call without an answer hangs for ever"
        expected "the call alone gets an error, and the session goes on"
        damaged;
    "MS-12/12" Must "a service message in gzip_packed"
        why "clients pack whatever is long, an acknowledgement of many messages too"
        expected "it is done"
        packed_service;
}

/// So many pings in one container.
fn pings(line: &mut Line, count: usize, probe: &mut Probe) -> (Vec<Said>, Said) {
    let pings: Vec<_> = (0..count).map(|_| line.ping(&mut probe.dice)).collect();
    let container = line.talk.together(&pings);
    (pings, container)
}

async fn full(probe: &mut Probe) -> Outcome {
    let mut line = probe.session().await?;
    let (pings, container) = pings(&mut line, 1024, probe);
    line.send(&container, "a container of 1,024 pings", &mut probe.dice).await?;
    let mut answered = 0;
    while answered < pings.len() {
        match line.hear().await? {
            Ok(messages) => {
                answered += pings.iter().filter(|ping| messages.iter().any(|one| one.is_about(ping))).count()
            }
            Err(heard) => return failed(format!("after {answered} pongs came {}", heard.told())),
        }
    }
    Ok(())
}

async fn too_many(probe: &mut Probe) -> Outcome {
    let mut line = probe.session().await?;
    let (pings, container) = pings(&mut line, 1025, probe);
    line.send(&container, "a container of 1,025 pings", &mut probe.dice).await?;
    match line.wire.hear().await? {
        Heard::Error(-429) => {}
        other => return failed(format!("it got {}", other.told())),
    }
    probe.move_on(&mut line).await?;
    line.goes_on(&mut probe.dice).await?;
    match line.others.iter().any(|message| pings.iter().any(|ping| message.is_about(ping))) {
        true => failed("pings in it were answered"),
        false => Ok(()),
    }
}

async fn empty(probe: &mut Probe) -> Outcome {
    let mut line = probe.session().await?;
    let said = line.talk.together(&[]);
    line.send(&said, "an empty container", &mut probe.dice).await?;
    line.goes_on(&mut probe.dice).await?;
    match line.notice_about(&said) {
        true => failed("it got bad_msg_notification"),
        false => Ok(()),
    }
}

/// A ping, and a container in which it stands before something that `wrong` makes of a second ping.
async fn refused_with(probe: &mut Probe, what: &str, wrong: impl FnOnce(&mut Line, &mut Said)) -> Outcome {
    let mut line = probe.session().await?;
    let (right, mut broken) = (line.ping(&mut probe.dice), line.ping(&mut probe.dice));
    wrong(&mut line, &mut broken);
    let container = line.talk.together(&[right.clone(), broken]);
    refused_whole(&mut line, &container, &right, what, probe).await
}

/// The container is refused, and the right ping in it too.
async fn refused_whole(
    line: &mut Line,
    container: &Said,
    right: &Said,
    what: &str,
    probe: &mut Probe,
) -> Outcome {
    refused(line, container, 64, what, probe).await?;
    match line.others.iter().any(|message| message.is_about(right)) {
        true => failed("the right ping in it was answered: it was taken in part"),
        false => Ok(()),
    }
}

async fn nested(probe: &mut Probe) -> Outcome {
    refused_with(probe, "a container in a container", |line, broken| {
        broken.body = line.talk.together(&[]).body;
    })
    .await
}

async fn above_its_container(probe: &mut Probe) -> Outcome {
    let above = |_: &mut Line, broken: &mut Said| broken.msg_id += 1 << 32;
    refused_with(probe, "a message of the next second in a container", above).await?;
    let mut line = probe.session().await?;
    let mut same = line.ping(&mut probe.dice);
    let right = line.ping(&mut probe.dice);
    let mut container = line.talk.together(&[]);
    same.msg_id = container.msg_id;
    container.body = line.talk.together(&[right.clone(), same]).body;
    refused_whole(&mut line, &container, &right, "a message with the msg_id of its container", probe).await
}

/// What is done to the body of a container.
type Change = fn(&mut Vec<u8>);

async fn does_not_come_apart(probe: &mut Probe) -> Outcome {
    let trailing = |body: &mut Vec<u8>| body.extend([0; 4]);
    // The length of the only message stands behind the constructor, the count, a msg_id and a seqno.
    let beyond = |body: &mut Vec<u8>| {
        body.splice(20..24, 16_u32.to_le_bytes());
    };
    let changes: [(&str, Change); 2] =
        [("4 bytes behind the last message", trailing), ("a message beyond the end", beyond)];
    for (what, change) in changes {
        let mut line = probe.session().await?;
        let (pings, mut container) = pings(&mut line, 1, probe);
        change(&mut container.body);
        if let [right] = pings.as_slice() {
            refused_whole(&mut line, &container, right, what, probe).await?;
        }
    }
    Ok(())
}

async fn inner_of_a_server(probe: &mut Probe) -> Outcome {
    refused_with(probe, "an odd msg_id in a container", |_, broken| broken.msg_id += 1).await
}

/// A packed call gets its result.
async fn packed_call(probe: &mut Probe, zlib: bool) -> Outcome {
    let mut line = probe.caller().await?;
    let plain = line.call(&get_config(), "help.getConfig", &mut probe.dice).await?;
    let call = packed(&get_config(), zlib);
    match (line.call(&call, "help.getConfig in gzip_packed", &mut probe.dice).await?, plain) {
        (Ok(_), Ok(_)) => Ok(()),
        (Err(first), Err(second)) if first == second => not_reached(format!("calls get the error {first:?}")),
        (other, _) => failed(format!("it got {other:?}")),
    }
}

async fn gzip(probe: &mut Probe) -> Outcome {
    packed_call(probe, false).await
}

async fn zlib(probe: &mut Probe) -> Outcome {
    packed_call(probe, true).await
}

/// A packed object that cannot be unpacked: an error for it alone.
async fn fails_alone(probe: &mut Probe, body: Vec<u8>, what: &str) -> Outcome {
    let mut line = probe.caller().await?;
    line.greet(&mut probe.dice).await?;
    let call = line.talk.say(body);
    let ping = line.ping(&mut probe.dice);
    let container = line.talk.together(&[call.clone(), ping.clone()]);
    line.send(&container, &format!("{what}, and a ping beside it"), &mut probe.dice).await?;
    let error = line.wait_for(|message| message.answer_to(call.msg_id));
    match error.await? {
        Ok(Err((400..=499, _))) => {}
        Ok(other) => return failed(format!("it got {other:?}")),
        Err(heard) => return failed(format!("it got {}", heard.told())),
    }
    if !line.others.iter().any(|message| message.is_about(&ping))
        && !matches!(line.fate_of(&ping).await?, Fate::Answered(_))
    {
        return failed("the ping beside it was not answered");
    }
    line.goes_on(&mut probe.dice).await
}

async fn bomb(probe: &mut Probe) -> Outcome {
    fails_alone(probe, packed(&vec![0; 64 << 20], false), "64 MiB of zeros in gzip_packed").await
}

async fn damaged(probe: &mut Probe) -> Outcome {
    let mut body = packed(&get_config(), false);
    // Behind the constructor, the length and the header of gzip.
    body.iter_mut().skip(16).for_each(|byte| *byte = !*byte);
    fails_alone(probe, body, "damaged gzip_packed").await
}

async fn packed_service(probe: &mut Probe) -> Outcome {
    let mut line = probe.session().await?;
    let ping = to_bytes(&Ping { ping_id: probe.dice.long() });
    let said = line.talk.say(packed(&ping, false));
    line.ask(&said, "a ping in gzip_packed", &mut probe.dice).await.map(drop)
}
