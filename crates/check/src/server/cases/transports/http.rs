//! HTTP: rule TR-07.

use std::time::Duration;

use dayfly_core::transport::{Kind, Obfuscation};
use dayfly_tl::mtproto::{HttpWait, MsgsAllInfo};
use dayfly_tl::{LongVec, to_bytes};

use super::{req_pq, whole_exchange};
use crate::case::cases;
use crate::server::Entry;
use crate::server::cases::messages::get_config;
use crate::server::http::Http;
use crate::server::probe::Probe;
use crate::server::talk::{Message, Said, Talk};
use crate::verdict::{Outcome, failed, not_reached};

cases! {
    "TR-07/1" Must "a whole exchange over HTTP, on one connection"
        why "clients in networks that let nothing else through speak it"
        expected "a key, and answers short and long, each in the response to its request"
        over_http;
    "TR-07/2" Must "two sessions on two connections, one of which waits"
        why "an answer in the response to someone else's request is lost, and read by someone else"
        expected "the ping's answer comes to its own request, and the other one goes on waiting"
        own_answers;
    "TR-07/3" Must "a request of another session on a connection whose session has something to say"
        why "a proxy that shares connections would give one client's answers to another"
        expected "nothing of the first session in the response"
        shared_connection;
    "MS-16/6" Must "a request over HTTP without http_wait"
        why "a response that says nothing makes the client ask again at once, without end"
        expected "it waits until there is something to say"
        waits_by_default;
    "TR-07/4" Compat "a request to /apiw"
        why "a page of another origin could not read the response"
        expected "status 200, and Access-Control-Allow-Origin: *"
        for_browsers;
}

async fn over_http(probe: &mut Probe) -> Outcome {
    let bridge = probe.http().await?.bridge();
    let (mut wire, opening) = probe.wire_over(Box::new(bridge), Kind::Intermediate, &Obfuscation::None)?;
    wire.write(&opening).await;
    whole_exchange(probe, wire).await
}

/// What came in the response to a packet; nothing if it was empty.
async fn respond(
    http: &mut Http,
    talk: &Talk,
    said: &Said,
    what: &str,
    probe: &mut Probe,
) -> Outcome<Vec<Message>> {
    let packet = talk.seal(said, &mut probe.dice)?;
    match http.post("/api", &packet, what).await? {
        Ok(response) if response.status == 200 && response.body.is_empty() => Ok(Vec::new()),
        Ok(response) if response.status == 200 => talk.open(&response.body),
        Ok(response) => failed(format!("{what} got status {}", response.status)),
        Err(heard) => failed(format!("{what} got {}", heard.told())),
    }
}

/// `http_wait`, which has to wait for so many milliseconds.
fn http_wait(max_wait: i32) -> Vec<u8> {
    to_bytes(&HttpWait { max_delay: 0, wait_after: 0, max_wait })
}

/// A new session over HTTP under this key, its first ping answered.
async fn session(http: &mut Http, talk: &mut Talk, probe: &mut Probe) -> Outcome {
    let ping = talk.say(to_bytes(&dayfly_tl::mtproto::Ping { ping_id: probe.dice.long() }));
    let messages = respond(http, talk, &ping, "a ping", probe).await?;
    match messages.iter().any(|message| message.is_about(&ping)) {
        true => Ok(()),
        false => not_reached("the response to a ping is no pong"),
    }
}

async fn own_answers(probe: &mut Probe) -> Outcome {
    let made = probe.perm().await?;
    let mut talk = Talk::new(&made, probe.dice.long() | 1);
    let mut other = talk.another(probe.dice.long() | 1);
    let (mut http, mut waiting) = (probe.http().await?, probe.http().await?);
    session(&mut waiting, &mut other, probe).await?;
    let wait = other.mention(http_wait(2_000));
    let packet = other.seal(&wait, &mut probe.dice)?;
    let parked = async {
        match waiting.post("/api", &packet, "http_wait of 2 s in another session").await? {
            Ok(response) if response.body.is_empty() => Ok(()),
            Ok(response) => {
                match other.open(&response.body)?.iter().all(|message| message.session == other.session) {
                    true => Ok(()),
                    false => failed("the waiting request got a message of another session"),
                }
            }
            Err(heard) => failed(format!("the waiting request got {}", heard.told())),
        }
    };
    let pinging = async {
        for _ in 0..5 {
            session(&mut http, &mut talk, probe).await?;
        }
        Ok(())
    };
    let (parked, pinging) = tokio::join!(parked, pinging);
    pinging.and(parked)
}

async fn shared_connection(probe: &mut Probe) -> Outcome {
    let made = probe.perm().await?;
    let mut first = Talk::new(&made, probe.dice.long() | 1);
    let mut second = first.another(probe.dice.long() | 1);
    let mut http = probe.http().await?;
    session(&mut http, &mut second, probe).await?;
    session(&mut http, &mut first, probe).await?;
    let call = first.say(get_config());
    respond(&mut http, &first, &call, "help.getConfig in the first session", probe).await?;
    let (repeat, wait) = (first.seal(&call, &mut probe.dice)?, second.mention(http_wait(2_000)));
    let packet = second.seal(&wait, &mut probe.dice)?;
    let mut elsewhere = probe.connect().await?;
    // The answer is to be given again: that is what the first session has to say while the second one waits.
    let repeating = async {
        for _ in 0..8 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            elsewhere.send(&repeat, "that help.getConfig again, over TCP").await?;
        }
        Ok(())
    };
    let what = "http_wait of 2 s in the second session, on the same connection";
    let (response, repeated) = tokio::join!(http.post("/api", &packet, what), repeating);
    repeated?;
    match response? {
        Ok(response) => only_of(&second, &response.body),
        Err(heard) => failed(format!("it got {}", heard.told())),
    }
}

/// A response is empty, or a packet of this session.
fn only_of(talk: &Talk, body: &[u8]) -> Outcome {
    if body.is_empty() || talk.open(body)?.iter().all(|message| message.session == talk.session) {
        return Ok(());
    }
    failed("the response to a waiting request is a message of another session")
}

async fn waits_by_default(probe: &mut Probe) -> Outcome {
    let made = probe.perm().await?;
    let mut talk = Talk::new(&made, probe.dice.long() | 1);
    let mut http = probe.http().await?;
    session(&mut http, &mut talk, probe).await?;
    // All that it leaves to be said is its acknowledgement, a little later.
    let told = talk.say(to_bytes(&MsgsAllInfo { msg_ids: LongVec::from_slice(&[4]), info: &[4] }));
    let messages = respond(&mut http, &talk, &told, "msgs_all_info with an odd seqno", probe).await?;
    match messages.iter().any(|message| message.is_about(&told)) {
        true => Ok(()),
        false => failed("the response says nothing of it"),
    }
}

async fn for_browsers(probe: &mut Probe) -> Outcome {
    let mut http = probe.http().await?;
    match http.post("/apiw", &req_pq(probe).0, "req_pq_multi").await? {
        Ok(response) if response.status != 200 => failed(format!("it got status {}", response.status)),
        Ok(response) if response.header("access-control-allow-origin") == Some("*") => Ok(()),
        Ok(_) => failed("the response has no Access-Control-Allow-Origin: *"),
        Err(heard) => failed(format!("it got {}", heard.told())),
    }
}
