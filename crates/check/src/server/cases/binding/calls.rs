//! Which calls are served under which key: rules PF-05, PF-11 and PF-23.

use std::io::Read as _;

use dayfly_tl::api::{
    HelpGetConfig, HelpGetNearestDc, InitConnection, InvokeAfterMsg, InvokeAfterMsgs, InvokeWithLayer,
    InvokeWithoutUpdates,
};
use dayfly_tl::mtproto::{GzipPacked, Ping, Pong};
use dayfly_tl::{LongVec, to_bytes};
use flate2::Compression;
use flate2::read::GzEncoder;

use super::forge::forged_bind;
use super::places::answer_to;
use super::{GET_STATE, PERM_EMPTY, acts_as_bound, introduced, is_error, is_true, told};
use crate::case::cases;
use crate::server::Entry;
use crate::server::probe::{Line, Probe};
use crate::verdict::{Outcome, failed};

cases! {
    "PF-05/1" Must "help.getConfig under an unbound key"
        why "a client asks for it before it binds: without an answer it does not find its DC"
        expected "a result"
        serves_unbound("help.getConfig", to_bytes(&HelpGetConfig {}));
    "PF-05/2" Must "help.getNearestDc under an unbound key"
        why "a client asks for it before it binds: without an answer it does not find its DC"
        expected "a result"
        serves_unbound("help.getNearestDc", to_bytes(&HelpGetNearestDc {}));
    "PF-05/3" Compat "help.getConfig in every nesting under an unbound key"
        why "no client calls it bare: it comes in invokeWithLayer(initConnection(…)), and often packed"
        expected "a result each time"
        serves_nested;
    "PF-05/4" Must "any other call under an unbound key"
        why "a key that nobody has vouched for would act in no one's name, or in anyone's"
        expected "401 AUTH_KEY_PERM_EMPTY"
        refuses_unbound;
    "PF-05/5" Must "any other call in every nesting under an unbound key"
        why "a server that looks at the outermost function alone can be talked into anything by wrapping it"
        expected "401 AUTH_KEY_PERM_EMPTY each time"
        refuses_nested;
    "PF-05/6" Compat "service messages under an unbound key"
        why "clients ping and acknowledge from the first message on: what closes on that shuts them out"
        expected "pong"
        pings_unbound;
    "PF-05/7" Must "a bind after a refused call"
        why "clients send their first call before they see that the bind is still under way"
        expected "boolTrue, and then the call is not refused for that"
        binds_after_refusal;
    "PF-05/8" Must "an allowed and another call in one container under an unbound key"
        why "a server that looks at the first message of a container alone lets all others through behind it"
        expected "a result for help.getConfig, 401 AUTH_KEY_PERM_EMPTY for the other"
        mixed_container;
    "PF-11/1" Compat "a first call after the bind without client info"
        why "a 401 here would make TDLib log its user out"
        expected "a result, or 400 CONNECTION_NOT_INITED"
        without_info;
    "PF-11/2" Compat "client info around the bind itself"
        why "TDLib sends it so: what asks for it again costs every start of the client a round trip"
        expected "a result for the bare call after it"
        info_around_bind;
    "PF-23/1" Compat "a call under a permanent key"
        why "what it carries can be read by whoever takes the key later: right only where the operator allowed it"
        expected "400 TEMP_AUTH_KEY_EMPTY, unless the server allows clients without forward secrecy"
        call_under_permanent_key;
    "PF-23/2" Compat "a call under a permanent key is no reason to drop the key"
        why "TDLib checks its key so after a refused bind: on a 401 or -404 it would log its user out"
        expected "neither 401 nor -404"
        permanent_key_stays;
    "PF-23/3" Compat "service messages under a permanent key"
        why "TDLib checks its key so after a refused bind: without pong it takes the login as lost"
        expected "pong"
        pings_permanent;
}

type Wrap = fn(&[u8]) -> Vec<u8>;

fn without_updates(query: &[u8]) -> Vec<u8> {
    to_bytes(&InvokeWithoutUpdates { query })
}

pub(super) fn layer(query: &[u8]) -> Vec<u8> {
    to_bytes(&InvokeWithLayer { layer: dayfly_tl::api::LAYER, query })
}

pub(super) fn init(query: &[u8]) -> Vec<u8> {
    to_bytes(&InitConnection {
        api_id: 1,
        device_model: b"check",
        system_version: b"1",
        app_version: b"1",
        system_lang_code: b"en",
        lang_pack: b"",
        lang_code: b"en",
        proxy: None,
        params: None,
        query,
    })
}

/// Packed, whether that makes it shorter or not.
pub(super) fn packed(query: &[u8]) -> Vec<u8> {
    let mut reader = GzEncoder::new(query, Compression::fast());
    let mut packed_data = Vec::new();
    // Reading from memory into memory: neither end can fail.
    let _ = reader.read_to_end(&mut packed_data);
    to_bytes(&GzipPacked { packed_data: &packed_data })
}

/// Every form in which clients wrap a call.
const NESTINGS: [(&str, Wrap); 9] = [
    ("invokeWithLayer(initConnection(…))", |query| layer(&init(query))),
    ("initConnection(invokeWithLayer(…))", |query| init(&layer(query))),
    ("invokeWithoutUpdates(…)", without_updates),
    ("invokeWithLayer(initConnection(invokeWithoutUpdates(…)))", |query| {
        layer(&init(&without_updates(query)))
    }),
    ("invokeAfterMsg(…)", |query| to_bytes(&InvokeAfterMsg { msg_id: 0, query })),
    ("invokeAfterMsgs(…)", |query| to_bytes(&InvokeAfterMsgs { msg_ids: LongVec::from_slice(&[]), query })),
    ("gzip_packed", packed),
    ("gzip_packed invokeWithLayer(initConnection(…))", |query| packed(&layer(&init(query)))),
    ("invokeWithLayer(initConnection(gzip_packed …))", |query| layer(&init(&packed(query)))),
];

async fn unbound(probe: &mut Probe) -> Outcome<Line> {
    let temp = probe.temp(3600).await?;
    probe.line(&temp).await
}

async fn serves_unbound(probe: &mut Probe, name: &str, query: Vec<u8>) -> Outcome {
    let mut line = unbound(probe).await?;
    match line.attempt(&introduced(&query), name, &mut probe.dice).await? {
        Ok(Ok(_)) => Ok(()),
        Ok(other) => failed(format!("{name} under an unbound key got {}", told(&other))),
        Err(heard) => failed(format!("{name} under an unbound key got {}", heard.told())),
    }
}

async fn serves_nested(probe: &mut Probe) -> Outcome {
    let mut line = unbound(probe).await?;
    for (name, wrap) in NESTINGS {
        let what = format!("help.getConfig in {name}");
        match line.attempt(&wrap(&to_bytes(&HelpGetConfig {})), &what, &mut probe.dice).await? {
            Ok(Ok(_)) => {}
            Ok(other) => return failed(format!("{what} got {}", told(&other))),
            Err(heard) => return failed(format!("{what} got {}", heard.told())),
        }
    }
    Ok(())
}

async fn refuses_unbound(probe: &mut Probe) -> Outcome {
    let mut line = unbound(probe).await?;
    refused_as_unbound(probe, &mut line, &GET_STATE, "updates.getState under an unbound key").await
}

async fn refused_as_unbound(probe: &mut Probe, line: &mut Line, query: &[u8], what: &str) -> Outcome {
    match line.attempt(query, what, &mut probe.dice).await? {
        Ok(answer) => is_error(&answer, PERM_EMPTY, what),
        Err(heard) => failed(format!("{what} got {} instead of 401 AUTH_KEY_PERM_EMPTY", heard.told())),
    }
}

async fn refuses_nested(probe: &mut Probe) -> Outcome {
    let mut line = unbound(probe).await?;
    for (name, wrap) in NESTINGS {
        let what = format!("updates.getState in {name} under an unbound key");
        refused_as_unbound(probe, &mut line, &wrap(&GET_STATE), &what).await?;
    }
    Ok(())
}

async fn mixed_container(probe: &mut Probe) -> Outcome {
    let mut line = unbound(probe).await?;
    let allowed = line.talk.say(introduced(&to_bytes(&HelpGetConfig {})));
    let other = line.talk.say(introduced(&GET_STATE));
    let container = line.talk.together(&[allowed.clone(), other.clone()]);
    line.send(&container, "a container of help.getConfig and updates.getState", &mut probe.dice).await?;
    let answer = answer_to(&mut line, allowed.msg_id, "help.getConfig in a container").await?;
    if answer.is_err() {
        return failed(format!("help.getConfig in a container got {}", told(&answer)));
    }
    let answer = answer_to(&mut line, other.msg_id, "updates.getState beside it").await?;
    is_error(&answer, PERM_EMPTY, "updates.getState beside it")
}

/// A ping on a line is answered.
async fn pings(probe: &mut Probe, line: &mut Line, what: &str) -> Outcome {
    let ping_id = probe.dice.long();
    let said = line.talk.say(to_bytes(&Ping { ping_id }));
    line.send(&said, what, &mut probe.dice).await?;
    let pong = to_bytes(&Pong { msg_id: said.msg_id, ping_id });
    match line.wait_for(|message| (message.body == pong).then_some(())).await? {
        Ok(()) => Ok(()),
        Err(heard) => failed(format!("{what} got {} instead of pong", heard.told())),
    }
}

async fn pings_unbound(probe: &mut Probe) -> Outcome {
    let mut line = unbound(probe).await?;
    pings(probe, &mut line, "ping under an unbound key").await
}

async fn binds_after_refusal(probe: &mut Probe) -> Outcome {
    let perm = probe.perm().await?;
    let mut line = unbound(probe).await?;
    refused_as_unbound(probe, &mut line, &GET_STATE, "updates.getState under an unbound key").await?;
    let answer = forged_bind(probe, &mut line, &perm, "a bind after it", |_| {}).await?;
    is_true(&answer, "a bind after a refused call")?;
    acts_as_bound(&mut line, probe, "the bound key").await
}

async fn without_info(probe: &mut Probe) -> Outcome {
    let (_, mut line) = probe.bound().await?;
    let what = "a bare help.getConfig right after the bind";
    match line.attempt(&to_bytes(&HelpGetConfig {}), what, &mut probe.dice).await? {
        Ok(Ok(_)) => Ok(()),
        Ok(answer) => is_error(&answer, (400, "CONNECTION_NOT_INITED"), what),
        Err(heard) => failed(format!("{what} got {}", heard.told())),
    }
}

async fn info_around_bind(probe: &mut Probe) -> Outcome {
    let (perm, temp) = (probe.perm().await?, probe.temp(3600).await?);
    let mut line = probe.line(&temp).await?;
    super::places::bind_in(probe, &mut line, &perm, "a bind with client info", |query| layer(&init(query)))
        .await?;
    let what = "a bare help.getConfig after it";
    match line.attempt(&to_bytes(&HelpGetConfig {}), what, &mut probe.dice).await? {
        Ok(Ok(_)) => Ok(()),
        Ok(other) => failed(format!("{what} got {}", told(&other))),
        Err(heard) => failed(format!("{what} got {}", heard.told())),
    }
}

async fn call_under_permanent_key(probe: &mut Probe) -> Outcome {
    let perm = probe.perm().await?;
    let mut line = probe.line(&perm).await?;
    let what = "updates.getState under a permanent key";
    match line.attempt(&introduced(&GET_STATE), what, &mut probe.dice).await? {
        Ok(answer) => is_error(&answer, (400, "TEMP_AUTH_KEY_EMPTY"), what),
        Err(heard) => failed(format!("{what} got {}", heard.told())),
    }
}

async fn permanent_key_stays(probe: &mut Probe) -> Outcome {
    let perm = probe.perm().await?;
    let mut line = probe.line(&perm).await?;
    let what = "help.getConfig under a permanent key";
    let query = introduced(&to_bytes(&HelpGetConfig {}));
    match line.attempt(&query, what, &mut probe.dice).await? {
        Ok(Err((401, message))) => failed(format!("{what} got 401 {message}")),
        Ok(_) => Ok(()),
        Err(heard) => failed(format!("{what} got {}", heard.told())),
    }
}

async fn pings_permanent(probe: &mut Probe) -> Outcome {
    let perm = probe.perm().await?;
    let mut line = probe.line(&perm).await?;
    pings(probe, &mut line, "ping under a permanent key").await
}
