//! U1 to U11: how a key exchange is opened, and what it is asked for, by the frames of the clients that need each.

use std::collections::BTreeSet;

use dayfly_core::handshake::server::DcPolicy;
use dayfly_core::keys::requests::Lifetime;
use dayfly_core::plain::PlainMessage;
use dayfly_tl::mtproto::{
    DhGenOk, DhGenRetry, MsgsAck, ReqDhParams, ReqPq, ReqPqMulti, ResPq, ServerDhParamsOk,
};
use dayfly_tl::{Read as _, Reader, read_exact, to_bytes};

use crate::every_recording;
use crate::peers::Heard;
use crate::plain::{answers_probe, complaints, is_ok, is_probe, is_stream, of, on, res_pq};
use crate::rig::{Replay, Sent};

#[test]
fn u01_answers_the_legacy_req_pq_over_tcp_and_http() {
    let mut replay = Replay::of("tdesktop");
    replay.play();
    let frames = replay.frames();
    let probes = of(&frames, ReqPq::CONSTRUCTOR);
    for probe in &probes {
        assert!(replay.heard_on(probe.on).iter().any(|heard| answers_probe(heard, probe)), "{probe:?}");
    }
    let over_tcp = probes.iter().filter(|probe| is_stream(&replay, probe.on)).count();
    assert!(over_tcp >= 2 && probes.len() - over_tcp >= 2, "{over_tcp} of {}", probes.len());
}

#[test]
fn u02_takes_another_req_pq_or_an_encrypted_frame_after_a_res_pq() {
    let mut replay = Replay::of("tdesktop");
    replay.play();
    let frames = replay.frames();
    let then = |first: &Sent| {
        let rest = on(&frames, first.on);
        rest.get(1).map(|next| (next.on, next.constructor()))
    };
    let probes = of(&frames, ReqPq::CONSTRUCTOR);
    let next: Vec<_> = probes.iter().filter_map(|probe| then(probe)).collect();
    let with_new_nonce = next.iter().filter(|(_, constructor)| *constructor == ReqPqMulti::CONSTRUCTOR);
    assert!(with_new_nonce.count() >= 1);
    let encrypted: Vec<_> = next.iter().filter(|(_, constructor)| *constructor == 0).collect();
    assert!(!encrypted.is_empty());
    for (connection, _) in encrypted {
        let heard = replay.heard_on(*connection);
        assert!(heard.iter().any(|heard| matches!(heard, Heard::Message { .. })), "{heard:?}");
    }
    assert_eq!(complaints(&replay), []);
}

/// The two runs of TDLib's two connections, step by step in turn on one.
#[test]
fn u03_keeps_several_runs_alive_on_one_connection_each_with_its_own_server_nonce() {
    let mut replay = Replay::of("tdlib");
    let frames = replay.frames();
    let runs: Vec<_> = [1, 2].map(|connection| on(&frames, connection)[..3].to_vec()).into();
    let connection = replay.connect();
    for step in 0..3 {
        for run in &runs {
            let heard = replay.say(connection, &run[step].frame);
            assert!(matches!(heard[..], [Heard::Plain(_)]), "{heard:?}");
        }
    }
    assert_eq!(replay.keys_made().len(), 2);

    let mut nonces = BTreeSet::new();
    let mut replay = Replay::of("tdlib-cut");
    replay.play();
    let runs: Vec<_> = replay.plain_answers().into_iter().filter_map(res_pq).collect();
    nonces.extend(runs.iter().map(|m| m.server_nonce));
    assert_eq!((runs.len(), nonces.len()), (6, 6));
}

#[test]
fn u04_takes_the_msg_ids_0_and_1() {
    let mut replay = Replay::of("tdlib-cut");
    replay.play();
    let frames = replay.frames();
    let plain: Vec<_> = frames.iter().filter(|sent| sent.is_plain()).collect();
    let ids: BTreeSet<u64> =
        plain.iter().map(|sent| u64::from_le_bytes(sent.frame[8..16].try_into().unwrap())).collect();
    assert_eq!(ids, [0, 1].into());
    assert_eq!(replay.plain_answers().len(), plain.len());
}

#[test]
fn u05_ignores_random_bytes_behind_the_object() {
    for name in ["tdlib", "tdesktop"] {
        let mut replay = Replay::of(name);
        replay.play();
        let frames = replay.frames();
        let behind = |sent: &Sent| {
            let declared = u32::from_le_bytes(sent.frame[16..20].try_into().unwrap()) as usize;
            assert_eq!(declared, sent.frame.len() - 20);
            declared - 20
        };
        let probes: Vec<_> = frames.iter().filter(|sent| is_probe(sent)).collect();
        assert!(probes.iter().any(|probe| behind(probe) > 64), "{name}");
        assert_eq!(
            replay.plain_answers().len(),
            frames.iter().filter(|sent| sent.is_plain()).count(),
            "{name}"
        );
    }
}

#[test]
fn u06_answers_with_msg_ids_that_are_1_modulo_4_and_exact_lengths() {
    for mut replay in every_recording() {
        replay.play();
        for answer in replay.plain_answers() {
            let message = PlainMessage::from_server(answer).unwrap();
            let is_exact = match Reader::new(message.body).peek_id().unwrap() {
                ResPq::CONSTRUCTOR => read_exact::<ResPq<'_>>(message.body).is_ok(),
                ServerDhParamsOk::CONSTRUCTOR => read_exact::<ServerDhParamsOk<'_>>(message.body).is_ok(),
                DhGenOk::CONSTRUCTOR => read_exact::<DhGenOk>(message.body).is_ok(),
                DhGenRetry::CONSTRUCTOR => read_exact::<DhGenRetry>(message.body).is_ok(),
                _ => false,
            };
            assert!(is_exact, "{message:?}");
        }
    }
}

/// Android's own ack, reconstructed, between the steps of a run of mtcute's.
#[test]
fn u07_swallows_plain_acks_between_the_steps() {
    let acks = Replay::of("android").frames();
    assert!(acks.iter().all(|ack| ack.constructor() == MsgsAck::CONSTRUCTOR) && acks.len() == 3);
    let mut replay = Replay::of("mtcute");
    let frames = replay.frames();
    let connection = replay.connect();
    for (step, ack) in frames[..3].iter().zip(&acks) {
        let heard = replay.say(connection, &step.frame);
        assert!(matches!(heard[..], [Heard::Plain(_)]), "{heard:?}");
        assert_eq!(replay.say(connection, &ack.frame), []);
    }
    assert_eq!(replay.keys_made().len(), 1);
    assert_eq!(complaints(&replay), []);
}

#[test]
fn u08_sends_pq_as_8_bytes_of_two_primes_of_31_bits() {
    for mut replay in every_recording() {
        replay.play();
        for m in replay.plain_answers().into_iter().filter_map(res_pq) {
            let pq = u64::from_be_bytes(m.pq.try_into().unwrap());
            assert!(pq >> 63 == 0 && pq >> 56 != 0, "{pq:016x}");
        }
        let frames = replay.frames();
        for query in of(&frames, ReqDhParams::CONSTRUCTOR) {
            let m = ReqDhParams::read(&mut Reader::new(&query.frame[20..])).unwrap();
            assert!([m.p, m.q].iter().all(|prime| prime.len() == 4 && prime[0] >> 6 == 1), "{m:?}");
        }
    }
}

/// Besides what every client sends: the same query with zeros in front of p and q, as nobody sends it.
#[test]
fn u09_compares_p_and_q_as_integers() {
    for leading in [0, 4] {
        let mut replay = Replay::of("pyrogram");
        let frames = replay.frames();
        let connection = replay.connect();
        replay.say(connection, &frames[0].frame);
        let m = ReqDhParams::read(&mut Reader::new(&frames[1].frame[20..])).unwrap();
        let wide = |prime: &[u8]| [vec![0; leading], prime.to_vec()].concat();
        let (p, q) = (wide(m.p), wide(m.q));
        let body = to_bytes(&ReqDhParams { p: &p, q: &q, ..m });
        let frame = dayfly_core::plain::write(0, &body);
        assert!(is_ok(&replay.say(connection, &frame), ServerDhParamsOk::CONSTRUCTOR), "{leading}");
        assert!(is_ok(&replay.say(connection, &frames[2].frame), DhGenOk::CONSTRUCTOR), "{leading}");
    }
}

#[test]
fn u10_takes_all_four_forms_of_inner_data() {
    let mut replay = Replay::of("ferogram");
    replay.play();
    let made = replay.keys_made();
    let forms: Vec<_> = made.iter().map(|(_, life, dc)| (*life == Lifetime::Permanent, *dc)).collect();
    assert_eq!(forms, [(true, 0), (false, 0), (true, 2), (false, 2)]);
    for (name, dc) in [("telethon", 0), ("gramjs", 0), ("gotd", 2)] {
        let mut replay = Replay::of(name);
        replay.play();
        assert!(replay.keys_made().iter().all(|(_, _, of)| *of == dc), "{name}");
    }
}

#[test]
fn u11_takes_each_form_of_the_dc_and_refuses_another_only_when_told_to() {
    let cases = [("mtcute", 2), ("mtcute-media", -2), ("mtcute-media-test", -10_002), ("tdlib-test", 10_001)];
    for (name, dc) in cases {
        let mut replay = Replay::of(name);
        replay.play();
        assert!(replay.keys_made().iter().any(|(_, _, of)| *of == dc), "{name}");
    }
    let strict = |served: i32| {
        let mut replay = Replay::with("mtcute-media", |_, config| {
            config.dc_policy = DcPolicy::Strict { served: [served].into(), test: false };
        });
        replay.play_until(|replay| replay.heard.iter().any(|(_, heard)| matches!(heard, Heard::Error(_))));
        (replay.keys_made().len(), replay.heard.last().cloned().unwrap().1)
    };
    assert_eq!(strict(4), (0, Heard::Error(-444)));
    assert_eq!(strict(2).0, 3);
}
