//! A back end in a process of its own, over gRPC: what it hears, what it may say, and what comes of what it should not.

mod faults;
mod questions;
mod tls;

use std::time::Duration;

use dayfly_backend_proto::v1::{Hello, KeyUse, Later, answer};
use dayfly_client::{Client, InvokeError, MemorySession, RpcFailure};
use dayfly_core::env::SecureRandom as _;
use dayfly_core::keys::kind::KeyKind;
use dayfly_server::{Backend, BackendAddress, BackendHealth, GrpcBackend, OsRandom, OwnAnswers};
use dayfly_testkit::watch::SecretWatcher;
use dayfly_tl::{api, to_bytes};
use prost::Message as _;
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::support::{
    A_DAY, BackendStream, HandClock, Talk, TestBackend, TestServer, client_config, peer_of, rpc_error,
    socket_in, within,
};

/// A server, a back end that the test plays, and a client.
struct Scene {
    server: TestServer,
    clock: HandClock,
    client: Client,
    backend: TestBackend,
    streams: Vec<BackendStream>,
    hellos: Vec<Hello>,
    health: BackendHealth,
    directory: TempDir,
}

/// How a call ended.
type Outcome = Result<Vec<u8>, (i32, String)>;

fn own_answers() -> OwnAnswers {
    OwnAnswers { address: "127.0.0.1:4430".parse().unwrap(), dc: 3, test: true, tmp_sessions: 1 }
}

/// A server whose calls go to the back end of `settings`, and by what its health is seen.
async fn server_with(settings: &Backend, clock: HandClock) -> (TestServer, BackendHealth) {
    let upstream = GrpcBackend::new(settings, own_answers()).unwrap();
    let health = upstream.health();
    (TestServer::with_upstream_and_clock(upstream, clock).await, health)
}

async fn client_of(server: &TestServer) -> Client {
    let connecting =
        Client::connect(server.address().to_string(), client_config(server), MemorySession::default());
    within("the binding", connecting).await.unwrap().0
}

/// Waits until so many streams take calls.
async fn until_open(health: &BackendHealth, streams: usize) {
    let opening = async {
        while health.open_streams() != streams {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    within(&format!("{streams} open streams"), opening).await;
}

/// Makes a call and leaves it running.
fn ask(client: &Client, body: &[u8]) -> JoinHandle<Result<Vec<u8>, InvokeError>> {
    let (client, body) = (client.clone(), body.to_vec());
    tokio::spawn(async move { client.invoke_bytes(body).await })
}

async fn outcome(asked: JoinHandle<Result<Vec<u8>, InvokeError>>) -> Outcome {
    within("an answer", asked).await.unwrap().map_err(|error| match error {
        InvokeError::Rpc(RpcFailure::Error { code, message }) => (code, message),
        other => panic!("{other}"),
    })
}

fn refused(code: i32, message: &str) -> Outcome {
    Err((code, message.to_owned()))
}

impl Scene {
    /// One stream, which takes calls.
    async fn set() -> Self {
        Self::with(|settings| settings.streams = 1).await
    }

    async fn with(change: impl FnOnce(&mut Backend)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut settings = Backend::at(BackendAddress::Unix(socket_in(&directory)));
        change(&mut settings);
        let clock = HandClock::default();
        let (server, health) = server_with(&settings, clock.clone()).await;
        // Before there is a back end: no stream waits, and may be given up, while keys are made.
        let client = client_of(&server).await;
        let mut backend = TestBackend::listen(&socket_in(&directory));
        let (mut streams, mut hellos) = (Vec::new(), Vec::new());
        for _ in 0..settings.streams {
            let (hello, stream) = backend.next_ready().await;
            hellos.push(hello);
            streams.push(stream);
        }
        until_open(&health, streams.len()).await;
        Self { server, clock, client, backend, streams, hellos, health, directory }
    }

    fn ask(&self, body: &[u8]) -> JoinHandle<Result<Vec<u8>, InvokeError>> {
        ask(&self.client, body)
    }

    fn stream(&mut self) -> &mut BackendStream {
        &mut self.streams[0]
    }

    /// Makes a call, which must reach the back end, and gives its number.
    async fn call(&mut self, body: &[u8]) -> (JoinHandle<Result<Vec<u8>, InvokeError>>, u64) {
        let asked = self.ask(body);
        let call = self.stream().hear_call().await;
        assert_eq!(call.body, body);
        (asked, call.number)
    }

    /// A call goes to the back end on the stream that there is, and its answer comes back.
    async fn is_served(&mut self) {
        let (asked, number) = self.call(&words(&[77])).await;
        self.stream().result(number, &words(&[78]));
        assert_eq!(outcome(asked).await, Ok(words(&[78])));
    }

    /// Waits until the stream has ended and takes the one that comes in its place.
    async fn is_redialled(&mut self) {
        while self.stream().try_hear().await.is_some() {}
        let (_, stream) = self.backend.next_ready().await;
        self.streams = vec![stream];
        until_open(&self.health, 1).await;
    }
}

/// So many words as TL has them; the first is a method that nobody knows.
fn words(arguments: &[u32]) -> Vec<u8> {
    let words = [0xfeed_0001].into_iter().chain(arguments.iter().copied());
    words.flat_map(u32::to_le_bytes).collect()
}

#[tokio::test]
async fn a_call_carries_who_asks_and_no_secret() {
    let mut scene = Scene::set().await;
    let mut peer = peer_of(&scene.server).await;
    let (perm, temp) = (peer.make_key(KeyKind::Perm).await, peer.make_key(A_DAY).await);
    let mut talk = Talk::under_temp(&temp, &peer);
    talk.bind(&perm, &mut peer).await.unwrap();
    talk.send(words(&[1, 2, 3]), &mut peer).await;

    let call = scene.stream().hear_call().await;
    assert_eq!((call.number, &call.body), (1, &words(&[1, 2, 3])));
    assert_eq!(format!("{:016x}", call.permanent_key), perm.key.id().to_string());
    assert_eq!((call.key_use(), call.session), (KeyUse::Bound, 0x1234_5678));
    assert_eq!((call.msg_id % 4, &call.peer_address[..], call.dc), (0, "127.0.0.1", 2));
    assert!((1..=30_000).contains(&call.deadline_ms), "{call:?}");
    let mut watcher = SecretWatcher::new();
    watcher.watch_for("permanent key", perm.key.expose());
    watcher.watch_for("temporary key", temp.key.expose());
    let message = call.encode_to_vec();
    assert_eq!(watcher.find(&message), []);
    assert!(message.windows(8).all(|piece| piece != temp.server_salt.to_le_bytes()), "the salt is in it");

    scene.stream().answer(1, answer::Answer::Error(error(406, "HERE_YOU_GO")));
    assert_eq!(talk.answer(&mut peer).await, Err(rpc_error(406, "HERE_YOU_GO")));
}

fn error(code: i32, message: &str) -> dayfly_backend_proto::v1::RpcError {
    dayfly_backend_proto::v1::RpcError { code, message: message.to_owned() }
}

#[tokio::test]
async fn the_layer_and_what_a_client_says_of_itself_come_with_every_call() {
    let mut scene = Scene::set().await;
    let told = client_config(&scene.server);
    for _ in 0..2 {
        let asked = scene.ask(&words(&[]));
        let call = scene.stream().hear_call().await;
        let info = call.client.unwrap();
        assert_eq!((call.layer, info.api_id), (Some(told.info.layer), told.info.api_id));
        assert_eq!(info.device_model, told.info.device_model);
        scene.stream().result(call.number, &words(&[]));
        outcome(asked).await.unwrap();
    }
    let hello = &scene.hellos[0];
    assert_eq!((hello.interface_version, hello.dc, hello.test), (1, 3, true));
    assert_eq!((hello.stream, hello.streams, hello.message_bytes), (0, 1, 4 << 20));
}

#[tokio::test]
async fn calls_are_answered_later_and_in_any_order() {
    let mut scene = Scene::set().await;
    let ((first, one), (second, two)) = (scene.call(&words(&[1])).await, scene.call(&words(&[2])).await);
    scene.stream().answer(one, answer::Answer::Later(Later {}));
    scene.stream().result(two, &words(&[20]));
    assert_eq!(outcome(second).await, Ok(words(&[20])));
    scene.stream().result(one, &words(&[10]));
    assert_eq!(outcome(first).await, Ok(words(&[10])));
}

#[tokio::test]
async fn calls_of_one_key_go_by_one_stream_in_their_order() {
    let mut scene = Scene::with(|settings| settings.streams = 4).await;
    let numbers: Vec<u32> = scene.hellos.iter().map(|hello| hello.stream).collect();
    assert_eq!(numbers.iter().copied().collect::<std::collections::BTreeSet<_>>().len(), 4, "{numbers:?}");
    let mut peer = peer_of(&scene.server).await;
    let (perm, temp) = (peer.make_key(KeyKind::Perm).await, peer.make_key(A_DAY).await);
    let mut talk = Talk::under_temp(&temp, &peer);
    talk.bind(&perm, &mut peer).await.unwrap();
    for number in 0..20 {
        talk.send(words(&[number]), &mut peer).await;
    }
    let stream = u32::try_from(u64::from_le_bytes(perm.key.id().to_wire()) % 4).unwrap();
    let at = numbers.iter().position(|number| *number == stream).unwrap();
    for number in 0..20 {
        let call = scene.streams[at].hear_call().await;
        assert_eq!((call.number, call.body), (u64::from(number) + 1, words(&[number])));
    }
}

#[tokio::test]
async fn the_config_is_the_servers_own_unless_the_back_end_takes_it() {
    let config = to_bytes(&api::HelpGetConfig {});
    let own = Scene::set().await;
    assert!(outcome(own.ask(&config)).await.is_ok());
    let mut taken = Scene::with(|settings| (settings.streams, settings.takes_config) = (1, true)).await;
    let (asked, number) = taken.call(&config).await;
    taken.stream().result(number, &words(&[]));
    assert_eq!(outcome(asked).await, Ok(words(&[])));
}

#[tokio::test]
async fn a_back_end_that_has_enough_to_do_is_given_no_more() {
    let limit = |settings: &mut Backend| {
        (settings.streams, settings.calls_in_flight, settings.calls_later) = (1, 2, 1)
    };
    let mut scene = Scene::with(limit).await;
    let (first, one) = scene.call(&words(&[1])).await;
    let (second, two) = scene.call(&words(&[2])).await;
    assert_eq!(outcome(scene.ask(&words(&[3]))).await, refused(420, "FLOOD_WAIT_1"));
    scene.stream().answer(one, answer::Answer::Later(Later {}));
    // Heard after the Later, so that this is taken by then.
    scene.stream().result(two, &words(&[20]));
    outcome(second).await.unwrap();
    let (fourth, four) = scene.call(&words(&[4])).await;
    let (fifth, five) = scene.call(&words(&[5])).await;
    assert_eq!(outcome(scene.ask(&words(&[6]))).await, refused(420, "FLOOD_WAIT_1"));
    for (asked, number) in [(first, one), (fourth, four), (fifth, five)] {
        scene.stream().result(number, &words(&[]));
        outcome(asked).await.unwrap();
    }
    assert_eq!(scene.health.waiting_calls(), 0);
}

#[tokio::test]
async fn a_back_end_that_does_not_read_costs_no_more_than_its_bound() {
    let limit = |settings: &mut Backend| {
        (settings.streams, settings.message_bytes, settings.queue_bytes) = (1, 65_536, 65_536);
    };
    let mut scene = Scene::with(limit).await;
    let mut long = words(&[]);
    long.resize(60_000, 0);
    // Not to be compressed on the way.
    OsRandom.fill_public(&mut long[4..]).unwrap();
    let mut asked = Vec::new();
    let refusal = loop {
        // One in the queue, the others in HTTP/2's window and in the socket.
        assert!(asked.len() < 200, "nothing was refused");
        let mut next = scene.ask(&long);
        tokio::select! {
            refusal = &mut next => break refusal.unwrap().unwrap_err(),
            () = until_waiting(&scene.health, asked.len() + 1) => asked.push(next),
        }
    };
    assert!(refusal.to_string().contains("FLOOD_WAIT_1"), "{refusal}");
    for asked in asked {
        let number = scene.stream().hear_call().await.number;
        scene.stream().result(number, &words(&[]));
        outcome(asked).await.unwrap();
    }
    scene.is_served().await;
}

async fn until_waiting(health: &BackendHealth, calls: usize) {
    while health.waiting_calls() != calls {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_call_that_is_too_long_is_refused_alone() {
    let mut scene = Scene::with(|settings| (settings.streams, settings.message_bytes) = (1, 65_536)).await;
    let mut long = words(&[]);
    long.resize(70_000, 0);
    assert_eq!(outcome(scene.ask(&long)).await, refused(400, "BACKEND_CALL_TOO_LONG"));
    scene.is_served().await;
}
