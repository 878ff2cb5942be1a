//! The task of one stream: dials, converses until something ends it, and dials again.

use std::error::Error as _;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use dayfly_core::env::SecureRandom as _;
use dayfly_store::OsRandom;
use tokio::sync::mpsc;
use tokio::time::{self, Instant};
use tonic::Streaming;

use super::backoff::Backoff;
use super::calls::Unawaited;
use super::complaints::{Complaints, quoted};
use super::dial::Dialer;
use super::lane::Lane;
use super::messages;
use super::proto::backend_client::BackendClient;
use super::proto::{Answer, FromEdge, Hello, Ping, Ready, ToEdge, answer, from_edge, to_edge};
use super::questions::{self, Desk};
use crate::upstream::{Edge, EdgeError};

/// How long a back end may take to say that it is ready, and to read what its questions were answered with.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often calls whose time is over are looked for. Their clients were told by then.
const LOOK_AT_DEADLINES: Duration = Duration::from_secs(1);

/// Why a stream ended or never stood.
#[derive(Debug, thiserror::Error)]
pub(super) enum Ended {
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    #[error("was not ready within {} s", PATIENCE.as_secs())]
    NotReady,
    #[error("began with something else than Ready")]
    NoGreeting,
    #[error("is ready for a second time")]
    ReadyTwice,
    #[error("answered call {0}, which was never made")]
    NeverAsked(u64),
    #[error("said nothing for {} s, though it was asked to", .0.as_secs())]
    Silent(Duration),
    #[error("asks without reading the outcomes")]
    ReadsNothing,
    #[error("ended the stream")]
    Closed,
    #[error("broke the stream: {0}")]
    Broken(String),
    #[error(transparent)]
    Shutdown(#[from] EdgeError),
}

/// One stream.
pub(super) struct Stream {
    pub(super) lane: Arc<Lane>,
    pub(super) dialer: Dialer,
    pub(super) edge: Edge,
    pub(super) hello: Hello,
    /// How long the back end may say nothing.
    pub(super) silence: Duration,
}

impl Stream {
    /// Dials and converses, again and again, until the server ends.
    pub(super) async fn run(self) {
        let mut complaints = Complaints::new(self.hello.stream);
        let mut backoff = Backoff::default();
        loop {
            let mut stood_since = None;
            let ended = self.converse(&mut complaints, &mut stood_since).await;
            self.lane.close();
            if matches!(ended, Ended::Shutdown(_)) {
                return;
            }
            complaints.warn(&ended);
            let stood = stood_since.map_or(Duration::ZERO, |since: Instant| since.elapsed());
            time::sleep(backoff.pause(stood, random())).await;
        }
    }

    /// One conversation, from its first message to what ended it. Sets `stood_since` once calls are taken.
    async fn converse(&self, complaints: &mut Complaints, stood_since: &mut Option<Instant>) -> Ended {
        let (outgoing, queue) = self.lane.queue();
        let queued = queue.queued();
        let hello = FromEdge { message: Some(from_edge::Message::Hello(self.hello.clone())) };
        // There is room: it is the first.
        let _ = outgoing.try_send(hello);
        let opening = self.open(queue);
        let (mut incoming, ready) = match time::timeout(PATIENCE, opening).await {
            Ok(Ok(opened)) => opened,
            Ok(Err(ended)) => return ended,
            Err(_) => return Ended::NotReady,
        };
        *stood_since = Some(Instant::now());
        let (stream, name) = (self.hello.stream, quoted(&ready.name));
        tracing::info!(stream, name, version = ready.interface_version, "the back end takes calls");
        self.lane.open(outgoing.clone(), queued);
        let (desk, owed) = questions::desk(self.edge.clone());
        let told = questions::tell(owed, outgoing.clone(), PATIENCE);
        let mut conversation = Conversation { stream: self, outgoing, desk, complaints };
        let ended = tokio::select! {
            ended = conversation.hear(&mut incoming) => ended,
            ended = told => ended,
        };
        ended.unwrap_or_else(|ended| ended)
    }

    /// Dials, and waits for the first message.
    async fn open(&self, queue: super::lane::Outgoing) -> Result<(Streaming<ToEdge>, Ready), Ended> {
        let channel = self.dialer.dial().await.map_err(|error| Ended::Unreachable(causes(&error)))?;
        let bytes = usize::try_from(self.hello.message_bytes).unwrap_or(usize::MAX);
        let mut client =
            BackendClient::new(channel).max_decoding_message_size(bytes).max_encoding_message_size(bytes);
        let mut incoming = client.serve(queue).await.map_err(broken)?.into_inner();
        match next(&mut incoming).await?.message {
            Some(to_edge::Message::Ready(ready)) if ready.interface_version > 0 => Ok((incoming, ready)),
            _ => Err(Ended::NoGreeting),
        }
    }
}

/// A stream that stands.
struct Conversation<'a> {
    stream: &'a Stream,
    outgoing: mpsc::Sender<FromEdge>,
    desk: Desk,
    complaints: &'a mut Complaints,
}

impl Conversation<'_> {
    /// Takes what the back end says, and watches over time, until something ends the stream.
    async fn hear(&mut self, incoming: &mut Streaming<ToEdge>) -> Result<Ended, Ended> {
        let mut deadlines = time::interval(LOOK_AT_DEADLINES);
        let mut heard = Instant::now();
        let mut pinged = false;
        loop {
            let allowed = if pinged { self.stream.silence } else { self.stream.silence / 2 };
            let silence = pin!(time::sleep_until(heard + allowed));
            tokio::select! {
                message = next(incoming) => {
                    (heard, pinged) = (Instant::now(), false);
                    self.take(message?).await?;
                }
                _ = deadlines.tick() => self.stream.lane.expire(Instant::now()),
                () = silence => {
                    if pinged {
                        return Err(Ended::Silent(self.stream.silence));
                    }
                    pinged = true;
                    // A queue without room is one that the back end does not read: the ping would not reach it either.
                    let _ = self.outgoing.try_send(FromEdge { message: Some(from_edge::Message::Ping(Ping {})) });
                }
            }
        }
    }

    async fn take(&mut self, message: ToEdge) -> Result<(), Ended> {
        match message.message {
            Some(to_edge::Message::Answer(answer)) => self.take_answer(answer),
            Some(to_edge::Message::Push(push)) => self.desk.push(push).await,
            Some(to_edge::Message::WhoIsConnected(question)) => self.desk.who_is_connected(question).await,
            Some(to_edge::Message::Revoke(revoke)) => self.desk.revoke(revoke).await,
            Some(to_edge::Message::Pong(_)) => Ok(()),
            Some(to_edge::Message::Ready(_)) => Err(Ended::ReadyTwice),
            None => {
                self.complaints.warn("said something that is not in version 1 of the interface");
                Ok(())
            }
        }
    }

    fn take_answer(&mut self, Answer { call, answer }: Answer) -> Result<(), Ended> {
        let taken = match answer {
            Some(answer::Answer::Later(_)) => self.stream.lane.postpone(call),
            said => {
                let told = said.and_then(messages::told).unwrap_or_else(|| {
                    self.complaints
                        .warn(format_args!("answered call {call} with neither a result nor an error"));
                    messages::error(500, "BACKEND_RESULT_MALFORMED")
                });
                self.stream.lane.answer(call, told)
            }
        };
        match taken {
            Ok(()) => {}
            Err(Unawaited::Twice) => drop(self.complaints.warn(format_args!("answered call {call} twice"))),
            Err(Unawaited::Late) => drop(self.complaints.warn(format_args!("answered call {call} too late"))),
            Err(Unawaited::NeverAsked) => return Err(Ended::NeverAsked(call)),
        }
        Ok(())
    }
}

/// The next message.
async fn next(incoming: &mut Streaming<ToEdge>) -> Result<ToEdge, Ended> {
    incoming.message().await.map_err(broken)?.ok_or(Ended::Closed)
}

fn broken(status: tonic::Status) -> Ended {
    Ended::Broken(format!("{:?} {}", status.code(), quoted(status.message())))
}

/// An error and what it came from: tonic says no more than "transport error" itself.
fn causes(error: &tonic::transport::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

/// Spreads the pauses. Without randomness they are at their longest.
fn random() -> u32 {
    let mut bytes = [0xff; 4];
    match OsRandom.fill_public(&mut bytes) {
        Ok(()) => u32::from_le_bytes(bytes),
        Err(_) => u32::MAX,
    }
}
