//! Keys that are not at hand: what waits for them, and what is said when there is none.

use dayfly_tl::{api, to_bytes};

use crate::peers::{Heard, Key, Rig, Speaker, call, seconds};
use crate::permission::bool_true;

// rule: HS-36
#[test]
fn a_key_that_does_not_exist_gets_404_and_the_connection_goes_on() {
    let mut rig = Rig::new(|_| {});
    let temp = rig.temp(2, 3600);
    let connection = rig.connect();
    let mut stranger = Speaker::client(&Key::temp(9, 3600), 5);
    rig.say(connection, &mut stranger, call(1));
    assert_eq!(rig.heard(connection), [Heard::Error(-404)]);
    let mut client = Speaker::client(&temp, 5);
    assert_eq!(rig.ask(connection, &mut client, to_bytes(&api::HelpGetConfig)), bool_true());
}

// rule: HS-36
#[test]
fn while_the_store_is_silent_a_frame_waits_and_then_gets_429() {
    let mut rig = Rig::new(|_| {});
    let temp = rig.temp(2, 3600);
    let (connection, mut client) = (rig.connect(), Speaker::client(&temp, 5));
    rig.store.silent = true;
    rig.say(connection, &mut client, to_bytes(&api::HelpGetConfig));
    rig.pass(seconds(4));
    assert_eq!(rig.heard(connection), []);
    rig.pass(seconds(2));
    assert_eq!(rig.heard(connection), [Heard::Error(-429)]);
    rig.store.silent = false;
    assert_eq!(rig.ask(connection, &mut client, to_bytes(&api::HelpGetConfig)), bool_true());
}

// rule: HS-36
#[test]
fn frames_that_waited_for_a_silent_store_are_served_in_their_order() {
    let mut rig = Rig::new(|_| {});
    let perm = rig.perm(1);
    let temp = rig.bound(2, &perm);
    let (connection, mut client) = (rig.connect(), Speaker::client(&temp, 5));
    rig.store.silent = true;
    let sent: Vec<_> = (0..4).map(|number| rig.say(connection, &mut client, call(number))).collect();
    rig.pass(seconds(3));
    rig.store.silent = false;
    rig.pass(seconds(1));
    assert!(sent.iter().all(|msg_id| rig.answer_to(connection, *msg_id) == Some(bool_true())));
    let run: Vec<_> = rig.calls.iter().map(|call| call.msg_id).collect();
    assert_eq!(run, sent);
}

#[test]
fn a_connection_has_one_key_looked_up_at_a_time() {
    let mut rig = Rig::new(|_| {});
    let connection = rig.connect();
    rig.hold_store = true;
    for number in 20..60 {
        rig.say(connection, &mut Speaker::client(&Key::temp(number, 3600), 5), call(1));
    }
    assert_eq!(rig.requests.len(), 1);
    rig.hold_store = false;
    rig.settle();
    assert_eq!(rig.heard(connection), vec![Heard::Error(-404); 40]);
}

#[test]
fn many_connections_share_the_look_up_of_one_key() {
    let mut rig = Rig::new(|_| {});
    let temp = rig.temp(2, 3600);
    rig.hold_store = true;
    let connections: Vec<_> = (0..5).map(|_| rig.connect()).collect();
    for (connection, session) in connections.iter().zip(5..) {
        let mut client = Speaker::client(&temp, session);
        rig.say(*connection, &mut client, to_bytes(&api::HelpGetConfig));
    }
    assert_eq!(rig.requests.len(), 1);
    rig.perform_one();
    assert_eq!(rig.calls.len(), 5);
}

#[test]
fn a_connection_that_closes_while_its_key_is_looked_up_leaves_nothing() {
    let mut rig = Rig::new(|_| {});
    let perm = rig.perm(1);
    let connection = rig.connect();
    rig.hold_store = true;
    rig.say(connection, &mut Speaker::client(&perm, 5), call(1));
    rig.close(connection);
    rig.hold_store = false;
    rig.settle();
    assert!(rig.calls.is_empty());
    let again = rig.connect();
    rig.say(again, &mut Speaker::client(&perm, 5), call(1));
    assert_eq!(rig.store.finds, [perm.id, perm.id], "nobody used the key, so it was not kept");
}

// rule: MS-06
#[test]
fn what_cannot_be_opened_closes_the_connection_without_a_word_and_keeps_no_key() {
    let mut rig = Rig::new(|_| {});
    let perm = rig.perm(1);
    for _ in 0..2 {
        let (connection, mut client) = (rig.connect(), Speaker::client(&perm, 5));
        let said = client.say(call(1), rig.world.now);
        let mut packet = client.seal(&said, &mut rig.world);
        packet[40] ^= 1;
        rig.send(connection, &packet);
        assert_eq!(rig.heard(connection), [Heard::Closed]);
    }
    assert_eq!(rig.store.finds, [perm.id, perm.id]);
}

// rule: TR-06
#[test]
fn a_frame_too_short_for_a_key_id_closes_the_connection() {
    let mut rig = Rig::new(|_| {});
    let connection = rig.connect();
    rig.send(connection, &[1; 4]);
    assert_eq!(rig.heard(connection), [Heard::Closed]);
    assert_eq!(rig.server.connection_count(), 0);
}

#[test]
fn a_connection_without_a_frame_is_closed_in_time() {
    let mut rig = Rig::new(|config| config.first_frame = seconds(10));
    let (silent, lively) = (rig.connect(), rig.connect());
    rig.say(lively, &mut Speaker::client(&Key::temp(9, 3600), 5), call(1));
    rig.pass(seconds(11));
    assert_eq!(rig.heard(silent), [Heard::Closed]);
    assert_eq!(rig.heard(lively), [Heard::Error(-404)]);
}
