//! A binding message with each of its parts wrong: rule PF-08.

use std::sync::Arc;

use dayfly_core::session::MsgId;
use dayfly_crypto::kdf::Side;

use super::forge::{Forged, forged_bind};
use super::{acts_as_bound, acts_as_unbound, is_error, is_true};
use crate::case::cases;
use crate::server::Entry;
use crate::server::probe::{Line, Probe, Told};
use crate::server::talk::Made;
use crate::verdict::{Outcome, failed, not_reached};

/// What every one of them gets.
const INVALID: (i32, &str) = (400, "ENCRYPTED_MESSAGE_INVALID");

cases! {
    "PF-08/2" Must "the nonce inside is another one than outside"
        why "the nonce ties the open request to the sealed one: an attacker could put another request around it"
        expected "400 ENCRYPTED_MESSAGE_INVALID; the key stays unbound, and a right bind works"
        refuses("a bind with another nonce inside", |forged| forged.inner.nonce ^= 1);
    "PF-08/3" Must "the temp_auth_key_id inside is another key"
        why "whoever holds one binding message of a user could bind a key of his own to the user's login"
        expected "400 ENCRYPTED_MESSAGE_INVALID; the key stays unbound, and a right bind works"
        refuses("a bind for another temporary key", |forged| forged.inner.temp_auth_key_id ^= 1);
    "PF-08/4" Must "the perm_auth_key_id inside is another one than outside"
        why "one login could be bound in the name of another"
        expected "400 ENCRYPTED_MESSAGE_INVALID; the key stays unbound, and a right bind works"
        refuses("a bind with another perm_auth_key_id inside", |forged| forged.inner.perm_auth_key_id ^= 1);
    "PF-08/5" Must "the perm_auth_key_id outside is unknown"
        why "a login that does not exist must not come to be by asking for it"
        expected "400 ENCRYPTED_MESSAGE_INVALID; the key stays unbound, and a right bind works"
        refuses("a bind to an unknown permanent key", |forged| forged.perm_auth_key_id ^= 1);
    "PF-08/6" Must "the id in front of the message is another one"
        why "a server that does not look at it decrypts under a key that the message does not name"
        expected "400 ENCRYPTED_MESSAGE_INVALID; the key stays unbound, and a right bind works"
        refuses("a bind with another id in front of its message", |forged| forged.front ^= 1);
    "PF-08/7" Must "the temp_session_id inside is another session"
        why "it ties the bind to the session that asked for it: recorded ones could be played into others"
        expected "400 ENCRYPTED_MESSAGE_INVALID; the key stays unbound, and a right bind works"
        refuses("a bind for another session", |forged| forged.inner.temp_session_id ^= 2);
    "PF-08/8" Must "the msg_id inside is another one"
        why "it makes a binding message good for one request: without it a recorded one is good for ever"
        expected "400 ENCRYPTED_MESSAGE_INVALID; the key stays unbound, and a right bind works"
        refuses("a bind with another msg_id inside", |forged| forged.msg_id += 4);
    "PF-08/9" Must "the seqno inside is 1"
        why "other messages of version 1.0 have other numbers there: one of them could be taken for a bind"
        expected "400 ENCRYPTED_MESSAGE_INVALID; the key stays unbound, and a right bind works"
        refuses("a bind with seqno 1 inside", |forged| forged.seqno = 1);
    "PF-08/10" Must "the length inside is 44"
        why "it says that more belongs to the message than is there"
        expected "400 ENCRYPTED_MESSAGE_INVALID; the key stays unbound, and a right bind works"
        refuses("a bind with length 44 inside", |forged| forged.length = 44);
    "PF-08/11" Must "the length inside is 36"
        why "it says that expires_at is padding: a server that trusts the length reads it as none"
        expected "400 ENCRYPTED_MESSAGE_INVALID; the key stays unbound, and a right bind works"
        refuses("a bind with length 36 inside", |forged| forged.length = 36);
    "PF-08/12" Must "the expires_at inside is another one than outside"
        why "an attacker in the client's place could lengthen the life of a key beyond what its owner signed"
        expected "400 ENCRYPTED_MESSAGE_INVALID; the key stays unbound, and a right bind works"
        refuses("a bind with another expires_at outside", |forged| forged.expires_at += 60);
    "PF-08/13" Must "the msg_key is wrong in one bit"
        why "it is all that proves the permanent key: without it anybody can bind to any login"
        expected "400 ENCRYPTED_MESSAGE_INVALID; the key stays unbound, and a right bind works"
        refuses("a bind with a wrong msg_key", |forged| forged.change = |out| out[23] ^= 1);
    "PF-08/14" Must "the random bytes inside are changed under the msg_key"
        why "nothing that is used changes: only a msg_key that is checked in full shows it"
        expected "400 ENCRYPTED_MESSAGE_INVALID; the key stays unbound, and a right bind works"
        refuses("a bind whose msg_key is of other random bytes", |forged| {
            forged.change_inside = |plain| plain[0] ^= 1;
        });
    "PF-08/15" Must "the msg_key covers the padding"
        why "it is how version 2.0 does it: what is taken in two forms can be moved from one into the other"
        expected "400 ENCRYPTED_MESSAGE_INVALID; the key stays unbound, and a right bind works"
        refuses("a bind whose msg_key covers its padding", |forged| forged.hash_padding = true);
    "PF-08/16" Must "24 bytes of padding"
        why "bytes that no hash covers are room for an attacker to try things in"
        expected "400 ENCRYPTED_MESSAGE_INVALID; the key stays unbound, and a right bind works"
        refuses("a bind with 24 bytes of padding", |forged| forged.padding = 24);
    "PF-08/17" Must "the message is cut by a block"
        why "a message that ends before its fields makes a server read what is not there"
        expected "400 ENCRYPTED_MESSAGE_INVALID; the key stays unbound, and a right bind works"
        refuses("a bind whose message is cut", |forged| forged.change = |out| out.truncate(out.len() - 16));
    "PF-08/18" Must "the message is empty"
        why "the shortest input is the first that a parser trips over"
        expected "400 ENCRYPTED_MESSAGE_INVALID; the key stays unbound, and a right bind works"
        refuses("a bind with an empty message", |forged| forged.change = Vec::clear);
    "PF-08/19" Must "the message is no whole blocks"
        why "what is left over is read from somewhere, or silently not authenticated"
        expected "400 ENCRYPTED_MESSAGE_INVALID; the key stays unbound, and a right bind works"
        refuses("a bind whose message has 4 bytes more", |forged| forged.change = |out| out.extend([0; 4]));
    "PF-08/20" Must "encrypted for the way from the server"
        why "a server that takes both ways can be sent its own messages back"
        expected "400 ENCRYPTED_MESSAGE_INVALID; the key stays unbound, and a right bind works"
        refuses("a bind encrypted with x = 8", |forged| forged.side = Side::Server);
    "PF-08/21" Must "encrypted under the temporary key"
        why "the message proves that its sender has the permanent key: under any other it proves nothing"
        expected "400 ENCRYPTED_MESSAGE_INVALID; the key stays unbound, and a right bind works"
        encrypted_under_temporary_key;
    "PF-08/22" Must "the permanent key is itself a temporary one"
        why "a login that lives in memory ends with it, and its user is logged out without a word"
        expected "400 ENCRYPTED_MESSAGE_INVALID; the key stays unbound, and a right bind works"
        bound_to_temporary_key;
    "PF-08/23" Must "a right bind again, in another session of the same key"
        why "whoever recorded a bind must not be able to send it again in a session of his own"
        expected "400 ENCRYPTED_MESSAGE_INVALID"
        replayed_in_another_session;
    "PF-08/24" Must "a right bind of one temporary key, played under another"
        why "whoever recorded a bind could put his own key in the place of the user's"
        expected "400 ENCRYPTED_MESSAGE_INVALID; the key of the first bind serves on"
        replayed_under_another_key;
    "PF-08/25" Must "inside a container, the msg_id of the container"
        why "the bind names the message that carries the call: the container is another one"
        expected "400 ENCRYPTED_MESSAGE_INVALID; the key stays unbound, and a right bind works"
        msg_id_of_container;
    "PF-08/26" Must "a wrong bind under a key that is bound already"
        why "whoever can send one message under the key could take its binding from the user"
        expected "400 ENCRYPTED_MESSAGE_INVALID, and the key stays bound"
        wrong_after_right;
}

/// After a refusal nothing has changed: the key is unbound, and a right bind works.
async fn unchanged(probe: &mut Probe, line: &mut Line, perm: &Made) -> Outcome {
    acts_as_unbound(line, probe, "the key after the refused bind").await?;
    let answer = forged_bind(probe, line, perm, "then a right bind", |_| {}).await?;
    is_true(&answer, "the right bind after the refused one")
}

/// A bind after `change` is refused, and nothing has changed.
async fn refuses(probe: &mut Probe, what: &str, change: impl Fn(&mut Forged)) -> Outcome {
    let (perm, temp) = (probe.perm().await?, probe.temp(3600).await?);
    let mut line = probe.line(&temp).await?;
    let answer = forged_bind(probe, &mut line, &perm, what, change).await?;
    is_error(&answer, INVALID, what)?;
    unchanged(probe, &mut line, &perm).await
}

async fn wrong_after_right(probe: &mut Probe) -> Outcome {
    let (pair, mut line) = probe.bound().await?;
    let what = "a bind with another nonce inside, under a bound key";
    let answer = forged_bind(probe, &mut line, &pair.perm, what, |forged| forged.inner.nonce ^= 1).await?;
    is_error(&answer, INVALID, what)?;
    acts_as_bound(&mut line, probe, "the bound key").await
}

async fn encrypted_under_temporary_key(probe: &mut Probe) -> Outcome {
    let (perm, temp) = (probe.perm().await?, probe.temp(3600).await?);
    let mut line = probe.line(&temp).await?;
    let what = "a bind encrypted under the temporary key";
    let answer =
        forged_bind(probe, &mut line, &perm, what, |forged| forged.key = Arc::clone(&temp.key)).await?;
    is_error(&answer, INVALID, what)?;
    unchanged(probe, &mut line, &perm).await
}

async fn bound_to_temporary_key(probe: &mut Probe) -> Outcome {
    let (perm, temp, other) = (probe.perm().await?, probe.temp(3600).await?, probe.temp(3600).await?);
    let mut line = probe.line(&temp).await?;
    let what = "a bind to a temporary key";
    let answer = forged_bind(probe, &mut line, &other, what, |_| {}).await?;
    is_error(&answer, INVALID, what)?;
    unchanged(probe, &mut line, &perm).await
}

async fn replayed_in_another_session(probe: &mut Probe) -> Outcome {
    let (perm, temp) = (probe.perm().await?, probe.temp(3600).await?);
    let mut line = probe.line(&temp).await?;
    let request = bound_by(probe, &mut line, &perm).await?;
    let mut other = probe.line(&temp).await?;
    let what = "the same request in another session";
    let answer = other.call(&request, what, &mut probe.dice).await?;
    is_error(&answer, INVALID, what)
}

async fn replayed_under_another_key(probe: &mut Probe) -> Outcome {
    let (perm, temp) = (probe.perm().await?, probe.temp(3600).await?);
    let mut line = probe.line(&temp).await?;
    let request = bound_by(probe, &mut line, &perm).await?;
    let attacker = probe.temp(3600).await?;
    let mut other = probe.line(&attacker).await?;
    let what = "the same request under another temporary key";
    let answer = other.call(&request, what, &mut probe.dice).await?;
    is_error(&answer, INVALID, what)?;
    acts_as_unbound(&mut other, probe, "the other key").await?;
    acts_as_bound(&mut line, probe, "the key of the first bind").await
}

/// Binds, and gives the request that did it.
async fn bound_by(probe: &mut Probe, line: &mut Line, perm: &Made) -> Outcome<Vec<u8>> {
    let said = probe.bind_call(line, perm, line.ends)?;
    match line.answer(&said, "auth.bindTempAuthKey", &mut probe.dice).await? {
        Told::Answer(answer) => is_true(&answer, "a right bind").map(|()| said.body),
        Told::Salt => failed("bad_server_salt for the first salt of the key"),
        Told::Nothing(heard) => not_reached(format!("the bind got {}", heard.told())),
    }
}

async fn msg_id_of_container(probe: &mut Probe) -> Outcome {
    let (perm, temp) = (probe.perm().await?, probe.temp(3600).await?);
    let mut line = probe.line(&temp).await?;
    let mut bind = line.talk.say(Vec::new());
    let mut container = line.talk.together(&[]);
    let expires_at = line.ends;
    let mut forged = Forged::right(&line, &bind, &perm, expires_at, &mut probe.dice);
    forged.msg_id = container.msg_id;
    bind.body = forged.request(&mut probe.dice)?;
    let inner = dayfly_core::session::container::Inner {
        msg_id: MsgId::from_long(bind.msg_id),
        seqno: bind.seqno,
        body: &bind.body,
    };
    container.body = dayfly_core::session::container::pack(&[inner]);
    let what = "a bind with the msg_id of its container inside";
    line.send(&container, what, &mut probe.dice).await?;
    match line.wait_for(|message| message.answer_to(bind.msg_id)).await? {
        Ok(answer) => is_error(&answer, INVALID, what)?,
        Err(heard) => return failed(format!("{what} got {}", heard.told())),
    }
    unchanged(probe, &mut line, &perm).await
}
