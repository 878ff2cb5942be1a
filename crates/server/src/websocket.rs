//! WebSocket messages as one stream of bytes: their borders mean nothing (rule TR-09).

use std::io;

use dayfly_core::server::ConnectionId;
use futures_util::{SinkExt as _, StreamExt as _};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::sync::mpsc;
use tokio::time;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Message};

use crate::connection::WRITE_STALLS;
use crate::engine::Command;
use crate::http::LAST_WORDS;
use crate::queue::{Incoming, ToConnection};

const READ_AT_ONCE: usize = 16 << 10;
/// What a message may hold beside one payload: its envelope and padding, and the init of the stream.
const BESIDE_PAYLOAD: usize = 4 << 10;

type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// Moves bytes between a WebSocket and the engine until either end is done with it.
pub(crate) async fn serve(
    io: TokioIo<Upgraded>,
    id: ConnectionId,
    engine: &mpsc::Sender<Command>,
    incoming: &mut Incoming,
    frame_bytes: usize,
) -> io::Result<()> {
    let mut socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(bounds(frame_bytes))).await;
    if engine.send(Command::WebSocket(id)).await.is_err() {
        return Ok(());
    }
    loop {
        tokio::select! {
            biased;
            told = incoming.recv() => match told {
                Some(ToConnection::Write(bytes)) => {
                    let len = bytes.len();
                    write(&mut socket, bytes).await?;
                    incoming.written(len);
                }
                // Responses are for requests; there are none any more.
                Some(ToConnection::Respond { .. }) => {}
                Some(ToConnection::Close) | None => return end(&mut socket).await,
            },
            message = socket.next() => match message.transpose().map_err(into_io)? {
                Some(Message::Binary(bytes)) => {
                    if engine.send(Command::Bytes(id, bytes.into())).await.is_err() {
                        return Ok(());
                    }
                }
                // Answered by the library, with the next look at the socket.
                Some(Message::Ping(_) | Message::Pong(_) | Message::Close(_)) => {}
                Some(Message::Text(_) | Message::Frame(_)) => return end(&mut socket).await,
                None => return Ok(()),
            }
        }
    }
}

/// No message is larger than what is read at once, or than a payload with all that may stand around it.
fn bounds(frame_bytes: usize) -> WebSocketConfig {
    let most = frame_bytes.saturating_add(BESIDE_PAYLOAD);
    WebSocketConfig::default()
        .read_buffer_size(READ_AT_ONCE)
        .write_buffer_size(0)
        .max_message_size(Some(most))
        .max_frame_size(Some(most))
}

async fn write(socket: &mut Socket, bytes: Vec<u8>) -> io::Result<()> {
    let stalled = |_| io::Error::new(io::ErrorKind::TimedOut, "the peer does not read");
    time::timeout(WRITE_STALLS, socket.send(Message::binary(bytes))).await.map_err(stalled)?.map_err(into_io)
}

/// Closes from our side, and waits a little for the other one to agree. The code is 1000 whatever happened.
///
/// Source: Transports, "WebSocket".
async fn end(socket: &mut Socket) -> io::Result<()> {
    let farewell = async {
        let normal = CloseFrame { code: CloseCode::Normal, reason: "".into() };
        socket.close(Some(normal)).await.map_err(into_io)?;
        while let Some(Ok(_)) = socket.next().await {}
        Ok(())
    };
    // Who does not answer in time is left.
    time::timeout(LAST_WORDS, farewell).await.unwrap_or(Ok(()))
}

fn into_io(error: tungstenite::Error) -> io::Error {
    match error {
        tungstenite::Error::Io(error) => error,
        other => io::Error::other(other),
    }
}
