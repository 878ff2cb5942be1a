//! A back end for dayfly in Rust: answers a few methods over gRPC, one of them later, and sends an update.
//!
//! What is said is in [`dayfly_backend_proto`], which a back end of your own can depend on too.
//!
//! | method | what it does |
//! | --- | --- |
//! | `help.getInviteText` | answers at once |
//! | `updates.getState` | says that it answers later, sends `updatesTooLong` to the key, answers when the outcome is there |
//! | `account.updateStatus` | answers with how many sessions of the key are connected: true if there are any |
//! | anything else | 400 `INPUT_METHOD_INVALID_` and the constructor |
#![forbid(unsafe_code)]

mod conversation;
pub mod tl;

use std::pin::Pin;

use futures_util::Stream;
use tokio::sync::mpsc;
use tonic::{Request, Response, Status, Streaming};

use crate::conversation::Conversation;
use dayfly_backend_proto::v1::backend_server::Backend;
use dayfly_backend_proto::v1::{FromEdge, ToEdge};

/// How many messages may wait for a dayfly that does not read.
const QUEUED: usize = 64;

/// The back end. Each stream of dayfly is a conversation of its own.
#[derive(Clone, Copy, Debug, Default)]
pub struct Example;

#[tonic::async_trait]
impl Backend for Example {
    type ServeStream = Pin<Box<dyn Stream<Item = Result<ToEdge, Status>> + Send>>;

    async fn serve(
        &self,
        request: Request<Streaming<FromEdge>>,
    ) -> Result<Response<Self::ServeStream>, Status> {
        let (say, mut said) = mpsc::channel(QUEUED);
        let conversation = Conversation::new(say.clone());
        tokio::spawn(async move {
            if let Err(status) = conversation.run(request.into_inner()).await {
                // Fails only when dayfly is gone, which then needs no reason.
                let _ = say.send(Err(status)).await;
            }
        });
        Ok(Response::new(Box::pin(futures_util::stream::poll_fn(move |context| said.poll_recv(context)))))
    }
}
