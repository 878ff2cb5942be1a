//! `auth.bindTempAuthKey`: what is refused with which error, and what is run when.

use dayfly_core::keys::requests::{StoreOutcome, StoreRequest};
use dayfly_core::server::{Event, KeyUse};
use dayfly_tl::{api, to_bytes};

use crate::peers::{Heard, Key, Rig, START, Speaker, call, seconds};
use crate::permission::{bool_true, refused, with_info};

const INVALID: (i32, &str) = (400, "ENCRYPTED_MESSAGE_INVALID");
const NOT_BOUND: (i32, &str) = (401, "AUTH_KEY_PERM_EMPTY");

fn bound_events(rig: &Rig) -> usize {
    rig.events.iter().filter(|event| matches!(event, Event::Bound { .. })).count()
}

// rule: PF-08, PF-26
#[test]
fn a_right_binding_is_confirmed_and_calls_are_those_of_the_permanent_key() {
    let mut rig = Rig::new(|_| {});
    let (perm, temp) = (rig.perm(1), rig.temp(2, 3600));
    let (connection, mut client) = (rig.connect(), Speaker::client(&temp, 5));
    assert_eq!(rig.bind(connection, &mut client, &perm), bool_true());
    assert_eq!(rig.ask(connection, &mut client, call(1)), bool_true());
    assert_eq!((rig.calls[0].key, rig.calls[0].key_use), (perm.id, KeyUse::Bound));
    assert_eq!(rig.store.marked, [perm.id]);
}

// rule: PF-08
#[test]
fn a_binding_made_for_another_session_msg_id_or_key_is_invalid_and_changes_nothing() {
    let mut rig = Rig::new(|_| {});
    let (perm, temp, other) = (rig.perm(1), rig.temp(2, 3600), rig.temp(3, 3600));
    let (connection, mut client) = (rig.connect(), Speaker::client(&temp, 5));
    let sent = client.say(Vec::new(), rig.world.now);
    let made_by = [
        Speaker::client(&temp, 6).bind_body(&perm, START + 3600, sent.msg_id, &mut rig.world),
        Speaker::client(&other, 5).bind_body(&perm, START + 3600, sent.msg_id, &mut rig.world),
        client.bind_body(&perm, START + 3600, sent.msg_id, &mut rig.world),
    ];
    for body in made_by {
        // Each goes out under a msg_id of its own, which the last one was not made for either.
        assert_eq!(rig.ask(connection, &mut client, body), refused(INVALID));
    }
    assert_eq!(rig.ask(connection, &mut client, call(1)), refused(NOT_BOUND));
    assert!(rig.store.binds.is_empty());
    assert_eq!(rig.bind(connection, &mut client, &perm), bool_true());
}

// rule: PF-08
#[test]
fn a_permanent_key_that_is_not_known_or_not_permanent_is_invalid() {
    let mut rig = Rig::new(|_| {});
    let (temp, other) = (rig.temp(2, 3600), rig.temp(3, 3600));
    let unknown = Key::perm(9);
    let (connection, mut client) = (rig.connect(), Speaker::client(&temp, 5));
    assert_eq!(rig.bind(connection, &mut client, &unknown), refused(INVALID));
    assert_eq!(rig.bind(connection, &mut client, &other), refused(INVALID));
}

// rule: PF-08
#[test]
fn a_request_that_cannot_be_read_is_invalid() {
    let mut rig = Rig::new(|_| {});
    let (perm, temp) = (rig.perm(1), rig.temp(2, 3600));
    let (connection, mut client) = (rig.connect(), Speaker::client(&temp, 5));
    let mut said = client.bind(&perm, START + 3600, &mut rig.world);
    said.body.truncate(40);
    rig.post(connection, &client, &said);
    assert_eq!(rig.answer_to(connection, said.msg_id), Some(refused(INVALID)));
}

// rule: PF-08
#[test]
fn a_store_that_cannot_be_asked_is_no_invalid_binding() {
    let mut rig = Rig::new(|_| {});
    let (perm, temp) = (rig.perm(1), rig.temp(2, 3600));
    let (connection, mut client) = (rig.connect(), Speaker::client(&temp, 5));
    rig.ask(connection, &mut client, to_bytes(&api::HelpGetConfig)).unwrap();
    rig.store.silent = true;
    let (code, error) = rig.bind(connection, &mut client, &perm).unwrap_err();
    assert_eq!((code, error.as_str()), (500, "AUTH_KEY_STORE_UNAVAILABLE"));
    rig.store.silent = false;
    assert_eq!(rig.bind(connection, &mut client, &perm), bool_true());
}

#[test]
fn a_binding_that_the_store_made_but_could_not_confirm_stands_when_it_is_repeated() {
    let mut rig = Rig::new(|_| {});
    let (perm, temp) = (rig.perm(1), rig.temp(2, 3600));
    let (connection, mut client) = (rig.connect(), Speaker::client(&temp, 5));
    rig.ask(connection, &mut client, to_bytes(&api::HelpGetConfig)).unwrap();
    rig.hold_store = true;
    let said = client.bind(&perm, START + 3600, &mut rig.world);
    rig.post(connection, &client, &said);
    rig.perform_one();
    let (ticket, request) = rig.requests.pop_front().unwrap();
    rig.store.perform(request);
    rig.store_says(ticket, StoreOutcome::Unavailable);
    assert_eq!(rig.answer_to(connection, said.msg_id).unwrap().unwrap_err().0, 500);
    rig.hold_store = false;
    assert_eq!(rig.bind(connection, &mut client, &perm), bool_true());
    assert_eq!(rig.ask(connection, &mut client, call(1)), bool_true());
}

// rule: PF-09
#[test]
fn under_a_permanent_key_nothing_is_bound_whatever_the_store_says() {
    let mut rig = Rig::new(|_| {});
    let perm = rig.perm(1);
    let (connection, mut client) = (rig.connect(), Speaker::client(&perm, 5));
    let empty = refused((400, "TEMP_AUTH_KEY_EMPTY"));
    assert_eq!(rig.bind(connection, &mut client, &perm), empty);
    rig.store.silent = true;
    assert_eq!(rig.bind(connection, &mut client, &perm), empty);
    assert!(rig.store.binds.is_empty());
}

// rule: PF-09
#[test]
fn a_binding_that_ends_in_the_past_is_refused() {
    let mut rig = Rig::new(|_| {});
    let (perm, temp) = (rig.perm(1), rig.temp(2, 3600));
    let (connection, mut client) = (rig.connect(), Speaker::client(&temp, 5));
    let past = rig.bind_until(connection, &mut client, &perm, START);
    assert_eq!(past, refused((400, "EXPIRES_AT_INVALID")));
}

// rule: PF-09
#[test]
fn a_bound_key_is_bound_to_one_permanent_key_only() {
    let mut rig = Rig::new(|_| {});
    let (perm, other, temp) = (rig.perm(1), rig.perm(3), rig.temp(2, 3600));
    let (connection, mut client) = (rig.connect(), Speaker::client(&temp, 5));
    assert_eq!(rig.bind(connection, &mut client, &perm), bool_true());
    let elsewhere = rig.bind(connection, &mut client, &other);
    assert_eq!(elsewhere, refused((400, "TEMP_AUTH_KEY_ALREADY_BOUND")));
    assert_eq!(rig.bind(connection, &mut client, &perm), bool_true());
    assert_eq!(bound_events(&rig), 1, "a repeat changes nothing");
}

// rule: PF-09
#[test]
fn a_binding_beyond_the_keys_own_end_is_cut_to_it() {
    let mut rig = Rig::new(|_| {});
    let (perm, temp) = (rig.perm(1), rig.temp(2, 100));
    let (connection, mut client) = (rig.connect(), Speaker::client(&temp, 5));
    assert_eq!(rig.bind_until(connection, &mut client, &perm, START + 130), bool_true());
    assert_eq!(rig.store.binds[0].expires_at, START + 100);
    rig.pass(seconds(101));
    assert_eq!(rig.signals(connection), [Heard::Error(-404), Heard::Closed]);
}

// rule: PF-09
#[test]
fn a_binding_that_ends_earlier_ends_the_key_earlier() {
    let mut rig = Rig::new(|_| {});
    let (perm, temp) = (rig.perm(1), rig.temp(2, 3600));
    let (connection, mut client) = (rig.connect(), Speaker::client(&temp, 5));
    assert_eq!(rig.bind_until(connection, &mut client, &perm, START + 50), bool_true());
    rig.pass(seconds(49));
    assert_eq!(rig.signals(connection), []);
    rig.pass(seconds(1));
    assert_eq!(rig.signals(connection), [Heard::Error(-404), Heard::Closed]);
}

// rule: PF-11
#[test]
fn client_info_around_the_binding_counts_for_what_follows() {
    let mut rig = Rig::new(|_| {});
    let (perm, temp) = (rig.perm(1), rig.temp(2, 3600));
    let (connection, mut client) = (rig.connect(), Speaker::client(&temp, 5));
    let mut said = client.bind(&perm, START + 3600, &mut rig.world);
    said.body = with_info(&said.body);
    rig.post(connection, &client, &said);
    assert_eq!(rig.answer_to(connection, said.msg_id), Some(bool_true()));
    rig.ask(connection, &mut client, call(1)).unwrap();
    let info = rig.calls[0].client.clone().expect("client info");
    assert_eq!((info.device_model.as_str(), rig.calls[0].layer), ("lamp", Some(201)));
}

// rule: PF-18
#[test]
fn calls_beside_a_binding_are_run_after_it() {
    let mut rig = Rig::new(|_| {});
    let (perm, temp) = (rig.perm(1), rig.temp(2, 3600));
    let (connection, mut client) = (rig.connect(), Speaker::client(&temp, 5));
    rig.ask(connection, &mut client, to_bytes(&api::HelpGetConfig)).unwrap();
    rig.hold_store = true;
    let before = client.say(call(1), rig.world.now);
    let bind = client.bind(&perm, START + 3600, &mut rig.world);
    let after = client.say(call(2), rig.world.now);
    let together = client.together(&[before.clone(), bind.clone(), after.clone()], rig.world.now);
    rig.post(connection, &client, &together);
    assert_eq!(rig.calls.len(), 1, "nothing is run while the binding is being decided");
    rig.perform_one();
    rig.perform_one();
    for said in [bind, before, after] {
        assert_eq!(rig.answer_to(connection, said.msg_id), Some(bool_true()));
    }
    assert!(rig.calls[1..].iter().all(|call| call.key_use == KeyUse::Bound));
}

// rule: PF-18
#[test]
fn a_binding_holds_up_the_other_sessions_of_its_key_too() {
    let mut rig = Rig::new(|_| {});
    let (perm, temp) = (rig.perm(1), rig.temp(2, 3600));
    let (connection, mut client) = (rig.connect(), Speaker::client(&temp, 5));
    let mut second = Speaker::client(&temp, 6);
    rig.ask(connection, &mut client, to_bytes(&api::HelpGetConfig)).unwrap();
    rig.hold_store = true;
    let bind = client.bind(&perm, START + 3600, &mut rig.world);
    rig.post(connection, &client, &bind);
    let other_bind = second.bind(&perm, START + 3600, &mut rig.world);
    rig.post(connection, &second, &other_bind);
    let other_call = rig.say(connection, &mut second, call(1));
    assert_eq!(rig.answer_to(connection, other_call), None);
    rig.hold_store = false;
    while !rig.requests.is_empty() {
        rig.perform_one();
    }
    for msg_id in [bind.msg_id, other_bind.msg_id, other_call] {
        assert_eq!(rig.answer_to(connection, msg_id), Some(bool_true()));
    }
}

// rule: PF-18
#[test]
fn a_bound_key_serves_any_number_of_sessions() {
    let mut rig = Rig::new(|_| {});
    let (perm, temp) = (rig.perm(1), rig.temp(2, 3600));
    let (connection, mut client) = (rig.connect(), Speaker::client(&temp, 5));
    rig.bind(connection, &mut client, &perm).unwrap();
    for session in 6..16 {
        let mut other = Speaker::client(&temp, session);
        assert_eq!(rig.ask(connection, &mut other, call(1)), bool_true());
    }
}

#[test]
fn a_key_that_ends_while_its_binding_is_decided_gets_no_answer_and_leaves_nothing() {
    let mut rig = Rig::new(|_| {});
    let (perm, temp) = (rig.perm(1), rig.temp(2, 100));
    let (connection, mut client) = (rig.connect(), Speaker::client(&temp, 5));
    rig.ask(connection, &mut client, to_bytes(&api::HelpGetConfig)).unwrap();
    rig.hold_store = true;
    let bind = client.bind(&perm, START + 100, &mut rig.world);
    rig.post(connection, &client, &bind);
    rig.perform_one();
    rig.pass(seconds(100));
    rig.perform_one();
    assert_eq!(rig.answer_to(connection, bind.msg_id), None);
    assert_eq!(rig.signals(connection), [Heard::Error(-404), Heard::Closed]);
    rig.hold_store = false;
    rig.settle();
    assert_eq!(rig.server.poll_timeout(), None);
}

// rule: PF-26
#[test]
fn a_key_that_could_not_be_marked_as_used_is_marked_at_its_next_use() {
    let mut rig = Rig::new(|_| {});
    let (perm, temp) = (rig.perm(1), rig.temp(2, 3600));
    let (connection, mut client) = (rig.connect(), Speaker::client(&temp, 5));
    rig.store.marks_nothing = true;
    rig.bind(connection, &mut client, &perm).unwrap();
    rig.store.marks_nothing = false;
    rig.ask(connection, &mut client, call(1)).unwrap();
    rig.ask(connection, &mut client, call(2)).unwrap();
    assert_eq!(rig.store.marked, [perm.id, perm.id]);
}

#[test]
fn a_permanent_key_is_not_looked_up_for_a_call() {
    let mut rig = Rig::new(|_| {});
    let perm = rig.perm(1);
    let temp = rig.bound(2, &perm);
    let (connection, mut client) = (rig.connect(), Speaker::client(&temp, 5));
    rig.hold_store = true;
    rig.say(connection, &mut client, call(1));
    assert!(matches!(rig.requests[0].1, StoreRequest::Find(id) if id == temp.id));
    rig.perform_one();
    assert_eq!(rig.store.finds, [temp.id]);
}
