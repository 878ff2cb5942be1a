//! A lab with a back end behind it.

use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use dayfly_backend_proto::v1::backend_server::{Backend as Serves, BackendServer};
use dayfly_backend_proto::v1::{FromEdge, Ready, Revoke, ToEdge, from_edge, outcome, to_edge};
use dayfly_check::lab::{LabConfig, Manners, What};
use dayfly_client::{Client, InvokeError, RpcFailure};
use dayfly_core::server::Event;
use dayfly_example_backend::{Example, tl};
use dayfly_server::{Backend, BackendAddress};
use tempfile::TempDir;
use tokio::net::UnixListener;
use tokio::sync::mpsc;
use tonic::codegen::tokio_stream::Stream;
use tonic::codegen::tokio_stream::wrappers::{ReceiverStream, UnixListenerStream};
use tonic::transport::Server;
use tonic::{Request, Response, Status, Streaming};

use crate::{PATIENCE, Stage, config_of, stage_of};

/// A calm lab that looks for its back end at `backend.sock` in this directory, with a canned answer to a call that has none
/// otherwise.
async fn stage(directory: &TempDir) -> Stage {
    let settings = Backend::at(BackendAddress::Unix(directory.path().join("backend.sock")));
    let backend = Some(Backend { streams: 1, ..settings });
    let canned = [(CANNED, tl::boolean(false))].into();
    let config = LabConfig::new(1, dayfly_testkit::test_key());
    stage_of(LabConfig { manners: Manners::CALM, backend, canned, ..config }).await
}

const CANNED: u32 = tl::UPDATE_STATUS;

/// Serves calls at `backend.sock` until the runtime ends.
fn serve(directory: &Path, backend: impl Serves) {
    let listener = UnixListener::bind(directory.join("backend.sock")).unwrap();
    let incoming = UnixListenerStream::new(listener);
    tokio::spawn(Server::builder().serve_with_incoming(BackendServer::new(backend), incoming));
}

/// How a call of this method without parameters ends.
async fn ask(client: &Client, method: u32) -> Result<Vec<u8>, (i32, String)> {
    let asked = client.invoke_bytes(method.to_le_bytes().to_vec());
    let answered = tokio::time::timeout(PATIENCE, asked).await.expect("an answer in time");
    answered.map_err(|error| match error {
        InvokeError::Rpc(RpcFailure::Error { code, message }) => (code, message),
        other => panic!("{other}"),
    })
}

fn unavailable() -> Result<Vec<u8>, (i32, String)> {
    Err((500, "BACKEND_UNAVAILABLE".to_owned()))
}

/// The same once the back end takes calls, which it does soon.
async fn ask_when_ready(client: &Client, method: u32) -> Result<Vec<u8>, (i32, String)> {
    let asking = async {
        loop {
            let answered = ask(client, method).await;
            if answered != unavailable() {
                return answered;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, asking).await.expect("the back end is found")
}

fn from_backend(what: &What) -> Option<(u32, bool)> {
    if let What::BackEnd { method, error } = what { Some((*method, error.is_none())) } else { None }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_back_end_answers_what_is_not_canned_and_sends_updates() {
    let directory = tempfile::tempdir().unwrap();
    serve(directory.path(), Example);
    let mut stage = stage(&directory).await;
    let client = stage.connect().await;
    let mut updates = client.updates();
    let text = ask_when_ready(&client, tl::GET_INVITE_TEXT).await.unwrap();
    assert!(String::from_utf8_lossy(&text).contains("come here, as "), "{text:?}");
    assert_eq!(ask(&client, tl::GET_STATE).await, Ok(tl::state(1)));
    let update = tokio::time::timeout(PATIENCE, updates.next()).await.expect("an update").unwrap().unwrap();
    assert_eq!(*update, tl::updates_too_long());
    let refused = (400, "INPUT_METHOD_INVALID_feed0001".to_owned());
    assert_eq!(ask(&client, 0xfeed_0001).await, Err(refused));
    assert_eq!(ask(&client, CANNED).await, Ok(tl::boolean(false)), "the back end would say that it is true");
    assert_eq!(config_of(&client).await, 2, "the lab's own answer");

    let told = |what: &What| from_backend(what).filter(|(method, _)| *method == 0xfeed_0001);
    let ((_, well), events) = stage.until(told).await;
    let answered: Vec<_> = events.iter().filter_map(|event| from_backend(&event.what)).collect();
    assert!(!well && answered.contains(&(tl::GET_INVITE_TEXT, true)), "{answered:?}");
    let calls = events.iter().filter(|event| from_backend(&event.what).is_some());
    let mut connections = calls.map(|event| event.connection);
    assert!(connections.all(|connection| connection.is_some()), "of the connection of its call");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_back_end_that_is_away_is_told_by_name_and_found_when_it_comes() {
    let directory = tempfile::tempdir().unwrap();
    let stage = stage(&directory).await;
    let client = stage.connect().await;
    assert_eq!(ask(&client, tl::GET_INVITE_TEXT).await, unavailable());
    assert_eq!(ask(&client, CANNED).await, Ok(tl::boolean(false)));
    assert_eq!(config_of(&client).await, 2);
    serve(directory.path(), Example);
    assert!(ask_when_ready(&client, tl::GET_INVITE_TEXT).await.is_ok());
}

/// A back end that ends the key of whoever calls, and tells whether there was one.
struct Revoker(mpsc::UnboundedSender<outcome::Outcome>);

#[tonic::async_trait]
impl Serves for Revoker {
    type ServeStream = Pin<Box<dyn Stream<Item = Result<ToEdge, Status>> + Send>>;

    async fn serve(
        &self,
        heard: Request<Streaming<FromEdge>>,
    ) -> Result<Response<Self::ServeStream>, Status> {
        let (say, said) = mpsc::channel(8);
        let (mut heard, tell) = (heard.into_inner(), self.0.clone());
        tokio::spawn(async move {
            while let Ok(Some(FromEdge { message: Some(message) })) = heard.message().await {
                let answer = match message {
                    from_edge::Message::Hello(_) => {
                        to_edge::Message::Ready(Ready { interface_version: 1, name: "revoker".to_owned() })
                    }
                    from_edge::Message::Call(call) => {
                        to_edge::Message::Revoke(Revoke { number: call.number, key: call.permanent_key })
                    }
                    from_edge::Message::Outcome(outcome) => {
                        tell.send(outcome.outcome.unwrap()).unwrap();
                        continue;
                    }
                    from_edge::Message::Ping(_) => continue,
                };
                say.send(Ok(ToEdge { message: Some(answer) })).await.unwrap();
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(said))))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_back_end_may_end_the_key_of_a_caller() {
    let directory = tempfile::tempdir().unwrap();
    let (tell, mut outcomes) = mpsc::unbounded_channel();
    serve(directory.path(), Revoker(tell));
    let mut stage = stage(&directory).await;
    let client = stage.connect().await;
    let asking = tokio::spawn(async move { ask_when_ready(&client, tl::GET_STATE).await });
    let revoked = |what: &What| matches!(what, What::Server(Event::KeyRevoked { .. })).then_some(());
    stage.until(revoked).await;
    let outcome = tokio::time::timeout(PATIENCE, outcomes.recv()).await.expect("an outcome").unwrap();
    assert!(matches!(&outcome, outcome::Outcome::Revoked(revoked) if revoked.existed), "{outcome:?}");
    asking.abort();
}
