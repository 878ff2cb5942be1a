//! What carries the bytes of a peer: nothing but TCP, WebSocket messages, or requests and responses.

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use super::within;

pub(crate) enum Road {
    Tcp,
    /// With what came of a frame that is not whole yet.
    WebSocket {
        unread: Vec<u8>,
    },
    /// With how many requests wait for their response.
    Http {
        path: &'static str,
        owed: usize,
    },
}

impl Road {
    /// Bytes as they go to the socket.
    pub(crate) fn wrapped(&self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Tcp => bytes.to_vec(),
            Self::WebSocket { .. } => in_messages(bytes),
            Self::Http { path, .. } => {
                let length = format!("Content-Length: {}\r\n", bytes.len());
                [head_of("POST", path, &length), bytes.to_vec()].concat()
            }
        }
    }

    /// Counts a request; `false` if there are none.
    pub(crate) fn count_request(&mut self) -> bool {
        match self {
            Self::Http { owed, .. } => {
                *owed += 1;
                true
            }
            Self::Tcp | Self::WebSocket { .. } => false,
        }
    }

    /// What bytes from the socket carry; `None` once the WebSocket is closed.
    pub(crate) fn unwrapped(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let Self::WebSocket { unread } = self else { return Some(bytes.to_vec()) };
        unread.extend_from_slice(bytes);
        let mut carried = Vec::new();
        while let Some((opcode, payload)) = take_message(unread) {
            match opcode {
                2 => carried.extend(payload),
                8 => return None,
                other => panic!("the server sent a WebSocket frame with opcode {other}"),
            }
        }
        Some(carried)
    }
}

/// Cuts bytes into messages where no payload begins or ends, some of them into two frames.
fn in_messages(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for piece in bytes.chunks(7) {
        let (first, rest) = piece.split_at(piece.len() / 2);
        out.extend(masked(0x02, first));
        out.extend(masked(0x80, rest));
    }
    out
}

/// A client's frame; `opcode` has the bit that says whether it is the last of its message.
pub(crate) fn masked(opcode: u8, payload: &[u8]) -> Vec<u8> {
    const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
    let mut frame = vec![opcode];
    match u8::try_from(payload.len()) {
        Ok(short) if short < 126 => frame.push(0x80 | short),
        _ => {
            frame.push(0x80 | 127);
            frame.extend((payload.len() as u64).to_be_bytes());
        }
    }
    frame.extend(MASK);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// Takes a whole server's frame, which is a message, from the front.
fn take_message(unread: &mut Vec<u8>) -> Option<(u8, Vec<u8>)> {
    let (&first, &second) = (unread.first()?, unread.get(1)?);
    assert_eq!(second & 0x80, 0, "a server masks nothing");
    let (head, length) = match second {
        126 => (4, usize::from(u16::from_be_bytes(*unread.get(2..)?.first_chunk()?))),
        127 => (10, usize::try_from(u64::from_be_bytes(*unread.get(2..)?.first_chunk()?)).unwrap()),
        short => (2, usize::from(short)),
    };
    let payload = unread.get(head..head + length)?.to_vec();
    unread.drain(..head + length);
    Some((first & 0x0f, payload))
}

/// The head of a request, with more headers if there are any.
pub(crate) fn head_of(method: &str, path: &str, headers: &str) -> Vec<u8> {
    format!("{method} {path} HTTP/1.1\r\nHost: dayfly\r\n{headers}\r\n").into_bytes()
}

/// Reads the head of a response: its status, and all of it in lower case but for values.
pub(crate) async fn read_head(socket: &mut TcpStream) -> (u16, String) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(within("the head of a response", socket.read_u8()).await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), head)
}
