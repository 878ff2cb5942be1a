//! `destroy_auth_key`: what ends with a permanent key, what does not, and what the client is told.

use dayfly_core::server::{ConnectionId, Event, RevokeId, Revoked};
use dayfly_tl::mtproto::{DestroyAuthKey, DestroyAuthKeyFail, DestroyAuthKeyNone, DestroyAuthKeyOk};
use dayfly_tl::{api, to_bytes};

use crate::peers::{Heard, Key, Rig, Speaker, call};
use crate::permission::bool_true;

/// A client that has spoken under `key`.
fn spoken(rig: &mut Rig, key: &Key, session: i64) -> (ConnectionId, Speaker) {
    let (connection, mut client) = (rig.connect(), Speaker::client(key, session));
    rig.ask(connection, &mut client, to_bytes(&api::HelpGetConfig)).unwrap();
    rig.heard(connection);
    (connection, client)
}

/// Sends destroy_auth_key; the constructors of the messages that come back, then what else comes.
fn destroy(rig: &mut Rig, connection: ConnectionId, client: &mut Speaker) -> (Vec<u32>, Vec<Heard>) {
    rig.say(connection, client, to_bytes(&DestroyAuthKey));
    let (messages, signals): (Vec<_>, Vec<_>) =
        rig.heard(connection).into_iter().partition(|heard| matches!(heard, Heard::Message { .. }));
    (messages.iter().map(Heard::constructor).collect(), signals)
}

/// What a new connection gets for a frame under `key`.
fn told_under(rig: &mut Rig, key: &Key) -> Vec<Heard> {
    let (connection, mut client) = (rig.connect(), Speaker::client(key, 99));
    rig.say(connection, &mut client, call(7));
    rig.signals(connection)
}

// rule: MS-17
#[test]
fn destroying_a_permanent_key_ends_it_and_all_that_is_bound_to_it() {
    let mut rig = Rig::new(|config| config.allow_no_pfs = true);
    let (perm, stranger) = (rig.perm(1), rig.perm(9));
    let (first, second, foreign) = (rig.bound(2, &perm), rig.bound(3, &perm), rig.bound(8, &stranger));
    let (asking, mut client) = spoken(&mut rig, &first, 5);
    let (other, _) = spoken(&mut rig, &second, 6);
    let (own, _) = spoken(&mut rig, &perm, 7);
    let (apart, mut unharmed) = spoken(&mut rig, &foreign, 8);

    let (messages, signals) = destroy(&mut rig, asking, &mut client);
    assert!(messages.contains(&DestroyAuthKeyOk::CONSTRUCTOR), "it is told before its key ends");
    assert_eq!(signals, [Heard::Error(-404), Heard::Closed]);
    for connection in [other, own] {
        assert_eq!(rig.signals(connection), [Heard::Error(-404), Heard::Closed]);
    }
    for key in [&perm, &first, &second] {
        assert_eq!(told_under(&mut rig, key), [Heard::Error(-404)]);
    }
    assert_eq!(rig.ask(apart, &mut unharmed, call(2)), bool_true());
    assert!(rig.events.contains(&Event::KeyDestroyed { key: perm.id }));
}

// rule: MS-17
#[test]
fn under_a_permanent_key_it_is_the_same() {
    let mut rig = Rig::new(|config| config.allow_no_pfs = true);
    let perm = rig.perm(1);
    let temp = rig.bound(2, &perm);
    let (bound, _) = spoken(&mut rig, &temp, 5);
    let (asking, mut client) = spoken(&mut rig, &perm, 6);
    let (messages, signals) = destroy(&mut rig, asking, &mut client);
    assert!(messages.contains(&DestroyAuthKeyOk::CONSTRUCTOR));
    assert_eq!(signals, [Heard::Error(-404), Heard::Closed]);
    assert_eq!(rig.signals(bound), [Heard::Error(-404), Heard::Closed]);
}

// rule: MS-17
#[test]
fn under_an_unbound_key_that_key_alone_ends() {
    let mut rig = Rig::new(|_| {});
    let perm = rig.perm(1);
    let (unbound, bound) = (rig.temp(2, 3600), rig.bound(3, &perm));
    let (asking, mut client) = spoken(&mut rig, &unbound, 5);
    let (other, mut stays) = spoken(&mut rig, &bound, 6);
    let (messages, signals) = destroy(&mut rig, asking, &mut client);
    assert!(messages.contains(&DestroyAuthKeyOk::CONSTRUCTOR));
    assert_eq!(signals, [Heard::Error(-404), Heard::Closed]);
    assert_eq!(rig.ask(other, &mut stays, call(2)), bool_true());
    assert_eq!(told_under(&mut rig, &unbound), [Heard::Error(-404)]);
}

// rule: MS-17
#[test]
fn a_store_that_cannot_be_asked_or_has_no_such_key_is_told_apart_and_ends_nothing() {
    let mut rig = Rig::new(|_| {});
    let perm = rig.perm(1);
    let temp = rig.bound(2, &perm);
    let (connection, mut client) = spoken(&mut rig, &temp, 5);
    rig.store.silent = true;
    let (messages, signals) = destroy(&mut rig, connection, &mut client);
    assert!(messages.contains(&DestroyAuthKeyFail::CONSTRUCTOR) && signals.is_empty());
    rig.store.silent = false;
    assert_eq!(rig.ask(connection, &mut client, call(2)), bool_true());
    rig.heard(connection);
    rig.store.forget(perm.id);
    rig.store.forget(temp.id);
    let (messages, signals) = destroy(&mut rig, connection, &mut client);
    assert!(messages.contains(&DestroyAuthKeyNone::CONSTRUCTOR) && signals.is_empty());
}

/// Revokes `key` from outside; what became of it.
fn revoke(rig: &mut Rig, key: &Key) -> Revoked {
    rig.server.handle_revoke(RevokeId(1), key.id, rig.world.now);
    rig.settle();
    let told = rig.server.poll_revoked();
    assert_eq!(told.map(|(id, _)| id), Some(RevokeId(1)));
    told.unwrap().1
}

#[test]
fn a_key_that_is_revoked_ends_like_one_that_its_client_destroys() {
    let mut rig = Rig::new(|_| {});
    let (perm, stranger) = (rig.perm(1), rig.perm(9));
    let (temp, foreign) = (rig.bound(2, &perm), rig.bound(8, &stranger));
    let (connection, _) = spoken(&mut rig, &temp, 5);
    let (apart, mut unharmed) = spoken(&mut rig, &foreign, 8);
    assert_eq!(revoke(&mut rig, &perm), Revoked::Ended);
    assert_eq!(rig.signals(connection), [Heard::Error(-404), Heard::Closed]);
    assert_eq!(told_under(&mut rig, &temp), [Heard::Error(-404)]);
    assert_eq!(rig.ask(apart, &mut unharmed, call(2)), bool_true());
    assert!(rig.events.contains(&Event::KeyRevoked { key: perm.id }));
    assert_eq!(revoke(&mut rig, &perm), Revoked::Unknown);
}

#[test]
fn while_the_store_cannot_be_asked_nothing_is_revoked() {
    let mut rig = Rig::new(|_| {});
    let perm = rig.perm(1);
    let temp = rig.bound(2, &perm);
    let (connection, mut client) = spoken(&mut rig, &temp, 5);
    rig.store.silent = true;
    assert_eq!(revoke(&mut rig, &perm), Revoked::Unavailable);
    rig.store.silent = false;
    assert_eq!(rig.ask(connection, &mut client, call(2)), bool_true());
}
