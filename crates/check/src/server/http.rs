//! HTTP/1.1 as a client of MTProto speaks it, and no more than that.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::probe::Target;
use super::trace::Trace;
use super::wire::Heard;
use crate::verdict::{Outcome, failed};

/// The longest head and the longest body that are read.
const MOST: usize = 4 << 20;
/// What a bridge holds until either side takes it.
const BRIDGED: usize = 64 << 10;

/// A response.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }
}

/// One connection, kept open from request to request.
pub(crate) struct Http {
    stream: TcpStream,
    arrived: Vec<u8>,
    address: SocketAddr,
    patience: Duration,
    trace: Trace,
}

impl Http {
    pub(crate) fn new(stream: TcpStream, target: &Target, trace: Trace) -> Self {
        Self { stream, arrived: Vec::new(), address: target.address, patience: target.patience, trace }
    }

    /// Posts a packet and waits for the response; what came instead, if none did.
    pub(crate) async fn post(
        &mut self,
        path: &str,
        packet: &[u8],
        what: &str,
    ) -> Outcome<Result<Response, Heard>> {
        let length = packet.len();
        let more = format!("Content-Length: {length}\r\nContent-Type: application/octet-stream\r\n");
        self.request("POST", path, &more, packet, what).await
    }

    /// Any request. `more` headers end with a line break each.
    pub(crate) async fn request(
        &mut self,
        method: &str,
        path: &str,
        more: &str,
        body: &[u8],
        what: &str,
    ) -> Outcome<Result<Response, Heard>> {
        self.trace.sent(format!("{method} {path}: {what}"));
        let head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n{more}\r\n", self.address);
        let request = [head.as_bytes(), body].concat();
        if self.stream.write_all(&request).await.is_err() {
            return Ok(Err(Heard::Closed));
        }
        self.response().await
    }

    /// The next response.
    pub(crate) async fn response(&mut self) -> Outcome<Result<Response, Heard>> {
        let response = match timeout(self.patience, self.read()).await {
            Ok(response) => response?.ok_or(Heard::Closed),
            Err(_) => Err(Heard::Silence),
        };
        self.trace.got(match &response {
            Ok(response) => format!("status {} with {} bytes", response.status, response.body.len()),
            Err(heard) => heard.told(),
        });
        Ok(response)
    }

    async fn read(&mut self) -> Outcome<Option<Response>> {
        let end = loop {
            if let Some(at) = self.arrived.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break at + 4;
            }
            if !self.more().await {
                return Ok(None);
            }
        };
        let head: Vec<u8> = self.arrived.drain(..end).collect();
        let head = String::from_utf8_lossy(&head).into_owned();
        let status =
            head.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).and_then(|code| code.parse().ok());
        let Some(status) = status else {
            return failed("what came is no response of HTTP/1.1");
        };
        let mut response = Response { status, head, body: Vec::new() };
        let length = match response.header("content-length").map(str::parse) {
            Some(Ok(length)) if length <= MOST => length,
            Some(_) => return failed("a response has no Content-Length that can be read"),
            None if status < 200 || status == 204 => 0,
            None => return failed("a response has no Content-Length"),
        };
        while self.arrived.len() < length {
            if !self.more().await {
                return Ok(None);
            }
        }
        response.body = self.arrived.drain(..length).collect();
        Ok(Some(response))
    }

    /// Whether more bytes came.
    async fn more(&mut self) -> bool {
        let read = self.stream.read_buf(&mut self.arrived).await;
        matches!(read, Ok(some) if some > 0) && self.arrived.len() <= 2 * MOST
    }

    /// The stream behind a `101` response, with what was read beyond it.
    pub(crate) fn into_stream(self) -> (TcpStream, Vec<u8>) {
        (self.stream, self.arrived)
    }

    /// An intermediate transport whose payloads go over this connection, one a request. A status other than 200 becomes the
    /// transport error of its number.
    pub(crate) fn bridge(self) -> DuplexStream {
        let (near, far) = tokio::io::duplex(BRIDGED);
        // It ends with either side.
        tokio::spawn(carry(self, far));
        near
    }
}

async fn carry(mut http: Http, mut far: DuplexStream) {
    let mut word = [0; 4];
    // What opens the transport means nothing here.
    if far.read_exact(&mut word).await.is_err() {
        return;
    }
    while far.read_exact(&mut word).await.is_ok() {
        let mut packet = vec![0; u32::from_le_bytes(word) as usize];
        if far.read_exact(&mut packet).await.is_err() {
            return;
        }
        let Ok(Ok(response)) = http.post("/api", &packet, "a packet").await else { return };
        let payload = match response.status {
            200 if response.body.is_empty() => continue,
            200 => response.body,
            status => (-i32::from(status)).to_le_bytes().to_vec(),
        };
        let length = u32::try_from(payload.len()).unwrap_or_default().to_le_bytes();
        if far.write_all(&[&length[..], &payload].concat()).await.is_err() {
            return;
        }
    }
}
