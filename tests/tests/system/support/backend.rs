//! A back end over gRPC that says what a test wants said, bytes that are no messages too.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};

use dayfly_backend_proto::v1::{
    Answer, Call, FromEdge, Hello, Pong, Ready, ToEdge, answer, from_edge, to_edge,
};
use futures_util::stream::{Stream, poll_fn};
use prost::Message as _;
use tokio::net::UnixListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tonic::codec::{Codec, EncodeBuf, Encoder};
use tonic::codegen::tokio_stream::wrappers::UnixListenerStream;
use tonic::codegen::{BoxFuture, Service, http};
use tonic::server::{Grpc, StreamingService};
use tonic::transport::Server;
use tonic::{Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;

use super::within;

/// A back end on a Unix socket.
pub(crate) struct TestBackend {
    streams: mpsc::UnboundedReceiver<BackendStream>,
    serving: JoinHandle<()>,
}

/// One stream of it.
pub(crate) struct BackendStream {
    heard: Streaming<FromEdge>,
    say: mpsc::UnboundedSender<Result<Vec<u8>, Status>>,
}

impl TestBackend {
    /// Listens on `path`; what lay there before is gone.
    pub(crate) fn listen(path: &Path) -> Self {
        // Left by the one before.
        let _ = std::fs::remove_file(path);
        let incoming = UnixListenerStream::new(UnixListener::bind(path).unwrap());
        let (taken, streams) = mpsc::unbounded_channel();
        let serving = tokio::spawn(async move {
            Server::builder().serve_with_incoming(Scripted { taken }, incoming).await.unwrap();
        });
        Self { streams, serving }
    }

    /// The next stream, as it begins.
    pub(crate) async fn next_stream(&mut self) -> BackendStream {
        within("a stream", self.streams.recv()).await.unwrap()
    }

    /// The next stream, after the greetings.
    pub(crate) async fn next_ready(&mut self) -> (Hello, BackendStream) {
        let mut stream = self.next_stream().await;
        let from_edge::Message::Hello(hello) = stream.hear().await else { panic!("no Hello") };
        stream.say(to_edge::Message::Ready(Ready { interface_version: 1, name: "a test".to_owned() }));
        (hello, stream)
    }

    /// Dies, with its streams.
    pub(crate) async fn die(&mut self, streams: Vec<BackendStream>) {
        self.serving.abort();
        // Cancelled, as it should be; from here on nobody listens.
        let _ = (&mut self.serving).await;
        drop(streams);
    }
}

impl BackendStream {
    /// The next message, after pings, which are answered; panics at the end of the stream.
    pub(crate) async fn hear(&mut self) -> from_edge::Message {
        loop {
            match self.try_hear().await.expect("a message, not the end of the stream") {
                from_edge::Message::Ping(_) => self.say(to_edge::Message::Pong(Pong {})),
                message => return message,
            }
        }
    }

    /// The next message, of whichever kind; `None` at the end of the stream, however it ends.
    pub(crate) async fn try_hear(&mut self) -> Option<from_edge::Message> {
        let heard = within("a message or the end of the stream", self.heard.message()).await;
        heard.ok().flatten().map(|message| message.message.expect("a message of version 1"))
    }

    pub(crate) async fn hear_call(&mut self) -> Call {
        match self.hear().await {
            from_edge::Message::Call(call) => call,
            other => panic!("expected a call, got {other:?}"),
        }
    }

    pub(crate) fn say(&self, message: to_edge::Message) {
        self.say_raw(ToEdge { message: Some(message) }.encode_to_vec());
    }

    pub(crate) fn answer(&self, call: u64, answer: answer::Answer) {
        self.say(to_edge::Message::Answer(Answer { call, answer: Some(answer) }));
    }

    /// Answers with a result.
    pub(crate) fn result(&self, call: u64, result: &[u8]) {
        self.answer(call, answer::Answer::Result(result.to_vec()));
    }

    /// Sends these bytes as a message. A stream that has ended takes none: tests look at what comes of it.
    pub(crate) fn say_raw(&self, bytes: Vec<u8>) {
        let _ = self.say.send(Ok(bytes));
    }

    /// Ends the stream with an error.
    pub(crate) fn fail(&self, status: Status) {
        let _ = self.say.send(Err(status));
    }
}

/// The service: hands every stream to the test.
#[derive(Clone)]
struct Scripted {
    taken: mpsc::UnboundedSender<BackendStream>,
}

type Said = Pin<Box<dyn Stream<Item = Result<Vec<u8>, Status>> + Send>>;

impl StreamingService<FromEdge> for Scripted {
    type Response = Vec<u8>;
    type ResponseStream = Said;
    type Future = BoxFuture<Response<Said>, Status>;

    fn call(&mut self, request: Request<Streaming<FromEdge>>) -> Self::Future {
        let (say, mut said) = mpsc::unbounded_channel();
        // Fails only when the test is over.
        let _ = self.taken.send(BackendStream { heard: request.into_inner(), say });
        let said: Said = Box::pin(poll_fn(move |context| said.poll_recv(context)));
        Box::pin(async move { Ok(Response::new(said)) })
    }
}

impl Service<http::Request<tonic::body::Body>> for Scripted {
    type Response = http::Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<tonic::body::Body>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move {
            assert_eq!(request.uri().path(), "/dayfly.backend.v1.Backend/Serve");
            Ok(Grpc::new(Bytes).streaming(service, request).await)
        })
    }
}

/// Reads messages, and writes bytes as they are.
struct Bytes;

impl Codec for Bytes {
    type Encode = Vec<u8>;
    type Decode = FromEdge;
    type Encoder = Self;
    type Decoder = <ProstCodec<ToEdge, FromEdge> as Codec>::Decoder;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self::Decoder {
        ProstCodec::<ToEdge, FromEdge>::default().decoder()
    }
}

impl Encoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        use prost::bytes::BufMut as _;
        buffer.put_slice(&item);
        Ok(())
    }
}

/// A path for a socket in a directory.
pub(crate) fn socket_in(directory: &tempfile::TempDir) -> PathBuf {
    directory.path().join("backend.sock")
}
