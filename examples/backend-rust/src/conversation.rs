use std::collections::BTreeMap;

use tokio::sync::mpsc;
use tonic::{Status, Streaming};

use crate::tl;
use dayfly_backend_proto::v1::{
    Answer, Call, FromEdge, Later, Outcome, Pong, Push, Ready, RpcError, ToEdge, WhoIsConnected, answer,
    from_edge, outcome, to_edge,
};

/// What is said on one stream, one thing after another.
///
/// Everything here is quick. A back end that has to wait for something, a database perhaps, spawns a task with a clone of
/// `say` for that call, and goes on reading meanwhile.
pub(crate) struct Conversation {
    say: mpsc::Sender<Result<ToEdge, Status>>,
    /// The number of the next question.
    next: u64,
    /// The calls that wait for the outcome of a question.
    waiting: BTreeMap<u64, u64>,
}

/// dayfly is gone.
struct Gone;

impl Conversation {
    pub(crate) fn new(say: mpsc::Sender<Result<ToEdge, Status>>) -> Self {
        Self { say, next: 1, waiting: BTreeMap::new() }
    }

    /// Runs until dayfly ends the stream, or breaks it.
    pub(crate) async fn run(mut self, mut heard: Streaming<FromEdge>) -> Result<(), Status> {
        while let Some(message) = heard.message().await? {
            let done = match message.message {
                Some(from_edge::Message::Hello(_)) => self.greet().await,
                Some(from_edge::Message::Call(call)) => self.on_call(call).await,
                Some(from_edge::Message::Outcome(outcome)) => self.on_outcome(outcome).await,
                Some(from_edge::Message::Ping(_)) => self.say(to_edge::Message::Pong(Pong {})).await,
                // Something of a later version, which we do not need.
                None => Ok(()),
            };
            if done.is_err() {
                break;
            }
        }
        Ok(())
    }

    async fn greet(&self) -> Result<(), Gone> {
        let ready = Ready { interface_version: 1, name: "example in Rust".to_owned() };
        self.say(to_edge::Message::Ready(ready)).await
    }

    async fn on_call(&mut self, call: Call) -> Result<(), Gone> {
        match tl::method_of(&call.body) {
            tl::GET_INVITE_TEXT => {
                let device = call.client.map_or("an unknown device".to_owned(), |client| client.device_model);
                let text = tl::invite_text(&format!("come here, as {device} did"));
                self.answer(call.number, answer::Answer::Result(text)).await
            }
            tl::GET_STATE => {
                self.answer(call.number, answer::Answer::Later(Later {})).await?;
                let number = self.question(call.number);
                let (permanent_key, update) = (call.permanent_key, tl::updates_too_long());
                self.say(to_edge::Message::Push(Push { number, permanent_key, session: None, update })).await
            }
            tl::UPDATE_STATUS => {
                let (number, permanent_key) = (self.question(call.number), call.permanent_key);
                self.say(to_edge::Message::WhoIsConnected(WhoIsConnected { number, permanent_key })).await
            }
            method => {
                let message = format!("INPUT_METHOD_INVALID_{method:08x}");
                self.answer(call.number, answer::Answer::Error(RpcError { code: 400, message })).await
            }
        }
    }

    /// Answers the call that waited for this.
    async fn on_outcome(&mut self, Outcome { number, outcome }: Outcome) -> Result<(), Gone> {
        let Some(call) = self.waiting.remove(&number) else { return Ok(()) };
        let answer = match outcome {
            Some(outcome::Outcome::Pushed(pushed)) => answer::Answer::Result(tl::state(pushed.sessions)),
            Some(outcome::Outcome::Connected(connected)) => {
                answer::Answer::Result(tl::boolean(!connected.sessions.is_empty()))
            }
            _ => answer::Answer::Error(RpcError { code: 500, message: "QUESTION_REFUSED".to_owned() }),
        };
        self.answer(call, answer).await
    }

    /// The number of a question whose outcome answers `call`.
    fn question(&mut self, call: u64) -> u64 {
        let number = self.next;
        self.next += 1;
        self.waiting.insert(number, call);
        number
    }

    async fn answer(&self, call: u64, answer: answer::Answer) -> Result<(), Gone> {
        self.say(to_edge::Message::Answer(Answer { call, answer: Some(answer) })).await
    }

    async fn say(&self, message: to_edge::Message) -> Result<(), Gone> {
        self.say.send(Ok(ToEdge { message: Some(message) })).await.map_err(|_| Gone)
    }
}
