//! Which calls may come under which kind of key.

use dayfly_core::client::ClientInfo;
use dayfly_core::server::KeyUse;
use dayfly_tl::mtproto::{GzipPacked, Ping, Pong};
use dayfly_tl::{api, to_bytes};

use crate::peers::{Heard, Key, Rig, Speaker, call};

const PERM_EMPTY: (i32, &str) = (401, "AUTH_KEY_PERM_EMPTY");
const TEMP_EMPTY: (i32, &str) = (400, "TEMP_AUTH_KEY_EMPTY");

pub(crate) fn refused<T>((code, error): (i32, &str)) -> Result<T, (i32, String)> {
    Err((code, error.to_owned()))
}

pub(crate) fn bool_true() -> Result<Vec<u8>, (i32, String)> {
    Ok(to_bytes(&api::BoolTrue))
}

/// `invokeWithLayer(initConnection(query))`.
pub(crate) fn with_info(query: &[u8]) -> Vec<u8> {
    let info = ClientInfo {
        layer: 201,
        device_model: "lamp".to_owned(),
        system_version: "1".to_owned(),
        app_version: "2".to_owned(),
        ..ClientInfo::default()
    };
    info.introduce(query)
}

fn nested(query: &[u8]) -> [Vec<u8>; 5] {
    [
        query.to_vec(),
        with_info(query),
        to_bytes(&api::InvokeWithoutUpdates { query }),
        to_bytes(&api::InvokeAfterMsg { msg_id: 4, query }),
        to_bytes(&api::InvokeAfterMsgs { msg_ids: vec![4, 8].into(), query: &with_info(query) }),
    ]
}

fn speaker_of(rig: &mut Rig, key: &Key) -> (dayfly_core::server::ConnectionId, Speaker) {
    (rig.connect(), Speaker::client(key, 5))
}

// rule: PF-05
#[test]
fn an_unbound_key_may_ask_for_the_config_and_the_nearest_dc_in_any_nesting() {
    let mut rig = Rig::new(|_| {});
    let temp = rig.temp(1, 3600);
    let (connection, mut client) = speaker_of(&mut rig, &temp);
    for query in [to_bytes(&api::HelpGetConfig), to_bytes(&api::HelpGetNearestDc)] {
        for body in nested(&query) {
            assert_eq!(rig.ask(connection, &mut client, body), bool_true());
        }
    }
    assert!(rig.calls.iter().all(|call| call.key_use == KeyUse::Unbound && call.key == temp.id));
    assert_eq!(rig.calls.len(), 10);
}

// rule: PF-05
#[test]
fn any_other_call_under_an_unbound_key_gets_401_whatever_is_around_it() {
    let mut rig = Rig::new(|_| {});
    let temp = rig.temp(1, 3600);
    let (connection, mut client) = speaker_of(&mut rig, &temp);
    for body in nested(&call(1)) {
        assert_eq!(rig.ask(connection, &mut client, body), refused(PERM_EMPTY));
    }
    let drop = to_bytes(&api::AuthDropTempAuthKeys { except_auth_keys: vec![].into() });
    assert_eq!(rig.ask(connection, &mut client, drop), refused(PERM_EMPTY));
    assert!(rig.calls.is_empty());
}

// rule: PF-05
#[test]
fn a_call_that_does_not_unpack_gets_no_401() {
    let mut rig = Rig::new(|_| {});
    let temp = rig.temp(1, 3600);
    let (connection, mut client) = speaker_of(&mut rig, &temp);
    let torn = to_bytes(&api::InvokeWithoutUpdates { query: &to_bytes(&GzipPacked { packed_data: &[1] }) });
    assert_eq!(rig.ask(connection, &mut client, torn), refused((400, "INPUT_FETCH_ERROR")));
}

// rule: PF-05, PF-23
#[test]
fn service_messages_work_under_every_key() {
    let mut rig = Rig::new(|_| {});
    for key in [rig.temp(1, 3600), rig.perm(2)] {
        let (connection, mut client) = speaker_of(&mut rig, &key);
        rig.say(connection, &mut client, to_bytes(&Ping { ping_id: 9 }));
        let heard = rig.heard(connection);
        assert!(heard.iter().any(|heard| heard.constructor() == Pong::CONSTRUCTOR), "{heard:?}");
    }
}

// rule: PF-23
#[test]
fn calls_under_a_permanent_key_are_refused_by_default_and_never_with_401_or_404() {
    let mut rig = Rig::new(|_| {});
    let perm = rig.perm(1);
    let (connection, mut client) = speaker_of(&mut rig, &perm);
    for body in [call(1), to_bytes(&api::HelpGetConfig)] {
        assert_eq!(rig.ask(connection, &mut client, body), refused(TEMP_EMPTY));
    }
    assert!(rig.calls.is_empty() && rig.signals(connection).is_empty());
}

// rule: PF-23
#[test]
fn calls_under_a_permanent_key_are_served_where_the_operator_says_so() {
    let mut rig = Rig::new(|config| config.allow_no_pfs = true);
    let perm = rig.perm(1);
    let (connection, mut client) = speaker_of(&mut rig, &perm);
    assert_eq!(rig.ask(connection, &mut client, call(1)), bool_true());
    assert_eq!((rig.calls[0].key_use, rig.calls[0].key), (KeyUse::Permanent, perm.id));
}

// rule: PF-24
#[test]
fn nothing_is_bound_on_a_cdn_dc() {
    let mut rig = Rig::new(|config| config.cdn = true);
    let (perm, temp) = (rig.perm(1), rig.temp(2, 3600));
    let (connection, mut client) = speaker_of(&mut rig, &temp);
    assert_eq!(rig.bind(connection, &mut client, &perm), refused((400, "CDN_METHOD_INVALID")));
    assert!(rig.store.binds.is_empty());
}

// rule: PF-24
#[test]
fn an_unbound_key_may_call_anything_on_a_cdn_dc() {
    let mut rig = Rig::new(|config| config.cdn = true);
    let temp = rig.temp(2, 3600);
    let (connection, mut client) = speaker_of(&mut rig, &temp);
    assert_eq!(rig.ask(connection, &mut client, call(1)), bool_true());
    assert_eq!(rig.calls[0].key_use, KeyUse::Unbound);
}

#[test]
fn more_calls_than_the_back_end_may_owe_are_put_off() {
    let mut rig = Rig::new(|config| config.calls = 2);
    let perm = rig.perm(1);
    let temp = rig.bound(2, &perm);
    let (connection, mut client) = speaker_of(&mut rig, &temp);
    rig.hold_calls = true;
    let first = rig.say(connection, &mut client, call(1));
    rig.say(connection, &mut client, call(2));
    assert_eq!(rig.ask(connection, &mut client, call(3)), refused((420, "FLOOD_WAIT_1")));
    let owed = rig.calls[0].id;
    rig.answer(owed, dayfly_core::session::server::Answer::Result(to_bytes(&api::BoolTrue)));
    assert_eq!(rig.answer_to(connection, first), Some(bool_true()));
    rig.say(connection, &mut client, call(4));
    assert_eq!((rig.calls.len(), rig.server.calls_owed()), (3, 2));
    assert!(!rig.heard(connection).contains(&Heard::Closed));
}
