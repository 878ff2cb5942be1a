//! HTTP: whom a response is for, when it comes, and what it is when there is nothing to say.

use core::time::Duration;

use dayfly_core::plain;
use dayfly_core::server::{ConnectionId, Event};
use dayfly_core::session::MsgId;
use dayfly_core::session::server::Answer;
use dayfly_tl::mtproto::{HttpWait, MsgsAck, Ping, Pong, ReqPqMulti, ResPq};
use dayfly_tl::{api, to_bytes};

use crate::peers::{Heard, Key, Rig, Said, Speaker, call, seconds};
use crate::permission::bool_true;

const WAITED_IN_VAIN: Heard = Heard::Response { status: 200, empty: false };

fn milliseconds(count: u64) -> Duration {
    Duration::from_millis(count)
}

fn status(status: u16) -> Vec<Heard> {
    vec![Heard::Response { status, empty: true }]
}

fn wait(max_delay: i32, wait_after: i32, max_wait: i32) -> Vec<u8> {
    to_bytes(&HttpWait { max_delay, wait_after, max_wait })
}

/// A server that serves a permanent key, and answers no call before it is told to.
fn rig_with_key() -> (Rig, Key) {
    let mut rig = Rig::new(|config| config.allow_no_pfs = true);
    let perm = rig.perm(1);
    rig.hold_calls = true;
    (rig, perm)
}

/// A session that has said something already: what greets a new one would answer the first request.
fn greeted(rig: &mut Rig, key: &Key, session: i64) -> Speaker {
    let (connection, mut client) = (rig.connect_silent(), Speaker::client(key, session));
    post(rig, connection, &mut client, &[to_bytes(&Ping { ping_id: 0 })]);
    assert_eq!(responses(rig, connection), 1);
    client
}

/// Sends messages as one request; gives their msg_ids.
fn post(rig: &mut Rig, connection: ConnectionId, client: &mut Speaker, bodies: &[Vec<u8>]) -> Vec<MsgId> {
    let now = rig.world.now;
    let said: Vec<_> = bodies.iter().map(|body| quietly(client.say(body.clone(), now))).collect();
    let whole = if let [one] = &said[..] { one.clone() } else { client.together(&said, now) };
    let packet = client.seal(&whole, &mut rig.world);
    rig.request(connection, packet);
    said.iter().map(|said| said.msg_id).collect()
}

/// Without a wish for an acknowledgement, if it is no call: one that is due would answer the request.
fn quietly(said: Said) -> Said {
    let is_call = said.body.starts_with(&call(1)[..4]);
    Said { seqno: if is_call { said.seqno } else { said.seqno & !1 }, ..said }
}

fn answer(rig: &mut Rig, at: usize) {
    let owed = rig.calls[at].id;
    rig.answer(owed, Answer::Result(to_bytes(&api::BoolTrue)));
}

/// How many responses came.
fn responses(rig: &Rig, connection: ConnectionId) -> usize {
    let heard = rig.heard.get(&connection).into_iter().flatten();
    heard.filter(|heard| matches!(heard, Heard::Response { .. })).count()
}

// rule: TR-07
#[test]
fn an_answer_goes_to_a_request_of_its_own_key_and_session_alone() {
    let (mut rig, key) = rig_with_key();
    let stranger = rig.perm(2);
    let mut clients =
        [greeted(&mut rig, &key, 5), greeted(&mut rig, &key, 6), greeted(&mut rig, &stranger, 5)];
    let connections = [(); 3].map(|()| rig.connect_silent());
    let mut asked = Vec::new();
    for (client, connection) in clients.iter_mut().zip(connections) {
        asked.extend(post(&mut rig, connection, client, &[call(1), wait(0, 0, 20_000)]).drain(..1));
    }
    for at in [1, 2, 0] {
        assert_eq!(responses(&rig, connections[at]), 0);
        answer(&mut rig, at);
        assert_eq!(rig.answer_to(connections[at], asked[at]), Some(bool_true()));
        assert_eq!(responses(&rig, connections[at]), 1);
    }
}

// rule: TR-07
#[test]
fn a_connection_that_another_session_uses_by_now_brings_nothing_of_the_one_before() {
    let (mut rig, key) = rig_with_key();
    let (mut first, mut second) = (greeted(&mut rig, &key, 5), greeted(&mut rig, &key, 6));
    let connection = rig.connect_silent();
    let asked = post(&mut rig, connection, &mut first, &[call(1), to_bytes(&Ping { ping_id: 1 })])[0];
    assert_eq!(responses(&rig, connection), 1, "the pong");
    post(&mut rig, connection, &mut second, &[wait(0, 0, 20_000)]);
    answer(&mut rig, 0);
    rig.pass(seconds(1));
    assert_eq!((rig.answer_to(connection, asked), responses(&rig, connection)), (None, 1));
    let other = rig.connect_silent();
    post(&mut rig, other, &mut first, &[wait(0, 0, 20_000)]);
    assert_eq!(rig.answer_to(other, asked), Some(bool_true()));
}

// rule: TR-07
#[test]
fn nothing_is_said_without_a_request_and_all_that_waits_goes_in_one_packet() {
    let (mut rig, key) = rig_with_key();
    let mut client = greeted(&mut rig, &key, 5);
    let connection = rig.connect_silent();
    let asked = post(&mut rig, connection, &mut client, &[call(1), call(2), to_bytes(&Ping { ping_id: 1 })]);
    assert_eq!(responses(&rig, connection), 1);
    assert!(rig.heard(connection).iter().any(|heard| heard.constructor() == Pong::CONSTRUCTOR));
    answer(&mut rig, 0);
    answer(&mut rig, 1);
    rig.pass(seconds(2));
    assert_eq!(rig.heard(connection), []);
    post(&mut rig, connection, &mut client, &[wait(0, 0, 20_000)]);
    assert_eq!(rig.answer_to(connection, asked[0]), Some(bool_true()));
    assert_eq!(rig.answer_to(connection, asked[1]), Some(bool_true()));
    assert_eq!(responses(&rig, connection), 1);
}

// rule: TR-07, MS-16
#[test]
fn a_request_that_waited_in_vain_gets_an_empty_container_after_its_max_wait() {
    let (mut rig, key) = rig_with_key();
    let mut client = greeted(&mut rig, &key, 5);
    let connection = rig.connect_silent();
    let ack = to_bytes(&MsgsAck { msg_ids: vec![4].into() });
    for (body, waits) in [(wait(0, 0, 1000), 1000), (ack, 25_000), (wait(0, 0, i32::MAX), 60_000)] {
        post(&mut rig, connection, &mut client, &[body]);
        rig.pass(milliseconds(waits - 1));
        assert_eq!(rig.heard(connection), [], "{waits}");
        rig.pass(milliseconds(1));
        assert_eq!(rig.heard(connection), [WAITED_IN_VAIN], "{waits}");
    }
}

// rule: TR-07, MS-16
#[test]
fn each_message_starts_wait_after_anew_until_max_delay_is_over() {
    let (mut rig, key) = rig_with_key();
    let mut client = greeted(&mut rig, &key, 5);
    let connection = rig.connect_silent();
    let bodies = [call(1), call(2), call(3), call(4), wait(250, 100, 20_000)];
    let asked = post(&mut rig, connection, &mut client, &bodies);
    for at in 0..3 {
        answer(&mut rig, at);
        rig.pass(milliseconds(90));
        // The third at 180 ms would wait until 280 ms: max_delay ends it at 250 ms.
        assert_eq!(responses(&rig, connection), usize::from(at == 2), "answer {at}");
    }
    for answered in &asked[..3] {
        assert_eq!(rig.answer_to(connection, *answered), Some(bool_true()));
    }
    rig.heard(connection);
    post(&mut rig, connection, &mut client, &[wait(250, 100, 20_000)]);
    answer(&mut rig, 3);
    rig.pass(milliseconds(99));
    assert_eq!(rig.heard(connection), []);
    rig.pass(milliseconds(1));
    assert_eq!(rig.answer_to(connection, asked[3]), Some(bool_true()));
}

// rule: TR-07, MS-13
#[test]
fn an_acknowledgement_that_is_due_waits_like_any_message_while_the_timers_rest() {
    let (mut rig, key) = rig_with_key();
    let mut client = greeted(&mut rig, &key, 5);
    let connection = rig.connect_silent();
    post(&mut rig, connection, &mut client, &[call(1), wait(2000, 2000, 20_000)]);
    rig.pass(milliseconds(2499)); // due after half a second
    assert_eq!(rig.heard(connection), []);
    rig.pass(milliseconds(1));
    assert!(rig.heard(connection).iter().any(|heard| heard.constructor() == MsgsAck::CONSTRUCTOR));
}

// rule: TR-07
#[test]
fn the_newest_request_is_answered_first_and_the_older_one_next() {
    let (mut rig, key) = rig_with_key();
    let mut client = greeted(&mut rig, &key, 5);
    let (older, newer) = (rig.connect_silent(), rig.connect_silent());
    post(&mut rig, older, &mut client, &[call(1), call(2), wait(0, 0, 400)]);
    post(&mut rig, newer, &mut client, &[wait(0, 0, 400)]);
    answer(&mut rig, 0);
    assert_eq!((responses(&rig, older), responses(&rig, newer)), (0, 1));
    answer(&mut rig, 1);
    assert_eq!((responses(&rig, older), responses(&rig, newer)), (1, 1));
    assert_eq!(rig.heard(older).len(), 2, "one answer, nothing again");
}

// rule: MS-13
#[test]
fn what_a_lost_connection_swallowed_goes_out_by_another_request() {
    let (mut rig, key) = rig_with_key();
    let mut client = greeted(&mut rig, &key, 5);
    let (lost, other) = (rig.connect_silent(), rig.connect_silent());
    let asked = post(&mut rig, lost, &mut client, &[call(1), wait(0, 0, 400)])[0];
    answer(&mut rig, 0);
    assert_eq!(rig.answer_to(lost, asked), Some(bool_true()));
    post(&mut rig, other, &mut client, &[wait(0, 0, 400)]);
    assert_eq!(rig.answer_to(other, asked), None);
    rig.close(lost);
    rig.pass(milliseconds(1));
    assert_eq!(rig.answer_to(other, asked), Some(bool_true()));
}

// rule: MS-13
#[test]
fn a_session_whose_waiting_request_is_cut_goes_on_with_an_older_one() {
    let (mut rig, key) = rig_with_key();
    let mut client = greeted(&mut rig, &key, 5);
    let (older, cut) = (rig.connect_silent(), rig.connect_silent());
    post(&mut rig, older, &mut client, &[wait(0, 500, 400)]);
    rig.pass(milliseconds(1));
    let asked = post(&mut rig, cut, &mut client, &[call(1), wait(0, 0, 400)])[0];
    rig.close(cut);
    rig.pass(milliseconds(1));
    rig.heard(older);
    let next = rig.connect_silent();
    answer(&mut rig, 0);
    post(&mut rig, next, &mut client, &[wait(0, 0, 400)]);
    assert_eq!(rig.answer_to(next, asked), Some(bool_true()));
}

// rule: TR-05, TR-07
#[test]
fn a_transport_error_is_the_status_of_the_response() {
    let (mut rig, key) = rig_with_key();
    let connection = rig.connect_silent();
    let mut nobody = Speaker::client(&Key::perm(9), 5);
    post(&mut rig, connection, &mut nobody, &[call(1)]);
    assert_eq!(rig.heard(connection), status(404));
    rig.store.silent = true;
    let mut client = Speaker::client(&key, 5);
    post(&mut rig, connection, &mut client, &[call(1)]);
    rig.pass(seconds(6));
    assert_eq!(rig.heard(connection), status(429));
    let codes: Vec<i32> = rig.events.iter().filter_map(code).collect();
    assert_eq!(codes, [-404, -429]);
}

fn code(event: &Event) -> Option<i32> {
    match event {
        Event::TransportError { code, .. } => Some(*code),
        _ => None,
    }
}

// rule: TR-07, PF-15
#[test]
fn at_the_end_of_their_key_all_waiting_requests_get_404() {
    let (mut rig, _) = rig_with_key();
    let temp = rig.temp(2, 10);
    let mut client = greeted(&mut rig, &temp, 5);
    let connections = [rig.connect_silent(), rig.connect_silent()];
    for connection in connections {
        post(&mut rig, connection, &mut client, &[wait(0, 0, 20_000)]);
    }
    rig.pass(seconds(10));
    for connection in connections {
        let heard = rig.heard(connection);
        assert_eq!(heard, [Heard::Response { status: 404, empty: true }, Heard::Closed]);
    }
}

// rule: TR-06, TR-07
#[test]
fn a_body_of_a_wrong_length_gets_a_status_and_the_connection_goes_on() {
    let (mut rig, key) = rig_with_key();
    let connection = rig.connect_silent();
    for length in [0, 4, 42] {
        rig.request(connection, vec![1; length]);
        assert_eq!(rig.heard(connection), status(400), "{length}");
    }
    rig.request(connection, vec![1; (1 << 20) + 4]);
    assert_eq!(rig.heard(connection), status(413));
    rig.request(connection, vec![0; 4100]);
    assert_eq!(rig.heard(connection), status(413), "a plain message");
    let mut client = Speaker::client(&key, 5);
    post(&mut rig, connection, &mut client, &[to_bytes(&Ping { ping_id: 1 })]);
    assert_eq!(responses(&rig, connection), 1);
}

// rule: TR-07, HS-34
#[test]
fn a_query_of_the_key_exchange_is_answered_on_its_own_request() {
    let (mut rig, _) = rig_with_key();
    let connection = rig.connect_silent();
    rig.request(connection, plain::write(0, &to_bytes(&ReqPqMulti { nonce: [7; 16] })));
    let heard = rig.heard(connection);
    let [Heard::Response { status: 200, empty: false }, Heard::Plain(message)] = &heard[..] else {
        panic!("{heard:?}");
    };
    let body = plain::PlainMessage::from_server(message).unwrap().body;
    assert_eq!(body[..4], ResPq::CONSTRUCTOR.to_le_bytes());
    rig.request(connection, plain::write(0, &to_bytes(&MsgsAck { msg_ids: vec![1].into() })));
    assert_eq!(rig.heard(connection), status(200), "swallowed, and the request does not wait for nothing");
    rig.request(connection, plain::write(0, &[0; 24]));
    assert_eq!(rig.heard(connection), status(404));
}

// rule: TR-07
#[test]
fn a_request_before_the_response_to_the_one_before_ends_the_connection() {
    let (mut rig, key) = rig_with_key();
    let mut client = greeted(&mut rig, &key, 5);
    let connection = rig.connect_silent();
    post(&mut rig, connection, &mut client, &[call(1), wait(0, 0, 400)]);
    post(&mut rig, connection, &mut client, &[call(2)]);
    assert_eq!(rig.heard(connection), [Heard::Closed]);
    rig.pass(seconds(1));
    assert_eq!(rig.heard(connection), []);
}

// rule: MS-06, TR-07
#[test]
fn a_packet_that_does_not_open_ends_the_connection_without_a_response() {
    let (mut rig, key) = rig_with_key();
    let mut client = greeted(&mut rig, &key, 5);
    let connection = rig.connect_silent();
    let said = client.say(call(1), rig.world.now);
    let mut packet = client.seal(&said, &mut rig.world);
    *packet.last_mut().unwrap() ^= 1;
    rig.request(connection, packet);
    assert_eq!(rig.heard(connection), [Heard::Closed]);
}

// rule: MS-16
#[test]
fn http_wait_means_nothing_over_tcp_and_to_no_request_after_it() {
    let (mut rig, key) = rig_with_key();
    let mut client = greeted(&mut rig, &key, 5);
    let tcp = rig.connect();
    rig.say(tcp, &mut client, wait(5000, 5000, 20_000));
    rig.say(tcp, &mut client, to_bytes(&Ping { ping_id: 1 }));
    assert!(rig.heard(tcp).iter().any(|heard| heard.constructor() == Pong::CONSTRUCTOR));
    let connection = rig.connect_silent();
    post(&mut rig, connection, &mut client, &[to_bytes(&Ping { ping_id: 2 })]);
    assert_eq!(responses(&rig, connection), 1);
}

// rule: TR-09
#[test]
fn a_websocket_is_obfuscated_or_nothing() {
    let mut rig = Rig::new(|_| {});
    let connection = rig.connect_silent();
    rig.server.handle_websocket(connection);
    // What plain intermediate would answer is an init here, and one that names no transport.
    rig.bytes(connection, &[0xee; 4]);
    for _ in 0..2 {
        rig.send(connection, &plain::write(0, &to_bytes(&ReqPqMulti { nonce: [7; 16] })));
    }
    assert_eq!(rig.heard(connection), [Heard::Closed]);
}
