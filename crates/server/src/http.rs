//! HTTP/1.1 on a connection: what clients post goes to the engine, what the engine answers is the response, and a
//! WebSocket opens here (rules TR-07, TR-09).

use std::io::{self, Cursor};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64ct::{Base64, Encoding as _};
use dayfly_core::server::ConnectionId;
use dayfly_crypto::holds;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming as Body};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use sha1::{Digest as _, Sha1};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::sync::{mpsc, oneshot};
use tokio::time;

use crate::engine::Command;
use crate::queue::{Incoming, ToConnection};

/// How long a request's head may take, and how long a connection may stay between two requests.
const HEAD_WAITS: Duration = Duration::from_secs(90);
/// How long a request's body may take.
const BODY_WAITS: Duration = Duration::from_secs(60);
/// How long a connection that is being closed may take to read its last response.
pub(crate) const LAST_WORDS: Duration = Duration::from_secs(5);
/// The largest head of a request, and what is read ahead.
const MOST_BUFFERED: usize = 16 << 10;
const MOST_HEADERS: usize = 64;

/// What every WebSocket server appends to the client's key. Source: RFC 6455, 1.3.
const WEBSOCKET_GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// The subprotocol that clients ask for.
const SUBPROTOCOL: &str = "binary";

type Reply = Response<Full<Bytes>>;

/// Serves HTTP on a stream of which `begun` was read already, until either end is done with it. Gives the WebSocket if
/// one was opened.
pub(crate) async fn serve<S>(
    stream: S,
    begun: Vec<u8>,
    desk: Desk,
    incoming: &mut Incoming,
) -> io::Result<Option<TokioIo<Upgraded>>>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let io = TokioIo::new(with_begun(stream, begun));
    let desk = Arc::new(desk);
    let service = service_fn(|request| Arc::clone(&desk).serve(request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WAITS)
        .max_headers(MOST_HEADERS)
        .max_buf_size(MOST_BUFFERED)
        .serve_connection(io, service)
        .with_upgrades();
    let mut connection = pin!(connection);
    loop {
        tokio::select! {
            biased;
            told = incoming.recv() => match told {
                Some(ToConnection::Respond { status, body }) => desk.respond(status, body),
                // Bytes are for streams; there is none before the WebSocket is open.
                Some(ToConnection::Write(_)) => {}
                Some(ToConnection::Close) | None => {
                    desk.let_go();
                    connection.as_mut().graceful_shutdown();
                    // Whoever takes longer to read it loses it.
                    let _ = time::timeout(LAST_WORDS, connection).await;
                    return Ok(None);
                }
            },
            ended = connection.as_mut() => {
                ended.map_err(io::Error::other)?;
                break;
            }
        }
    }
    let Some(upgrade) = desk.take_upgrade() else { return Ok(None) };
    Ok(Some(TokioIo::new(upgrade.await.map_err(io::Error::other)?)))
}

/// A stream of which `begun` was read already, as if it were not.
pub(crate) fn with_begun<S>(stream: S, begun: Vec<u8>) -> impl AsyncRead + AsyncWrite + Send + Unpin + use<S>
where
    S: AsyncRead + AsyncWrite + Send + Unpin,
{
    let (reader, writer) = tokio::io::split(stream);
    tokio::io::join(Cursor::new(begun).chain(reader), writer)
}

/// What the requests of one connection share.
pub(crate) struct Desk {
    id: ConnectionId,
    engine: mpsc::Sender<Command>,
    most: usize,
    /// Waits for the response to the request that the engine has.
    waiting: Mutex<Option<oneshot::Sender<Answer>>>,
    upgrade: Mutex<Option<OnUpgrade>>,
}

/// What the engine answers to a request.
struct Answer {
    status: u16,
    packet: Vec<u8>,
}

/// The engine closes the connection without a response.
#[derive(Debug, thiserror::Error)]
#[error("closed without a response")]
struct Gone;

impl Desk {
    /// For bodies of at most `most` bytes.
    pub(crate) fn new(id: ConnectionId, engine: mpsc::Sender<Command>, most: usize) -> Self {
        Self { id, engine, most, waiting: Mutex::default(), upgrade: Mutex::default() }
    }

    async fn serve(self: Arc<Self>, request: Request<Body>) -> Result<Reply, Gone> {
        let path = request.uri().path();
        // Test servers are told from others by their keys and by `dc`, not by the path.
        let path = path.strip_suffix("_test").unwrap_or(path);
        match (request.method(), path) {
            (&Method::POST, "/api") => self.packet(request).await,
            (&Method::POST, "/apiw") => self.packet(request).await.map(for_browsers),
            (&Method::OPTIONS, "/apiw") => Ok(preflight()),
            (&Method::GET, "/apiws") => Ok(self.open_websocket(request)),
            (_, "/api") => Ok(not_allowed("POST")),
            (_, "/apiw") => Ok(not_allowed("POST, OPTIONS")),
            (_, "/apiws") => Ok(not_allowed("GET")),
            _ => Ok(sentence(StatusCode::NOT_FOUND, "There is nothing here but /api, /apiw and /apiws.")),
        }
    }

    /// One packet a request, one a response (rule TR-07).
    async fn packet(&self, request: Request<Body>) -> Result<Reply, Gone> {
        let body = Limited::new(request.into_body(), self.most).collect();
        let body = match time::timeout(BODY_WAITS, body).await {
            Ok(Ok(body)) => body.to_bytes(),
            Ok(Err(error)) if error.is::<LengthLimitError>() => {
                return Ok(last(sentence(StatusCode::PAYLOAD_TOO_LARGE, "The packet is too long.")));
            }
            Ok(Err(_)) => return Ok(last(sentence(StatusCode::BAD_REQUEST, "The body is not whole."))),
            Err(_) => return Ok(last(sentence(StatusCode::REQUEST_TIMEOUT, "The body took too long."))),
        };
        let Answer { status, packet } = self.ask(body.into()).await.ok_or(Gone)?;
        let mut reply = Response::new(Full::from(packet));
        *reply.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        set(&mut reply, header::CONTENT_TYPE, "application/octet-stream");
        Ok(reply)
    }

    /// `None` if the connection is to be closed.
    async fn ask(&self, body: Vec<u8>) -> Option<Answer> {
        let (sender, response) = oneshot::channel();
        *held(&self.waiting) = Some(sender);
        self.engine.send(Command::Request(self.id, body)).await.ok()?;
        response.await.ok()
    }

    fn respond(&self, status: u16, packet: Vec<u8>) {
        if let Some(waiting) = held(&self.waiting).take() {
            // Whoever asked may have gone away meanwhile.
            let _ = waiting.send(Answer { status, packet });
        }
    }

    /// Whoever waits for a response gets none.
    fn let_go(&self) {
        held(&self.waiting).take();
    }

    fn take_upgrade(&self) -> Option<OnUpgrade> {
        held(&self.upgrade).take()
    }

    /// Source: RFC 6455, 4.2.
    fn open_websocket(&self, mut request: Request<Body>) -> Reply {
        let key = match websocket_key(request.headers()) {
            Ok(key) => key,
            Err(refused) => {
                let mut reply = sentence(StatusCode::BAD_REQUEST, refused);
                set(&mut reply, header::SEC_WEBSOCKET_VERSION, "13");
                return reply;
            }
        };
        *held(&self.upgrade) = Some(hyper::upgrade::on(&mut request));
        let mut reply = Response::new(Full::default());
        *reply.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        set(&mut reply, header::UPGRADE, "websocket");
        set(&mut reply, header::CONNECTION, "Upgrade");
        set(&mut reply, header::SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL);
        if let Ok(accept) = HeaderValue::from_str(&accept_of(key.as_bytes())) {
            reply.headers_mut().insert(header::SEC_WEBSOCKET_ACCEPT, accept);
        }
        reply
    }
}

/// Nothing panics while it is held; if something did, what it guards is whole all the same.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The key of a right request for a WebSocket, or what is wrong with it.
fn websocket_key(headers: &HeaderMap) -> Result<HeaderValue, &'static str> {
    if !lists(headers, &header::CONNECTION, "upgrade") || !lists(headers, &header::UPGRADE, "websocket") {
        return Err("Expected are the headers Connection: Upgrade and Upgrade: websocket.");
    }
    if !lists(headers, &header::SEC_WEBSOCKET_VERSION, "13") {
        return Err("Expected is the header Sec-WebSocket-Version: 13.");
    }
    if !holds!("TR-09.subprotocol", lists(headers, &header::SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL)) {
        return Err("Expected is the header Sec-WebSocket-Protocol: binary.");
    }
    let key = headers.get(header::SEC_WEBSOCKET_KEY);
    let key = key.filter(|key| Base64::decode(key.as_bytes(), &mut [0; 16]).is_ok_and(|key| key.len() == 16));
    key.cloned().ok_or("Expected is a Sec-WebSocket-Key of 16 bytes in Base64.")
}

/// Whether a header, which may come several times and be a list, holds a word, in whatever case.
fn lists(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|item| item.trim().eq_ignore_ascii_case(word))
}

fn accept_of(key: &[u8]) -> String {
    Base64::encode_string(&Sha1::new().chain_update(key).chain_update(WEBSOCKET_GUID).finalize())
}

fn set(reply: &mut Reply, name: HeaderName, value: &'static str) {
    reply.headers_mut().insert(name, HeaderValue::from_static(value));
}

fn sentence(status: StatusCode, text: &'static str) -> Reply {
    let mut reply = Response::new(Full::from(text));
    *reply.status_mut() = status;
    set(&mut reply, header::CONTENT_TYPE, "text/plain; charset=utf-8");
    reply
}

fn not_allowed(methods: &'static str) -> Reply {
    let mut reply = sentence(StatusCode::METHOD_NOT_ALLOWED, "This path takes another method.");
    set(&mut reply, header::ALLOW, methods);
    reply
}

/// The connection is closed after it: nobody knows where the next request begins.
fn last(mut reply: Reply) -> Reply {
    set(&mut reply, header::CONNECTION, "close");
    reply
}

/// Pages of any origin may read it: what is in it is encrypted for its receiver.
fn for_browsers(mut reply: Reply) -> Reply {
    set(&mut reply, header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    reply
}

/// What a browser asks before it posts.
fn preflight() -> Reply {
    let mut reply = for_browsers(Response::new(Full::default()));
    *reply.status_mut() = StatusCode::NO_CONTENT;
    set(&mut reply, header::ACCESS_CONTROL_ALLOW_METHODS, "POST, OPTIONS");
    set(&mut reply, header::ACCESS_CONTROL_ALLOW_HEADERS, "origin, content-type");
    set(&mut reply, header::ACCESS_CONTROL_MAX_AGE, "86400");
    reply
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(rows: &[(HeaderName, &'static str)]) -> HeaderMap {
        rows.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    /// The example of RFC 6455, 1.2 and 1.3, as a browser would send it.
    fn right() -> [(HeaderName, &'static str); 5] {
        [
            (header::CONNECTION, "keep-alive, Upgrade"),
            (header::UPGRADE, "WebSocket"),
            (header::SEC_WEBSOCKET_VERSION, "13"),
            (header::SEC_WEBSOCKET_PROTOCOL, "chat, binary"),
            (header::SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ=="),
        ]
    }

    // rule: TR-09
    #[test]
    fn a_right_request_for_a_websocket_gets_the_accept_of_its_key() {
        let key = websocket_key(&headers(&right())).unwrap();
        assert_eq!(accept_of(key.as_bytes()), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    // rule: TR-09
    #[test]
    fn a_request_for_a_websocket_that_lacks_a_header_or_has_another_is_told_which() {
        let wrong = ["close", "h2c", "8", "chat", "dGhlIHNhbXBsZQ=="];
        for (at, wrong) in wrong.into_iter().enumerate() {
            let mut rows = right();
            rows[at].1 = wrong;
            let named = rows[at].0.as_str().to_owned();
            let refused = websocket_key(&headers(&rows)).unwrap_err().to_lowercase();
            assert!(refused.contains(&named), "{named}: {refused}");
            let lacking: Vec<_> = right().into_iter().filter(|(name, _)| name.as_str() != named).collect();
            assert_eq!(websocket_key(&headers(&lacking)).unwrap_err().to_lowercase(), refused);
        }
    }
}
