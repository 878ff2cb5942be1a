//! Containers and packed bodies, and their bounds.

use super::*;

// rule: MS-12
#[test]
fn a_broken_container_is_refused_as_a_whole_with_code_64() {
    let nested = container::pack(&[]);
    let body = call();
    let broken: [&[Inner<'_>]; 3] = [
        &[inner(id(5), 1, &body), inner(id(6), 2, &nested)],
        &[inner(id(5), 1, &body), inner(id(10), 3, &body)],
        &[inner(id(5), 1, &body), inner(MsgId(id(6).0 + 1), 3, &body)],
    ];
    for inners in broken {
        let mut rig = Rig::greeted();
        rig.send_all(id(9), 4, inners).unwrap();
        assert_eq!((rig.refusal(), rig.calls()), (Some((id(9), 64)), vec![]));
    }
}

// rule: MS-12
#[test]
fn more_than_1024_messages_in_a_container_end_the_connection() {
    let mut rig = Rig::greeted();
    let body = ping(1);
    let many: Vec<_> = (10..1035).map(|n| inner(id(n), 0, &body)).collect();
    assert_eq!(rig.send_all(id(2000), 0, &many), Err(CloseReason::Flood));
    assert_eq!(rig.send_all(id(2000), 0, &many[..1024]), Ok(()));
}

// rule: MS-12
#[test]
fn a_call_that_unpacks_to_too_much_fails_alone() {
    let mut rig = Rig::greeted_with(Limits { unpacked_bytes: 1000, ..Limits::default() });
    let bomb = gzip::pack(&[&call()[..], &[0; 100_000]].concat()).unwrap();
    rig.send_all(id(9), 4, &[inner(id(5), 1, &bomb), inner(id(6), 3, &call())]).unwrap();
    assert_eq!(rig.calls(), [id(6)]);
    let sent = rig.sent();
    let results = of::<RpcResult<'_>>(&sent);
    assert_eq!(results[0].req_msg_id, id(5).to_long());
    assert_eq!(read_exact::<RpcError<'_>>(results[0].result).unwrap().error_code, 400);
}

// rule: MS-12
#[test]
fn more_calls_than_there_is_room_for_end_the_connection_and_can_be_sent_again() {
    let mut rig = Rig::greeted_with(Limits { calls: 1, ..Limits::default() });
    rig.send(id(5), 1, &call()).unwrap();
    assert_eq!(rig.send(id(6), 3, &call()), Err(CloseReason::Flood));
    rig.answer(id(5), &[0; 4]);
    rig.send(id(6), 3, &call()).unwrap();
    assert_eq!(rig.calls(), [id(6)]);
}

// rule: MS-12
#[test]
fn a_long_result_goes_out_packed() {
    let mut rig = Rig::greeted();
    rig.send(id(5), 1, &call()).unwrap();
    rig.answer(id(5), &[7; 10_000]);
    let sent = rig.sent();
    let result: RpcResult<'_> = read_exact(&sent[0].body).unwrap();
    assert!(result.result.len() < 1000);
    assert_eq!(gzip::unpack(result.result, 10_000).unwrap(), [7; 10_000]);
}
