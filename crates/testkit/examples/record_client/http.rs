//! As much of HTTP/1.1 as a client needs that posts packets: requests with a Content-Length, one after another.

use std::io::{self, Read as _};
use std::net::TcpStream;

/// Whether a connection that begins so speaks HTTP.
pub(crate) fn is_request(begin: &[u8]) -> bool {
    begin.starts_with(b"POST ") || begin.starts_with(b"OPTIONS ")
}

/// Reads requests and hands out their bodies, until the end of the stream or until nobody wants them.
pub(crate) fn read(
    mut stream: TcpStream,
    mut begun: Vec<u8>,
    say: impl Fn(Vec<u8>) -> bool,
) -> io::Result<()> {
    let mut buffer = [0; 16 * 1024];
    loop {
        if let Some((start, length)) = head(&begun)
            && begun.len() - start >= length
        {
            if !say(begun[start..start + length].to_vec()) {
                return Ok(());
            }
            begun.drain(..start + length);
            continue;
        }
        let count = stream.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        begun.extend_from_slice(&buffer[..count]);
    }
}

/// Where the body begins, and its length; `None` while the head is not whole.
fn head(begun: &[u8]) -> Option<(usize, usize)> {
    let end = begun.windows(4).position(|window| window == b"\r\n\r\n")?;
    let text = String::from_utf8_lossy(&begun[..end]).to_ascii_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    Some((end + 4, length.unwrap_or(0)))
}

/// A whole response.
pub(crate) fn response(status: u16, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} \r\nConnection: keep-alive\r\nContent-Type: application/octet-stream\r\nContent-Length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}
