//! U12 to U19: how a key exchange goes on and how often, by the frames of the clients that need each.

use core::time::Duration;
use std::collections::BTreeSet;
use std::sync::Arc;

use dayfly_core::handshake::server::{HandshakeEvent, KeyRing, PutOff, ServerKey};
use dayfly_core::server::Event;
use dayfly_crypto::dh::SafePrimeGroup;
use dayfly_crypto::ige;
use dayfly_testkit::test_key;
use dayfly_tl::mtproto::{
    MsgsAck, ReqDhParams, ReqPqMulti, ServerDhInnerData, ServerDhParamsOk, SetClientDhParams,
};
use dayfly_tl::{Read as _, Reader, read_exact, to_bytes};

use crate::every_recording;
use crate::peers::Heard;
use crate::plain::{answers_probe, complaints, of};
use crate::rig::{Replay, Sent};

#[test]
fn u12_takes_the_older_rsa_scheme_for_a_key_that_allows_it_and_for_no_other() {
    let mut replay = Replay::of("telethon");
    replay.play();
    assert_eq!(replay.keys_made().len(), 1);
    let mut replay = Replay::with("telethon", |_, config| {
        let ring = KeyRing::new(vec![ServerKey { key: test_key(), old_rsa: false }]).unwrap();
        config.keys = Arc::new(ring);
    });
    replay.play_until(|replay| replay.heard.len() == 2);
    assert_eq!(replay.heard[1].1, Heard::Error(-404));
    assert_eq!(replay.keys_made(), []);
}

#[test]
fn u13_takes_a_short_g_b_and_pads_the_key() {
    let mut replay = Replay::of("gotd-short-g-b");
    replay.play();
    assert_eq!(replay.stage.values("g_b").map(<[u8]>::len).collect::<Vec<_>>(), [255]);
    assert_eq!(replay.keys_made().len(), 1);
    let mut replay = Replay::of("gotd-short-key");
    replay.play();
    let keys: Vec<_> = replay.stage.values("auth_key").collect();
    assert!(keys.len() == 1 && keys[0].len() == 256 && keys[0][0] == 0);
    assert_eq!(replay.keys_made().len(), 1);
}

#[test]
fn u14_offers_the_published_prime_and_3() {
    let mut replay = Replay::of("pyrogram");
    replay.play();
    let answers = replay.plain_answers();
    let m: ServerDhParamsOk<'_> = read_exact(&answers[1][20..]).unwrap();
    let secret = |name| -> [u8; 32] { replay.stage.values(name).next().unwrap().try_into().unwrap() };
    let mut answer = m.encrypted_answer.to_vec();
    ige::decrypt(&mut answer, &secret("tmp_aes_key"), &secret("tmp_aes_iv")).unwrap();
    let inner = ServerDhInnerData::read(&mut Reader::new(&answer[20..])).unwrap();
    assert_eq!((inner.g, inner.dh_prime), (3, SafePrimeGroup::published().prime().as_slice()));
}

/// TDLib's connection broke in place of the answer; it says the same again over another one, with other bytes behind the
/// object. Then each step of mtcute's, byte by byte over another connection each.
#[test]
fn u15_answers_a_query_again_over_a_new_connection() {
    let mut replay = Replay::of("tdlib-cut");
    replay.play();
    let frames = replay.frames();
    let queries = of(&frames, ReqDhParams::CONSTRUCTOR);
    let object = |sent: &Sent| {
        let m = ReqDhParams::read(&mut Reader::new(&sent.frame[20..])).unwrap();
        to_bytes(&m)
    };
    let again = queries.iter().rfind(|query| query.on != 1 && object(query) == object(queries[0]));
    assert!(again.is_some_and(|again| again.frame != queries[0].frame));
    let answers = replay.plain_answers().into_iter().map(|answer| &answer[20..]);
    let is_params = |answer: &&[u8]| Reader::new(answer).peek_id() == Ok(ServerDhParamsOk::CONSTRUCTOR);
    let params: Vec<_> = answers.filter(is_params).collect();
    assert_eq!(
        (params.len(), params.iter().collect::<BTreeSet<_>>().len()),
        (3, 2),
        "one of them came twice"
    );

    let mut replay = Replay::of("mtcute");
    let frames = replay.frames();
    for sent in &frames[..3] {
        let said: Vec<_> = [(); 2].map(|()| replay.say_all([sent])).into();
        assert!(matches!(said[0][..], [Heard::Plain(_)]));
        let object = |heard: &[Heard]| match heard {
            [Heard::Plain(answer)] => answer[20..].to_vec(),
            other => panic!("{other:?}"),
        };
        assert_eq!(object(&said[0]), object(&said[1]));
    }
    assert_eq!(replay.keys_made().len(), 1);
}

#[test]
fn u16_lets_a_client_go_on_after_dh_gen_retry_or_begin_again() {
    for (name, openings) in [("mtcute-retry", 2), ("tdlib-retry", 3)] {
        let mut replay = Replay::of(name);
        replay.play();
        let is_retry =
            |event: &Event| matches!(event, Event::Handshake(HandshakeEvent::Retry { .. })).then_some(());
        assert_eq!(replay.events(is_retry).len(), 1, "{name}");
        assert_eq!(replay.keys_made().len(), 2, "{name}");
        let frames = replay.frames();
        // TDLib's connection checks have msg_id 1 and are no runs.
        let runs = of(&frames, ReqPqMulti::CONSTRUCTOR).into_iter().filter(|sent| sent.frame[8] != 1).count();
        let verdicts = of(&frames, SetClientDhParams::CONSTRUCTOR).len();
        assert_eq!((runs, verdicts), (openings, 3), "{name}");
    }
}

#[test]
fn u17_takes_runs_after_each_other_beside_each_other_and_beside_encrypted_traffic() {
    let mut replay = Replay::of("mtcute");
    replay.play();
    let frames = replay.frames();
    assert_eq!(of(&frames, SetClientDhParams::CONSTRUCTOR).iter().filter(|sent| sent.on == 1).count(), 2);
    assert_eq!(replay.keys_made().len(), 2);

    let mut replay = Replay::of("tdlib-sessions");
    replay.play();
    let frames = replay.frames();
    let order: Vec<_> = frames.iter().filter(|sent| sent.is_plain() && [3, 4].contains(&sent.on)).collect();
    let turns = order.windows(2).filter(|pair| pair[0].on != pair[1].on).count();
    assert!(turns >= 3, "the two runs are not interleaved");
    assert_eq!(replay.keys_made().len(), 5);

    let mut replay = Replay::of("mtcute-renewal");
    replay.play();
    let frames = replay.frames();
    let first_encrypted = frames.iter().position(|sent| !sent.is_plain()).unwrap();
    let late = of(&frames[first_encrypted..], SetClientDhParams::CONSTRUCTOR).len();
    assert_eq!((late, replay.keys_made().len()), (2, 4));
    assert_eq!(complaints(&replay), []);
}

/// TDLib opens a run; then two hundred of its connection checks come from the same address and are dropped; then it goes on.
#[test]
fn u18_does_not_count_runs_that_are_never_finished() {
    let probes = Replay::of("tdlib-cut").frames();
    let probe = probes.iter().find(|sent| sent.is_plain() && sent.frame[8] == 1).unwrap();
    let mut replay = Replay::with("tdlib", |_, config| {
        config.limits.private_operations_per_minute = Some(2);
        config.limits.proven_runs_per_address = 1;
    });
    replay.play_until(|replay| !replay.heard.is_empty());
    for _ in 0..200 {
        let heard = replay.say_all([probe]);
        assert!(heard.iter().any(|heard| answers_probe(heard, probe)), "{heard:?}");
    }
    replay.play_until(|replay| !replay.keys_made().is_empty());
    assert_eq!(replay.keys_made().len(), 1);
    let put_off = |event: &Event| match event {
        Event::Handshake(HandshakeEvent::PutOff { reason }) => Some(*reason),
        _ => None,
    };
    assert_eq!(replay.events(put_off), Vec::<PutOff>::new());
}

/// No answer of the key exchange waits for a timer: each is there before any time has passed.
#[test]
fn u19_answers_at_once() {
    for mut replay in every_recording() {
        let frames = replay.frames();
        let connection = replay.connect();
        for (count, sent) in (1..).zip(frames.iter().take_while(|sent| sent.is_plain())) {
            let before = replay.stage.now();
            let heard = replay.say(connection, &sent.frame);
            let acks = usize::from(sent.constructor() == MsgsAck::CONSTRUCTOR);
            assert_eq!(
                (heard.len(), replay.stage.now()),
                (1 - acks, before),
                "{count} of {}",
                replay.recording.client
            );
        }
        assert_eq!(replay.stage.now().monotonic, Duration::ZERO);
    }
}
