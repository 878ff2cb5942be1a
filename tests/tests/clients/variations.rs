//! What holds of every client, and what none of those that are recorded does: its own bytes in another order.

use std::collections::BTreeMap;

use dayfly_core::server::KeyUse;
use dayfly_core::session::query;
use dayfly_tl::Constructor as _;
use dayfly_tl::api::{HelpGetNearestDc, InvokeWithLayer};
use dayfly_tl::mtproto::GzipPacked;

use crate::binding::{binds, bool_true, is_bind};
use crate::every_recording;
use crate::rig::{Replay, Said};

/// A key's last binding is confirmed, and no call comes under a permanent key.
#[test]
fn clients_with_forward_secrecy_bind_and_use_no_permanent_key() {
    for mut replay in every_recording() {
        replay.play();
        let last: BTreeMap<_, _> = binds(&replay).into_iter().map(|bind| (bind.key, bind.msg_id)).collect();
        assert!(last.into_values().all(|bind| replay.answer_to(bind) == Some(bool_true())));
        let permanent = replay.stage.calls.iter().filter(|call| call.key_use == KeyUse::Permanent).count();
        assert_eq!(permanent > 0, replay.recording.server.no_pfs, "{}", replay.recording.client);
    }
}

/// TDLib's binding with its two wrappers exchanged, then one of its calls without any: some clients nest them so (row B4).
#[test]
fn the_wrappers_of_a_binding_may_be_nested_either_way_and_are_remembered() {
    let mut replay = Replay::of("tdlib");
    replay.play_until(|replay| replay.keys_made().len() == 2);
    let said = replay.said();
    let bind = said.iter().find(|said| is_bind(said)).unwrap();
    let call = said.iter().find(|said| said.innermost() == HelpGetNearestDc::ID).unwrap();
    let frames = [replay.reseal(bind, &exchanged(bind)), replay.reseal(call, &bare(call))];
    let connection = replay.connect();
    frames.iter().for_each(|frame| drop(replay.say(connection, frame)));
    assert_eq!(replay.answer_to(bind.msg_id), Some(bool_true()));
    let reached = &replay.stage.calls[0];
    assert!(reached.layer.is_some());
    assert_eq!(reached.client.as_ref().unwrap().device_model, "recorder");
}

fn bare(said: &Said) -> Vec<u8> {
    query::peel(&said.body, 1 << 20).unwrap().query().to_vec()
}

/// `initConnection` around `invokeWithLayer`, which is its constructor and the layer, instead of the other way round. TDLib
/// packs what is inside.
fn exchanged(said: &Said) -> Vec<u8> {
    assert_eq!(said.outermost(), InvokeWithLayer::CONSTRUCTOR);
    let is_packed = |at: &usize| said.body[*at..].starts_with(&GzipPacked::CONSTRUCTOR.to_le_bytes());
    let inside = (8..said.body.len()).step_by(4).find(is_packed).unwrap();
    let (wrappers, packed) = said.body.split_at(inside);
    let (layer, client) = wrappers.split_at(8);
    [client, layer, packed].concat()
}
