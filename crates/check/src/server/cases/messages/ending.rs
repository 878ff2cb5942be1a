//! The end of sessions and keys: rule MS-17.

use dayfly_tl::mtproto::{
    DestroyAuthKey, DestroyAuthKeyOk, DestroySession, DestroySessionNone, DestroySessionOk, NewSessionCreated,
};
use dayfly_tl::to_bytes;

use crate::case::cases;
use crate::server::Entry;
use crate::server::probe::{Line, Probe};
use crate::server::talk::Made;
use crate::server::wire::Heard;
use crate::verdict::{Outcome, failed};

cases! {
    "MS-17/1" Must "destroy_session for another session of the key"
        why "a session that lives on collects what its client will never fetch"
        expected "destroy_session_ok, and a later message there begins a new session"
        another_session;
    "MS-17/2" Must "destroy_session for one that never was"
        why "a client that believes it was there looks for an error of its own"
        expected "destroy_session_none"
        no_session;
    "MS-17/3" Must "destroy_auth_key under a permanent key"
        why "a user who logs out trusts that nobody can use the key any more"
        expected "destroy_auth_key_ok, and -404 to every later frame"
        permanent;
    "MS-17/4" Must "destroy_auth_key under a bound temporary key"
        why "clients with forward secrecy have no other key under which they could say it"
        expected "destroy_auth_key_ok, and -404 under both keys"
        bound;
    "MS-17/5" Must "destroy_auth_key under an unbound temporary key"
        why "a key that nobody needs stays a way in"
        expected "destroy_auth_key_ok, and -404 to every later frame"
        unbound;
    "MS-17/6" Must "the temporary keys of a permanent key that is destroyed"
        why "a stolen temporary key would outlive the log-out"
        expected "-404 under them too, on connections that were open before as well"
        temporary_too;
}

async fn destroy_session(line: &mut Line, session_id: i64, probe: &mut Probe) -> Outcome<u32> {
    let said = line.talk.say(to_bytes(&DestroySession { session_id }));
    Ok(line.ask(&said, "destroy_session", &mut probe.dice).await?.constructor())
}

async fn another_session(probe: &mut Probe) -> Outcome {
    let mut line = probe.session().await?;
    let mut other = probe.beside(&line).await?;
    other.goes_on(&mut probe.dice).await?;
    let constructor = destroy_session(&mut line, other.talk.session, probe).await?;
    if constructor != DestroySessionOk::CONSTRUCTOR {
        return failed(format!("it got #{constructor:08x}"));
    }
    other.others.clear();
    other.goes_on(&mut probe.dice).await?;
    other.goes_on(&mut probe.dice).await?;
    match other.unasked(NewSessionCreated::CONSTRUCTOR).is_empty() {
        true => failed("the other session went on as if nothing had happened"),
        false => line.goes_on(&mut probe.dice).await,
    }
}

async fn no_session(probe: &mut Probe) -> Outcome {
    let mut line = probe.session().await?;
    match destroy_session(&mut line, probe.dice.long(), probe).await? {
        DestroySessionNone::CONSTRUCTOR => line.goes_on(&mut probe.dice).await,
        other => failed(format!("it got #{other:08x}")),
    }
}

/// `destroy_auth_key` on this line is answered with `destroy_auth_key_ok`.
async fn destroy(line: &mut Line, probe: &mut Probe) -> Outcome {
    let said = line.talk.say(to_bytes(&DestroyAuthKey {}));
    let answer = line.ask(&said, "destroy_auth_key", &mut probe.dice).await?;
    match answer.constructor() {
        DestroyAuthKeyOk::CONSTRUCTOR => Ok(()),
        other => failed(format!("destroy_auth_key got #{other:08x}")),
    }
}

/// A ping under a key that is gone gets -404.
async fn is_gone(made: &Made, what: &str, probe: &mut Probe) -> Outcome {
    let mut line = probe.line(made).await?;
    let said = line.ping(&mut probe.dice);
    line.send(&said, &format!("a ping under {what}"), &mut probe.dice).await?;
    match line.wire.hear().await? {
        Heard::Error(-404) => Ok(()),
        other => failed(format!("a ping under {what} got {}", other.told())),
    }
}

async fn permanent(probe: &mut Probe) -> Outcome {
    let made = probe.perm().await?;
    let mut line = probe.line(&made).await?;
    line.greet(&mut probe.dice).await?;
    destroy(&mut line, probe).await?;
    is_gone(&made, "the destroyed key", probe).await
}

async fn bound(probe: &mut Probe) -> Outcome {
    let (pair, mut line) = probe.bound().await?;
    destroy(&mut line, probe).await?;
    is_gone(&pair.temp, "the temporary key", probe).await?;
    is_gone(&pair.perm, "the permanent key", probe).await
}

async fn unbound(probe: &mut Probe) -> Outcome {
    let made = probe.temp(3600).await?;
    let mut line = probe.line(&made).await?;
    line.greet(&mut probe.dice).await?;
    destroy(&mut line, probe).await?;
    is_gone(&made, "the destroyed key", probe).await
}

async fn temporary_too(probe: &mut Probe) -> Outcome {
    let (pair, mut open) = probe.bound().await?;
    let mut line = probe.line(&pair.perm).await?;
    line.greet(&mut probe.dice).await?;
    destroy(&mut line, probe).await?;
    is_gone(&pair.temp, "the temporary key", probe).await?;
    // The open connection was told, or closed; at the latest it is when it says something.
    let said = open.ping(&mut probe.dice);
    open.send(&said, "a ping on the connection that was open before", &mut probe.dice).await?;
    loop {
        match open.wire.hear().await? {
            Heard::Error(-404) | Heard::Closed => return Ok(()),
            Heard::Payload(payload) if !open.talk.open(&payload)?.iter().any(|one| one.is_about(&said)) => {}
            other => return failed(format!("the connection that was open before got {}", other.told())),
        }
    }
}
