//! WebSocket as a client of MTProto speaks it: binary messages, cut as a case wants them.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use super::http::{Http, Response};
use super::wire::Heard;
use crate::verdict::{Outcome, failed};

/// The key of a request and what a server makes of it. Source: RFC 6455, 1.3.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// Bits and opcodes of frames. Source: RFC 6455, 5.2.
const LAST: u8 = 0x80;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const MASKED: u8 = 0x80;

/// The most that is taken of one frame.
const MOST: u64 = 4 << 20;
/// What a bridge holds until either side takes it.
const BRIDGED: usize = 64 << 10;

/// Asks for a WebSocket; `protocol` is the subprotocol, if any.
pub(crate) async fn ask(http: &mut Http, protocol: Option<&str>) -> Outcome<Result<Response, Heard>> {
    let asked = protocol.map(|name| format!("Sec-WebSocket-Protocol: {name}\r\n")).unwrap_or_default();
    let more = format!(
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n{asked}"
    );
    http.request("GET", "/apiws", &more, &[], "a WebSocket is asked for").await
}

/// A WebSocket as a stream of bytes, sent in messages of at most `cut` bytes each.
pub(crate) async fn open(mut http: Http, cut: usize) -> Outcome<DuplexStream> {
    let response = match ask(&mut http, Some("binary")).await? {
        Ok(response) => response,
        Err(heard) => return failed(format!("the request for a WebSocket got {}", heard.told())),
    };
    if response.status != 101 {
        return failed(format!("the request for a WebSocket got status {}", response.status));
    }
    if response.header("sec-websocket-accept") != Some(ACCEPT) {
        return failed("Sec-WebSocket-Accept is not that of the key");
    }
    if response.header("sec-websocket-protocol") != Some("binary") {
        return failed("the subprotocol of the answer is not binary");
    }
    let (stream, arrived) = http.into_stream();
    Ok(bridge(stream, arrived, cut))
}

/// Ends with either side.
fn bridge(stream: TcpStream, arrived: Vec<u8>, cut: usize) -> DuplexStream {
    let (near, far) = tokio::io::duplex(BRIDGED);
    let ((from_peer, to_peer), (from_case, to_case)) = (stream.into_split(), tokio::io::split(far));
    tokio::spawn(async move {
        tokio::select! {
            () = outwards(from_case, to_peer, cut) => {}
            () = inwards(from_peer, arrived, to_case) => {}
        }
    });
    near
}

async fn outwards(mut from: ReadHalf<DuplexStream>, mut to: OwnedWriteHalf, cut: usize) {
    let mut bytes = vec![0; cut.clamp(1, usize::from(u16::MAX))];
    while let Ok(some) = from.read(&mut bytes).await {
        if some == 0 || to.write_all(&frame(bytes.get(..some).unwrap_or_default())).await.is_err() {
            return;
        }
    }
}

/// A whole binary message. A mask of zeros is a mask.
fn frame(message: &[u8]) -> Vec<u8> {
    let mut out = vec![LAST | BINARY];
    match u8::try_from(message.len()) {
        Ok(length) if length < 126 => out.push(MASKED | length),
        _ => {
            out.push(MASKED | 126);
            out.extend(u16::try_from(message.len()).unwrap_or(u16::MAX).to_be_bytes());
        }
    }
    out.extend([0; 4]);
    out.extend_from_slice(message);
    out
}

async fn inwards(from: OwnedReadHalf, arrived: Vec<u8>, mut to: WriteHalf<DuplexStream>) {
    let mut from = std::io::Cursor::new(arrived).chain(from);
    while let Ok(first) = from.read_u8().await {
        let Ok(length) = from.read_u8().await else { return };
        let length = match length {
            126 => from.read_u16().await.map(u64::from),
            127 => from.read_u64().await,
            short => Ok(u64::from(short)),
        };
        let Some(length) = length.ok().filter(|length| *length <= MOST) else { return };
        let mut payload = vec![0; usize::try_from(length).unwrap_or_default()];
        if from.read_exact(&mut payload).await.is_err() || first & 0xf == CLOSE {
            return;
        }
        // Pings and pongs of WebSocket are no business of MTProto's.
        if first & 0xf <= BINARY && to.write_all(&payload).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_have_the_short_or_the_long_form_of_length() {
        assert_eq!(frame(&[7; 125])[..2], [0x82, 0xfd]);
        assert_eq!(frame(&[7; 126])[..4], [0x82, 0xfe, 0, 126]);
        assert_eq!(frame(&[7, 8]), [0x82, 0x82, 0, 0, 0, 0, 7, 8]);
    }
}
