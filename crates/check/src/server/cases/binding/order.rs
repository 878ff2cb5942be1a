//! What a bind gets when the message itself is right, and in which order: rules PF-09 and PF-17.

use super::forge::forged_bind;
use super::{acts_as_bound, acts_as_unbound, is_error, is_there, is_true};
use crate::case::cases;
use crate::server::Entry;
use crate::server::probe::{Line, Probe};
use crate::server::talk::unix_now;
use crate::verdict::{Outcome, failed};

const UNDER_PERMANENT: (i32, &str) = (400, "TEMP_AUTH_KEY_EMPTY");
const INVALID: (i32, &str) = (400, "ENCRYPTED_MESSAGE_INVALID");
const PAST: (i32, &str) = (400, "EXPIRES_AT_INVALID");
const ELSEWHERE: (i32, &str) = (400, "TEMP_AUTH_KEY_ALREADY_BOUND");

cases! {
    "PF-09/1" Must "a bind under a permanent key"
        why "a permanent key in the place of a temporary one takes the forward secrecy away without a word"
        expected "400 TEMP_AUTH_KEY_EMPTY"
        under_permanent_key;
    "PF-09/2" Compat "a wrong bind under a permanent key"
        why "clients drop their login on ENCRYPTED_MESSAGE_INVALID: it must not stand for another mistake"
        expected "400 TEMP_AUTH_KEY_EMPTY"
        wrong_under_permanent_key;
    "PF-09/3" Must "expires_at has passed"
        why "a client whose clock is off has to learn it here: a key that is bound and dead tells it nothing"
        expected "400 EXPIRES_AT_INVALID, and the key stays unbound"
        expires("a bind until a minute ago", |line| line.talk.skew + unix_now().0 - 60);
    "PF-09/4" Must "expires_at = 0"
        why "a server that reads 0 as no end keeps the key for ever"
        expected "400 EXPIRES_AT_INVALID, and the key stays unbound"
        expires("a bind until 0", |_| 0);
    "PF-09/5" Must "expires_at = -1"
        why "read as unsigned it is in the year 2106: the key outlives what it guards"
        expected "400 EXPIRES_AT_INVALID, and the key stays unbound"
        expires("a bind until -1", |_| -1);
    "PF-09/6" Compat "expires_at has passed, and the message is wrong too"
        why "who has not proven the permanent key must not learn what the server thinks of the rest"
        expected "400 ENCRYPTED_MESSAGE_INVALID"
        wrong_and_expired;
    "PF-09/7" Must "the key is bound to another permanent key"
        why "a key that changes its owner takes the calls of one user into the login of another"
        expected "400 TEMP_AUTH_KEY_ALREADY_BOUND, and the first binding stands"
        bound_elsewhere;
    "PF-09/8" Compat "the key is bound to the same permanent key"
        why "a client whose boolTrue was lost binds again: an error would cost it both keys"
        expected "boolTrue, and the key serves on"
        bound_again;
    "PF-09/9" Compat "expires_at is 30 s beyond the key's own end"
        why "Telegram Desktop adds 30 s and Android counts anew: both would be shut out"
        expected "boolTrue, and the key serves"
        later_than_its_end;
    "PF-09/12" Must "two binds of one temporary key to two permanent ones at once"
        why "a race that both win mixes the calls of two users in one session"
        expected "boolTrue for one of them, 400 TEMP_AUTH_KEY_ALREADY_BOUND for the other"
        two_owners;
    "PF-17/1" Compat "a bind right after dh_gen_ok"
        why "clients take ENCRYPTED_MESSAGE_INVALID as the loss of a login that is over a minute old"
        expected "boolTrue at the first attempt, over another connection"
        at_once;
    "PF-25/1" Compat "the longest expires_in that can be written"
        why "what is cut needs no error: a client that asks for too much still gets a key"
        expected "a key, and boolTrue for its binding"
        longest_life;
}

async fn under_permanent_key(probe: &mut Probe) -> Outcome {
    let (perm, other) = (probe.perm().await?, probe.perm().await?);
    let mut line = probe.line(&perm).await?;
    let what = "a bind under a permanent key";
    let answer = forged_bind(probe, &mut line, &other, what, |_| {}).await?;
    is_error(&answer, UNDER_PERMANENT, what)
}

async fn wrong_under_permanent_key(probe: &mut Probe) -> Outcome {
    let (perm, other) = (probe.perm().await?, probe.perm().await?);
    let mut line = probe.line(&perm).await?;
    let what = "a wrong bind under a permanent key";
    let answer = forged_bind(probe, &mut line, &other, what, |forged| forged.msg_id += 4).await?;
    is_error(&answer, UNDER_PERMANENT, what)
}

/// A right bind until `expires_at`, which has passed, is refused.
async fn expires(probe: &mut Probe, what: &str, expires_at: impl Fn(&Line) -> i64) -> Outcome {
    let (perm, temp) = (probe.perm().await?, probe.temp(3600).await?);
    let mut line = probe.line(&temp).await?;
    let end = expires_at(&line);
    let answer = probe.bind(&mut line, &perm, end).await?;
    is_error(&answer, PAST, what)?;
    acts_as_unbound(&mut line, probe, "the key after the refused bind").await
}

async fn wrong_and_expired(probe: &mut Probe) -> Outcome {
    let (perm, temp) = (probe.perm().await?, probe.temp(3600).await?);
    let mut line = probe.line(&temp).await?;
    let what = "a bind with a wrong session, until 1";
    let answer = forged_bind(probe, &mut line, &perm, what, |forged| {
        (forged.expires_at, forged.inner.expires_at) = (1, 1);
        forged.inner.temp_session_id ^= 2;
    })
    .await?;
    is_error(&answer, INVALID, what)
}

async fn bound_elsewhere(probe: &mut Probe) -> Outcome {
    let (pair, mut line) = probe.bound().await?;
    let other = probe.perm().await?;
    let what = "a second bind, to another permanent key";
    let answer = forged_bind(probe, &mut line, &other, what, |_| {}).await?;
    is_error(&answer, ELSEWHERE, what)?;
    acts_as_bound(&mut line, probe, "the key of the first bind").await?;
    let answer = forged_bind(probe, &mut line, &pair.perm, "the first bind again", |_| {}).await?;
    is_true(&answer, "the first bind again")
}

async fn two_owners(probe: &mut Probe) -> Outcome {
    let temp = probe.temp(3600).await?;
    let owners = [probe.perm().await?, probe.perm().await?];
    let mut lines = [probe.line(&temp).await?, probe.line(&temp).await?];
    let mut binds = Vec::new();
    for (line, owner) in lines.iter_mut().zip(&owners) {
        let ends = line.ends;
        binds.push(probe.bind_call(line, owner, ends)?);
    }
    for (line, bind) in lines.iter_mut().zip(&binds) {
        line.send(bind, "one of two binds at once", &mut probe.dice).await?;
    }
    let mut bound = 0;
    for (line, bind) in lines.iter_mut().zip(&binds) {
        match line.wait_for(|message| message.answer_to(bind.msg_id)).await? {
            Ok(answer) if is_true(&answer, "").is_ok() => bound += 1,
            Ok(answer) => is_error(&answer, ELSEWHERE, "the other of two binds at once")?,
            Err(heard) => return failed(format!("one of two binds at once got {}", heard.told())),
        }
    }
    if bound == 1 { Ok(()) } else { failed(format!("{bound} of the two binds succeeded")) }
}

async fn bound_again(probe: &mut Probe) -> Outcome {
    let (pair, mut line) = probe.bound().await?;
    let what = "a second bind to the same permanent key";
    let answer = forged_bind(probe, &mut line, &pair.perm, what, |_| {}).await?;
    is_true(&answer, what)?;
    acts_as_bound(&mut line, probe, "the key of both binds").await?;
    is_there(probe, &pair.temp, "the key of both binds").await
}

async fn later_than_its_end(probe: &mut Probe) -> Outcome {
    let (perm, temp) = (probe.perm().await?, probe.temp(3600).await?);
    let mut line = probe.line(&temp).await?;
    let end = line.ends + 30;
    let answer = probe.bind(&mut line, &perm, end).await?;
    is_true(&answer, "a bind until 30 s after the key's own end")?;
    acts_as_bound(&mut line, probe, "the bound key").await
}

async fn at_once(probe: &mut Probe) -> Outcome {
    let temp = probe.temp(3600).await?;
    let mut line = probe.line(&temp).await?;
    let mut wire = probe.connect().await?;
    let perm = probe.key_on(&mut wire, None).await?;
    let answer = forged_bind(probe, &mut line, &perm, "a bind right after dh_gen_ok", |_| {}).await?;
    is_true(&answer, "a bind right after dh_gen_ok")
}

async fn longest_life(probe: &mut Probe) -> Outcome {
    let (perm, temp) = (probe.perm().await?, probe.temp(i32::MAX).await?);
    let mut line = probe.line(&temp).await?;
    let answer = probe.bind(&mut line, &perm, i64::from(i32::MAX)).await?;
    is_true(&answer, "the bind of a key of 68 years")?;
    acts_as_bound(&mut line, probe, "that key").await
}
