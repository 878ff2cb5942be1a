//! What an operator may see.

use dayfly_core::plain;
use dayfly_core::server::{Census, Event, KeyUse};
use dayfly_core::session::server::Answer;
use dayfly_tl::mtproto::ReqPqMulti;
use dayfly_tl::to_bytes;

use crate::peers::{PEER, Rig, Speaker, call, seconds};
use crate::permission::with_info;

fn begin_handshake(rig: &mut Rig, number: u8) -> dayfly_core::server::ConnectionId {
    let connection = rig.connect();
    rig.send(connection, &plain::write(0, &to_bytes(&ReqPqMulti { nonce: [number; 16] })));
    connection
}

#[test]
fn an_empty_server_has_nothing() {
    let rig = Rig::new(|_| {});
    assert_eq!(rig.server.census(), Census::default());
    assert!(rig.server.view_connections(None, 9).is_empty());
    assert!(rig.server.view_handshakes(9, rig.world.now).is_empty());
}

#[test]
fn everything_is_counted_by_its_kind() {
    let mut rig = Rig::new(|config| config.allow_no_pfs = true);
    let perm = rig.perm(1);
    let (bound, unbound) = (rig.bound(2, &perm), rig.temp(3, 3600));
    rig.hold_calls = true;
    for (session, key) in [&perm, &bound, &unbound].into_iter().enumerate() {
        let mut speaker = Speaker::client(key, 5 + i64::try_from(session).unwrap());
        let connection = rig.connect();
        rig.say(connection, &mut speaker, call(1));
    }
    rig.connect_silent();
    let websocket = rig.connect_silent();
    rig.server.handle_websocket(websocket);
    let http = rig.connect_silent();
    rig.request(http, plain::write(0, &to_bytes(&ReqPqMulti { nonce: [9; 16] })));
    let census = rig.server.census();
    assert_eq!(census.connections, [("intermediate", 3), ("unknown", 2), ("http", 1)].into());
    let keys = [(KeyUse::Permanent, 1), (KeyUse::Bound, 1), (KeyUse::Unbound, 1)];
    assert_eq!(census.keys, keys.into());
    assert_eq!((census.sessions, census.unfinished_handshakes, census.store_requests), (3, 1, 0));
    assert_eq!(census.calls_owed, rig.server.calls_owed());
}

#[test]
fn a_connection_shows_its_peer_its_key_and_what_the_client_said() {
    let mut rig = Rig::new(|_| {});
    let perm = rig.perm(1);
    let bound = rig.bound(2, &perm);
    let (connection, mut speaker) = (rig.connect(), Speaker::client(&bound, 5));
    rig.ask(connection, &mut speaker, with_info(&call(1))).unwrap();
    let [view] = &rig.server.view_connections(None, 9)[..] else { panic!("one connection") };
    assert_eq!(
        (view.id, view.peer, view.transport, view.obfuscated),
        (connection, PEER, "intermediate", false)
    );
    let key = view.key.unwrap();
    assert_eq!((key.id, key.key_use, key.perm), (bound.id, KeyUse::Bound, Some(perm.id)));
    assert_eq!((view.sessions.len(), view.layer), (1, Some(201)));
    assert_eq!(view.client.as_ref().unwrap().device_model, "lamp");
}

#[test]
fn connections_are_told_in_pages() {
    let mut rig = Rig::new(|_| {});
    let connections: Vec<_> = (0..5).map(|_| rig.connect()).collect();
    let page = |after| rig.server.view_connections(after, 2).iter().map(|view| view.id).collect::<Vec<_>>();
    assert_eq!(page(None), connections[..2]);
    assert_eq!(page(Some(connections[1])), connections[2..4]);
    assert_eq!(page(Some(connections[4])), []);
    assert_eq!(rig.server.peer_of(connections[4]), Some(PEER));
}

#[test]
fn key_exchanges_under_way_are_told_the_youngest_first() {
    let mut rig = Rig::new(|_| {});
    begin_handshake(&mut rig, 1);
    rig.pass(seconds(7));
    begin_handshake(&mut rig, 2);
    begin_handshake(&mut rig, 3);
    let view = rig.server.view_handshakes(2, rig.world.now);
    let told: Vec<_> = view.iter().map(|run| (run.number, run.age, run.awaits)).collect();
    assert_eq!(told, [(3, seconds(0), "req_DH_params"), (2, seconds(0), "req_DH_params")]);
    assert_eq!(view[0].peer.to_string(), PEER.to_string());
    assert_eq!(rig.server.view_handshakes(9, rig.world.now)[2].age, seconds(7));
}

#[test]
fn an_answer_tells_its_time_and_its_error() {
    let mut rig = Rig::new(|config| config.call_deadline = seconds(30));
    let perm = rig.perm(1);
    let bound = rig.bound(2, &perm);
    let (connection, mut speaker) = (rig.connect(), Speaker::client(&bound, 5));
    rig.hold_calls = true;
    rig.say(connection, &mut speaker, call(1));
    let asked = rig.calls.last().unwrap().id;
    rig.pass(seconds(3));
    rig.answer(asked, Answer::Error { code: 400, message: "NO".to_owned() });
    rig.say(connection, &mut speaker, call(2));
    rig.pass(seconds(31));
    let answered = |event: &Event| match event {
        Event::Answered { key_use, took, error } => Some((*key_use, *took, error.clone())),
        _ => None,
    };
    let told: Vec<_> = rig.events.iter().filter_map(answered).collect();
    let late = Some("BACKEND_TIMEOUT".to_owned());
    assert_eq!(
        told,
        [(KeyUse::Bound, seconds(3), Some("NO".to_owned())), (KeyUse::Bound, seconds(30), late)]
    );
}
