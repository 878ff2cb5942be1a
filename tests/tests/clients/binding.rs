//! B1 to B15: the binding and what follows it, by the frames of the clients that need each.

use core::time::Duration;

use dayfly_core::keys::requests::{BindRequest, Lifetime, StoreOutcome, StoreRequest};
use dayfly_core::server::{EndReason, Event, KeyUse};
use dayfly_core::session::query;
use dayfly_crypto::AuthKeyId;
use dayfly_tl::api::{
    AuthBindTempAuthKey, AuthDropTempAuthKeys, BoolTrue, HelpGetConfig, HelpGetNearestDc, InvokeWithLayer,
};
use dayfly_tl::mtproto::{
    BadServerSalt, FutureSalts, GetFutureSalts, NewSessionCreated, PingDelayDisconnect, Pong,
};
use dayfly_tl::{Constructor as _, read_exact, to_bytes};

use crate::peers::{Heard, Outcome};
use crate::rig::{Replay, Said, Sent};

pub(crate) fn bool_true() -> Outcome {
    Ok(to_bytes(&BoolTrue))
}

fn error(code: i32, message: &str) -> Outcome {
    Err((code, message.to_owned()))
}

pub(crate) fn is_bind(said: &Said) -> bool {
    said.innermost() == AuthBindTempAuthKey::CONSTRUCTOR
}

/// The bindings that a client asks for.
pub(crate) fn binds(replay: &Replay) -> Vec<Said> {
    replay.said().into_iter().filter(is_bind).collect()
}

/// The client's `expires_at`.
fn expires_at(bind: &Said) -> u64 {
    let peeled = query::peel(&bind.body, 1 << 20).unwrap();
    let request: AuthBindTempAuthKey<'_> = read_exact(peeled.query()).unwrap();
    u64::try_from(request.expires_at).unwrap()
}

fn encrypted(replay: &Replay) -> Vec<Sent> {
    replay.frames().into_iter().filter(|sent| !sent.is_plain()).collect()
}

/// A recording of one permanent key and one temporary, played until both are made and nothing was said under either.
/// Gives the two and the frames that follow, the binding first.
fn made(name: &str, change: impl FnOnce(&mut Replay, AuthKeyId, AuthKeyId)) -> (Replay, Vec<Sent>) {
    let mut replay = Replay::of(name);
    replay.play_until(|replay| replay.keys_made().len() == 2);
    let ids: Vec<_> = replay.keys_made().iter().map(|(id, ..)| *id).collect();
    change(&mut replay, ids[0], ids[1]);
    let rest = encrypted(&replay);
    (replay, rest)
}

/// When the temporary key of a recording that makes one ends.
fn end_of(replay: &Replay, key: AuthKeyId) -> u64 {
    let life = replay.keys_made().into_iter().find(|(id, ..)| *id == key).map(|(_, life, _)| life);
    match life {
        Some(Lifetime::Temporary { expires_at }) => expires_at,
        other => panic!("{other:?}"),
    }
}

#[test]
fn b01_lets_a_permanent_key_have_several_temporary_keys() {
    let replaced = |name, sessions| {
        let mut replay = Replay::with(name, |config, _| config.tmp_sessions = sessions);
        replay.play_until(|replay| replay.bindings().len() == 3);
        replay.bindings().iter().map(|(_, _, replaced)| replaced.len()).collect::<Vec<_>>()
    };
    assert_eq!(replaced("tdlib-sessions", 1), [0, 1, 1]);
    assert_eq!(replaced("tdlib-sessions", 2), [0, 0, 1]);
    assert_eq!(replaced("tdlib-sessions", 24), [0, 0, 0]);
    // A media DC is a place of its own.
    assert_eq!(replaced("mtcute-media", 1), [0, 0]);
}

#[test]
fn b02_serves_many_sessions_under_one_bound_key() {
    let mut replay = Replay::of("tdesktop");
    replay.play();
    let bound: Vec<_> = replay.bindings().into_iter().map(|(temp, ..)| temp).collect();
    let calls = replay.events(|event| match event {
        Event::Call { key, key_use: KeyUse::Bound, session_id, .. } => Some((*key, *session_id)),
        _ => None,
    });
    let sessions = |of: AuthKeyId| {
        let mut sessions: Vec<_> = calls.iter().filter(|(key, _)| *key == of).map(|(_, id)| *id).collect();
        sessions.sort();
        sessions.dedup();
        sessions.len()
    };
    assert!(bound.iter().filter(|temp| sessions(**temp) == 2).count() >= 2, "{calls:?}");
    assert_eq!(binds(&replay).len(), bound.len(), "each key was bound once");
}

#[test]
fn b03_cuts_an_expires_at_that_is_later_than_the_end_of_the_key() {
    let mut later = Vec::new();
    for name in ["tdesktop", "mtcute", "mtcute-media", "tdlib", "gotd"] {
        let mut replay = Replay::of(name);
        replay.play();
        for (bind, (temp, bound_until, _)) in binds(&replay).iter().zip(replay.bindings()) {
            let end = end_of(&replay, temp);
            assert_eq!(bound_until, end.min(expires_at(bind)), "{name}");
            later.extend((expires_at(bind) > end).then_some(name));
        }
    }
    assert!(later.contains(&"tdesktop"), "{later:?}");
}

#[test]
fn b04_takes_the_binding_bare_in_a_container_and_wrapped() {
    let cases = [("mtcute", false, false), ("tdesktop", true, false), ("tdlib", true, true)];
    for (name, contained, wrapped) in cases {
        let mut replay = Replay::of(name);
        replay.play();
        let bind = binds(&replay).remove(0);
        let is_wrapped = bind.outermost() == InvokeWithLayer::CONSTRUCTOR;
        assert_eq!((bind.contained, is_wrapped), (contained, wrapped), "{name}");
        assert_eq!(replay.answer_to(bind.msg_id), Some(bool_true()), "{name}");
        // What the client said of itself once stays known, whether the next call says it again or not.
        let calls = &replay.stage.calls;
        assert!(
            calls.len() >= 2 && calls.iter().all(|call| call.layer.is_some() && call.client.is_some()),
            "{name}"
        );
    }
}

#[test]
fn b05_serves_pings_and_salts_under_a_key_that_is_not_bound_yet() {
    let mut replay = Replay::of("tdlib-cut");
    replay.play();
    let said = replay.said();
    let bind = said.iter().position(is_bind).unwrap();
    let before: Vec<_> = said[..bind].iter().map(Said::outermost).collect();
    assert_eq!(before, [GetFutureSalts::CONSTRUCTOR, PingDelayDisconnect::CONSTRUCTOR]);
    let heard: Vec<_> = replay.heard_on(2).iter().map(Heard::constructor).filter(|id| *id != 0).collect();
    assert_eq!(heard, [NewSessionCreated::CONSTRUCTOR, FutureSalts::CONSTRUCTOR, Pong::CONSTRUCTOR]);
    assert_eq!(replay.answer_to(said[bind].msg_id), Some(bool_true()));
}

/// mtcute's binding, to a server that knows another salt: the key is left as it is, and the client told what to repeat.
#[test]
fn b06_answers_a_binding_under_a_wrong_salt_with_the_right_one() {
    let (mut replay, rest) = made("mtcute", |replay, _, temp| replay.stage.store.resalt(temp, 0x5a17));
    let connection = replay.connect();
    let heard = replay.say(connection, &rest[0].frame);
    let bind = replay.open(&rest[0].frame).remove(0);
    let [Heard::Message { body, .. }] = &heard[..] else { panic!("{heard:?}") };
    let notice: BadServerSalt = read_exact(body).unwrap();
    assert_eq!((notice.bad_msg_id, notice.error_code), (bind.msg_id.to_long(), 48));
    assert_eq!(notice.new_server_salt, 0x5a17);
    assert_ne!(notice.new_server_salt, bind.salt);
    // Under the salt that it expects the same frame is as good as before.
    let (mut replay, rest) = made("mtcute", |_, _, _| {});
    replay.say_all(&rest[..1]);
    assert_eq!(replay.answer_to(bind.msg_id), Some(bool_true()));
}

#[test]
fn b07_takes_the_same_binding_again_and_another_one_never() {
    let mut replay = Replay::of("tdlib-rebind");
    replay.play();
    let binds = binds(&replay);
    let [first, again] = &binds[..] else { panic!("{binds:?}") };
    assert!(first.key == again.key && first.msg_id != again.msg_id);
    assert_eq!(replay.answer_to(first.msg_id), Some(error(500, "AUTH_KEY_STORE_UNAVAILABLE")));
    assert_eq!(replay.answer_to(again.msg_id), Some(bool_true()));

    let (mut replay, rest) = made("mtcute", |replay, _, temp| {
        let other = BindRequest { temp, perm: AuthKeyId(1), expires_at: u64::MAX, capacity: 1 };
        replay.stage.store.answer(StoreRequest::Bind(other));
    });
    replay.say_all(&rest[..1]);
    let bind = replay.open(&rest[0].frame).remove(0);
    assert_eq!(replay.answer_to(bind.msg_id), Some(error(400, "TEMP_AUTH_KEY_ALREADY_BOUND")));
}

/// mtcute's binding, to a server that cannot ask its store, has lost the temporary key, or has lost the permanent one.
#[test]
fn b08_says_encrypted_message_invalid_only_of_a_binding_that_is() {
    let (mut replay, rest) = made("mtcute", |replay, perm, _| replay.stage.silent_about.extend([perm]));
    let bind = replay.open(&rest[0].frame).remove(0);
    replay.say_all(&rest[..1]);
    assert_eq!(replay.answer_to(bind.msg_id), Some(error(500, "AUTH_KEY_STORE_UNAVAILABLE")));

    let lose = |replay: &mut Replay, key| {
        let outcome = replay.stage.store.answer(StoreRequest::Destroy(key));
        assert!(matches!(outcome, StoreOutcome::Destroyed(_)));
    };
    let (mut replay, rest) = made("mtcute", |replay, _, temp| lose(replay, temp));
    assert_eq!(replay.say_all(&rest[..1])[0], Heard::Error(-404));

    let (mut replay, rest) = made("mtcute", |replay, perm, _| lose(replay, perm));
    replay.say_all(&rest[..1]);
    assert_eq!(replay.answer_to(bind.msg_id), Some(error(400, "ENCRYPTED_MESSAGE_INVALID")));
}

/// mtcute's permanent key, its temporary key and the binding over a connection each, one right after the other.
#[test]
fn b09_knows_a_new_permanent_key_everywhere_at_once() {
    let mut replay = Replay::of("mtcute");
    let frames = replay.frames();
    for part in [&frames[..3], &frames[3..6], &frames[6..7]] {
        replay.say_all(part);
    }
    let bind = replay.open(&frames[6].frame).remove(0);
    assert_eq!(replay.answer_to(bind.msg_id), Some(bool_true()));

    let mut replay = Replay::of("tdlib");
    replay.play();
    assert_eq!(replay.bindings().len(), 1);
}

/// Telegram Desktop's calls, its binding left out.
#[test]
fn b10_answers_a_call_under_an_unbound_key_with_auth_key_perm_empty() {
    let (mut replay, rest) = made("tdesktop", |_, _, _| {});
    assert!(replay.open(&rest[0].frame).iter().any(is_bind));
    let connection = replay.connect();
    let heard = replay.say(connection, &rest[1].frame);
    assert!(heard.iter().all(|heard| matches!(heard, Heard::Message { .. })), "{heard:?}");
    let without_key = [HelpGetConfig::ID, HelpGetNearestDc::ID];
    let calls = replay.open(&rest[1].frame).into_iter();
    let calls: Vec<_> = calls.filter(|said| said.outermost() == InvokeWithLayer::CONSTRUCTOR).collect();
    assert_eq!(calls.len(), 4);
    for call in calls {
        let answer = replay.answer_to(call.msg_id).unwrap();
        let expected = error(401, "AUTH_KEY_PERM_EMPTY");
        assert_eq!(answer == expected, !without_key.contains(&call.innermost()), "{answer:?}");
    }
}

#[test]
fn b11_drops_the_temporary_keys_that_are_not_named() {
    let mut replay = Replay::of("tdlib-sessions");
    replay.play();
    let is_drop = |said: &&Said| said.innermost() == AuthDropTempAuthKeys::CONSTRUCTOR;
    let said = replay.said();
    let drops: Vec<_> = said.iter().filter(is_drop).collect();
    assert!(drops.len() >= 3);
    assert!(drops.iter().all(|drop| replay.answer_to(drop.msg_id) == Some(bool_true())));
    let dropped = replay.events(|event| match event {
        Event::KeyEnded { key, reason: EndReason::Dropped } => Some(*key),
        _ => None,
    });
    assert_eq!(dropped, [replay.bindings()[1].0]);
    assert!(drops.iter().all(|drop| !dropped.contains(&drop.key)));
}

/// mtcute's binding and calls, to a CDN DC.
#[test]
fn b12_binds_nothing_on_a_cdn_dc_and_serves_the_key_unbound() {
    let mut replay = Replay::with("mtcute", |config, _| config.cdn = true);
    replay.play();
    let bind = binds(&replay).remove(0);
    assert_eq!(replay.answer_to(bind.msg_id), Some(error(400, "CDN_METHOD_INVALID")));
    assert!(
        replay.stage.calls.len() == 2
            && replay.stage.calls.iter().all(|call| call.key_use == KeyUse::Unbound)
    );
    assert_eq!(replay.bindings(), []);
}

/// Telegram Desktop's minute, with keys of 30 seconds: it goes on under its key, and learns of the end by -404 alone. Against
/// that mtcute, which makes and binds the next key before the end of the first.
#[test]
fn b13_expects_no_renewal() {
    let mut replay = Replay::with("tdesktop", |_, config| config.longest_expires_in = 30);
    replay.play();
    let (first, end, _) = replay.bindings().remove(0);
    let late: Vec<_> = encrypted(&replay)
        .into_iter()
        .filter(|sent| dayfly_core::session::envelope::key_id(&sent.frame) == Some(first))
        .filter(|sent| {
            sent.at + Duration::from_millis(replay.recording.server.unix_ms) >= Duration::from_secs(end)
        })
        .collect();
    assert!(!late.is_empty());
    for sent in late {
        assert!(replay.heard_on(sent.on).contains(&Heard::Error(-404)), "{}", sent.on);
    }
    let ended = |event: &Event| match event {
        Event::KeyEnded { key, reason: EndReason::Expired } => Some(*key),
        _ => None,
    };
    assert_eq!(replay.events(ended)[0], first);

    let mut replay = Replay::of("mtcute-renewal");
    replay.play();
    let replaced: Vec<_> = replay.bindings().into_iter().map(|(_, _, replaced)| replaced.len()).collect();
    assert_eq!((replaced, replay.events(ended)), (vec![0, 1, 1], Vec::new()));
}

/// mtcute's conversation, with keys of 5 seconds, and a back end that answers the last call a millisecond before the end.
#[test]
fn b14_sends_one_404_at_the_very_end_of_a_key_and_closes() {
    let mut replay = Replay::with("mtcute", |_, config| config.longest_expires_in = 5);
    replay.play_until(|replay| replay.stage.calls.len() == 1);
    replay.stage.hold_calls = true;
    replay.play_until(|replay| replay.stage.calls.len() == 2);
    let (_, end, _) = replay.bindings().remove(0);
    let start = Duration::from_millis(replay.recording.server.unix_ms);
    let until_end = Duration::from_secs(end).saturating_sub(start);
    replay.pass_until(until_end.saturating_sub(Duration::from_millis(1)));
    let last = replay.said().pop().unwrap();
    assert_eq!(replay.answer_to(last.msg_id), None);
    replay.stage.answer_held();
    replay.pass_until(until_end.saturating_sub(Duration::from_millis(1)));
    assert!(replay.answer_to(last.msg_id).is_some(), "what is ready in time goes out");
    let answered = replay.heard.len();
    assert!(!replay.heard.iter().any(|(_, heard)| matches!(heard, Heard::Error(_) | Heard::Closed)));
    replay.pass_until(until_end);
    assert_eq!(replay.heard[answered..], [(1, Heard::Error(-404)), (1, Heard::Closed)]);
    replay.pass_until(until_end + Duration::from_secs(600));
    assert_eq!(replay.heard.len(), answered + 2);
}

#[test]
fn b15_passes_on_that_a_connection_is_not_inited() {
    let mut replay = Replay::of("mtcute-not-inited");
    replay.play();
    let is_call = |said: &&Said| said.innermost() == HelpGetNearestDc::ID;
    let said = replay.said();
    let calls: Vec<_> = said.iter().filter(is_call).collect();
    let (first, again) = (calls[0], calls[calls.len() - 1]);
    assert_eq!(replay.answer_to(first.msg_id), Some(error(400, "CONNECTION_NOT_INITED")));
    assert!(first.outermost() != InvokeWithLayer::CONSTRUCTOR);
    assert_eq!(again.outermost(), InvokeWithLayer::CONSTRUCTOR, "{calls:?}");
    assert!(replay.answer_to(again.msg_id).unwrap().is_ok());
}
