//! A back end in process: it answers later, or never, and sends updates.

use std::time::Duration;

use dayfly_client::{Client, InvokeError, MemorySession, RpcFailure};
use dayfly_core::env::Now;
use dayfly_server::{Answer, Edge, EdgeError, PushError, Recipient, Reply, Upstream, UpstreamCall};
use dayfly_tl::{api, to_bytes};
use grammers_tl_types::enums;
use grammers_tl_types::functions::help::GetNearestDc;
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use crate::support::{TestServer, client_config, within};

/// Hands each call, and the way back, to the test.
struct ByHand {
    edge: mpsc::UnboundedSender<Edge>,
    calls: mpsc::UnboundedSender<(UpstreamCall, Reply)>,
}

impl Upstream for ByHand {
    fn start(&mut self, edge: Edge) {
        self.edge.send(edge).unwrap();
    }

    fn call(&mut self, call: UpstreamCall, _: Now, reply: Reply) {
        // Fails only when the test is over: the call then gets its error.
        let _ = self.calls.send((call, reply));
    }
}

/// A server with a back end that the test plays, and a client of it.
struct Scene {
    server: TestServer,
    client: Client,
    edge: Edge,
    calls: mpsc::UnboundedReceiver<(UpstreamCall, Reply)>,
}

impl Scene {
    async fn set() -> Self {
        let ((edge, mut edges), (calls, taken)) = (mpsc::unbounded_channel(), mpsc::unbounded_channel());
        let server = TestServer::with_upstream(ByHand { edge, calls }).await;
        let connecting =
            Client::connect(server.address().to_string(), client_config(&server), MemorySession::default());
        let (client, _events) = within("the binding", connecting).await.unwrap();
        Self { client, edge: edges.recv().await.unwrap(), calls: taken, server }
    }

    /// Makes a call and leaves it running.
    fn ask(&self) -> tokio::task::JoinHandle<Result<Vec<u8>, InvokeError>> {
        let client = self.client.clone();
        tokio::spawn(async move { client.invoke_bytes(to_bytes(&api::HelpGetNearestDc {})).await })
    }

    async fn taken(&mut self) -> (UpstreamCall, Reply) {
        within("the call", self.calls.recv()).await.unwrap()
    }
}

fn some_update(number: i32) -> Vec<u8> {
    to_bytes(&api::NearestDc { country: b"ZZ", this_dc: number, nearest_dc: 2 })
}

#[tokio::test]
async fn calls_are_answered_later_and_in_any_order() {
    let mut scene = Scene::set().await;
    let (first, second) = (scene.ask(), scene.ask());
    let mut owed = [scene.taken().await, scene.taken().await];
    owed.sort_by_key(|(call, _)| std::cmp::Reverse(call.msg_id));
    for (call, reply) in owed {
        assert!(call.deadline > Duration::ZERO && call.layer.is_some(), "{call:?}");
        reply.answer(Answer::Result(some_update(1)));
    }
    for answered in [first, second] {
        assert_eq!(within("an answer", answered).await.unwrap().unwrap(), some_update(1));
    }
}

#[tokio::test]
async fn a_server_that_stops_waits_for_the_call_that_the_back_end_has() {
    let mut scene = Scene::set().await;
    let (address, asked) = (scene.server.address(), scene.ask());
    let (_, reply) = scene.taken().await;
    let stopping = tokio::spawn(scene.server.stop());
    let refused = async { while TcpStream::connect(address).await.is_ok() {} };
    within("the closing of the port", refused).await;
    assert!(!stopping.is_finished(), "it ended while a client was owed an answer");
    reply.answer(Answer::Result(some_update(1)));
    assert_eq!(within("the answer", asked).await.unwrap().unwrap(), some_update(1));
    within("the end of the server", stopping).await.unwrap();
}

#[tokio::test]
async fn a_call_that_the_back_end_drops_gets_an_error_with_a_name_and_harms_no_other() {
    let mut scene = Scene::set().await;
    let dropped = scene.ask();
    drop(scene.taken().await);
    let error = within("an answer", dropped).await.unwrap().unwrap_err();
    let InvokeError::Rpc(RpcFailure::Error { code, message }) = error else { panic!("{error}") };
    assert_eq!((code, &message[..]), (500, "BACKEND_GONE"));
    let next = scene.ask();
    scene.taken().await.1.answer(Answer::Result(some_update(1)));
    within("an answer", next).await.unwrap().unwrap();
}

#[tokio::test]
async fn updates_reach_the_client_in_their_order_and_the_back_end_knows_who_is_there() {
    let mut scene = Scene::set().await;
    let asked = scene.ask();
    let (call, reply) = scene.taken().await;
    reply.answer(Answer::Result(some_update(1)));
    within("an answer", asked).await.unwrap().unwrap();
    assert_eq!(scene.edge.connected(call.key).await, Ok(vec![call.session_id]));

    let mut updates = scene.client.updates();
    for number in 0..10 {
        let to = Recipient::Session(call.key, call.session_id);
        assert_eq!(scene.edge.push(to, some_update(number)).await, Ok(1));
    }
    for number in 0..10 {
        let update = within("an update", updates.next()).await.unwrap().unwrap();
        assert_eq!(*update, some_update(number));
    }
    let nonsense = scene.edge.push(Recipient::Key(call.key), vec![1, 2, 3]).await;
    assert_eq!(nonsense, Err(EdgeError::Push(PushError::Malformed { len: 3 })));
    scene.server.stop().await;
    assert_eq!(scene.edge.connected(call.key).await, Err(EdgeError::Ended));
}

#[tokio::test]
async fn any_request_is_invoked_and_one_that_is_given_up_harms_no_other() {
    let mut scene = Scene::set().await;
    let most = Duration::from_millis(1);
    let given_up = scene.client.invoke_within(&GetNearestDc {}, most).await;
    assert!(matches!(given_up, Err(InvokeError::Late(time)) if time == most), "{given_up:?}");

    let client = scene.client.clone();
    let next = tokio::spawn(async move { client.invoke(&GetNearestDc {}).await });
    // The one that was given up may have been on its way to the back end already, or not.
    let answering = tokio::spawn(async move {
        while let Some((_, reply)) = scene.calls.recv().await {
            reply.answer(Answer::Result(some_update(7)));
        }
    });
    let enums::NearestDc::Dc(answer) = within("an answer", next).await.unwrap().unwrap();
    assert_eq!(answer.this_dc, 7);
    answering.abort();
}
