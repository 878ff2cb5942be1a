//! Back ends that hang, answer garbage, answer twice, or die: errors with names, and no other call is harmed.

use dayfly_backend_proto::v1::{Answer, Later, Ready, answer, from_edge, to_edge};
use tonic::Status;

use super::{Scene, error, outcome, refused, until_open, words};
use crate::support::{TestBackend, socket_in};

#[tokio::test]
async fn a_call_that_hangs_times_out_alone_and_its_late_answer_is_passed_over() {
    let mut scene = Scene::set().await;
    let (hangs, number) = scene.call(&words(&[1])).await;
    scene.is_served().await;
    scene.clock.advance(31);
    assert_eq!(outcome(hangs).await, refused(500, "BACKEND_TIMEOUT"));
    scene.stream().result(number, &words(&[2]));
    scene.is_served().await;
}

#[tokio::test]
async fn a_back_end_that_hangs_as_a_whole_is_pinged_and_then_given_up() {
    let mut scene = Scene::with(|settings| (settings.streams, settings.silence_seconds) = (1, 6)).await;
    let asked = scene.ask(&words(&[1]));
    let mut pinged = false;
    while let Some(message) = scene.stream().try_hear().await {
        pinged |= matches!(message, from_edge::Message::Ping(_));
    }
    assert!(pinged);
    assert_eq!(outcome(asked).await, refused(500, "BACKEND_GONE"));
    scene.is_redialled().await;
    scene.is_served().await;
}

/// Something that a back end does, by its name.
type Breach = (&'static str, fn(&Scene));

/// What no back end says, and what ends its stream.
fn breaches() -> [Breach; 7] {
    [
        ("bytes that are no message", |scene| scene.streams[0].say_raw(vec![0xff; 100])),
        ("a message that is too long", |scene| scene.streams[0].say_raw(vec![0; (4 << 20) + 1])),
        ("an answer to no call", |scene| scene.streams[0].result(1000, &words(&[]))),
        ("a Later to no call", |scene| scene.streams[0].answer(0, answer::Answer::Later(Later {}))),
        ("Ready again", |scene| scene.streams[0].say(to_edge::Message::Ready(Ready::default()))),
        ("an error of gRPC", |scene| scene.streams[0].fail(Status::internal("no \u{1b}[2J reason"))),
        ("more than a stream's end", |scene| scene.streams[0].fail(Status::ok(""))),
    ]
}

#[tokio::test]
async fn a_stream_that_is_broken_is_closed_and_opened_again() {
    for (what, breach) in breaches() {
        let mut scene = Scene::set().await;
        let (asked, _) = scene.call(&words(&[1])).await;
        breach(&scene);
        scene.is_redialled().await;
        assert_eq!(outcome(asked).await, refused(500, "BACKEND_GONE"), "{what}");
        scene.is_served().await;
    }
}

#[tokio::test]
async fn a_back_end_that_does_not_greet_gets_no_calls() {
    let mut scene = Scene::set().await;
    scene.streams[0].fail(Status::ok(""));
    let wrong = [
        to_edge::Message::Answer(Answer::default()),
        to_edge::Message::Ready(Ready { interface_version: 0, name: String::new() }),
    ];
    for first in wrong {
        let mut stream = scene.backend.next_stream().await;
        assert!(matches!(stream.hear().await, from_edge::Message::Hello(_)));
        assert_eq!(scene.health.open_streams(), 0);
        assert_eq!(outcome(scene.ask(&words(&[]))).await, refused(500, "BACKEND_UNAVAILABLE"));
        stream.say(first);
        assert!(stream.try_hear().await.is_none());
    }
    let (_, stream) = scene.backend.next_ready().await;
    scene.streams = vec![stream];
    until_open(&scene.health, 1).await;
    scene.is_served().await;
}

#[tokio::test]
async fn an_answer_that_is_none_becomes_an_error_with_a_name_and_the_stream_stays() {
    let mut scene = Scene::set().await;
    let long = vec![0; (2 << 20) + 4];
    let cases = [
        (Some(answer::Answer::Result(vec![1, 2, 3])), "BACKEND_RESULT_MALFORMED"),
        (Some(answer::Answer::Result(Vec::new())), "BACKEND_RESULT_MALFORMED"),
        (Some(answer::Answer::Result(long)), "BACKEND_RESULT_TOO_LONG"),
        (Some(answer::Answer::Error(error(0, "NO_CODE"))), "BACKEND_RESULT_MALFORMED"),
        (Some(answer::Answer::Error(error(400, ""))), "BACKEND_RESULT_MALFORMED"),
        (Some(answer::Answer::Error(error(400, &"X".repeat(256)))), "BACKEND_RESULT_MALFORMED"),
        (None, "BACKEND_RESULT_MALFORMED"),
    ];
    let (other, number) = scene.call(&words(&[1])).await;
    for (answer, name) in cases {
        let (asked, call) = scene.call(&words(&[2])).await;
        scene.stream().say(to_edge::Message::Answer(Answer { call, answer }));
        assert_eq!(outcome(asked).await, refused(500, name));
    }
    scene.stream().result(number, &words(&[10]));
    assert_eq!(outcome(other).await, Ok(words(&[10])));
}

#[tokio::test]
async fn a_second_answer_and_what_nobody_knows_are_passed_over() {
    let mut scene = Scene::set().await;
    let (other, number) = scene.call(&words(&[1])).await;
    let (asked, twice) = scene.call(&words(&[2])).await;
    scene.stream().result(twice, &words(&[20]));
    scene.stream().result(twice, &words(&[21]));
    scene.stream().answer(twice, answer::Answer::Later(Later {}));
    // A field of a later version, and nothing at all.
    scene.stream().say_raw(vec![0xba, 0x06, 0x00]);
    scene.stream().say_raw(Vec::new());
    assert_eq!(outcome(asked).await, Ok(words(&[20])));
    scene.stream().result(number, &words(&[10]));
    assert_eq!(outcome(other).await, Ok(words(&[10])));
    scene.is_served().await;
}

#[tokio::test]
async fn a_dead_back_end_costs_calls_and_no_session() {
    let mut scene = Scene::set().await;
    let asked = scene.ask(&words(&[1]));
    let before = scene.stream().hear_call().await;
    scene.backend.die(std::mem::take(&mut scene.streams)).await;
    assert_eq!(outcome(asked).await, refused(500, "BACKEND_GONE"));
    until_open(&scene.health, 0).await;
    assert_eq!(outcome(scene.ask(&words(&[2]))).await, refused(500, "BACKEND_UNAVAILABLE"));

    scene.backend = TestBackend::listen(&socket_in(&scene.directory));
    let (_, stream) = scene.backend.next_ready().await;
    scene.streams = vec![stream];
    until_open(&scene.health, 1).await;
    let asked = scene.ask(&words(&[3]));
    let after = scene.stream().hear_call().await;
    assert_eq!((after.permanent_key, after.session), (before.permanent_key, before.session));
    assert!(after.number == 1 && after.msg_id > before.msg_id);
    scene.stream().result(1, &words(&[]));
    outcome(asked).await.unwrap();
    let told = scene.server.stop().await;
    assert_eq!(told.iter().filter(|event| event["event"] == "bound").count(), 1);
}

#[tokio::test]
async fn one_stream_that_breaks_harms_no_call_of_another() {
    let mut scene = Scene::with(|settings| settings.streams = 2).await;
    let asked = scene.ask(&words(&[1]));
    let [left, right] = &mut scene.streams[..] else { panic!("two streams") };
    let (number, mine, other) = tokio::select! {
        call = left.hear_call() => (call.number, 0, 1),
        call = right.hear_call() => (call.number, 1, 0),
    };
    scene.streams[other].say_raw(vec![0xff; 100]);
    while scene.streams[other].try_hear().await.is_some() {}
    scene.streams[mine].result(number, &words(&[10]));
    assert_eq!(outcome(asked).await, Ok(words(&[10])));
}
