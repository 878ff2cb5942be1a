//! What kind of peer it is, before anything else: one sentence is better than a hundred failures.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::probe::Target;

/// How long a peer that speaks first is listened to.
const SPEAKS_FIRST: Duration = Duration::from_millis(300);

/// What stands in the way of every case, in a sentence; `None` if the peer answers `req_pq_multi`.
pub(super) async fn stranger(target: &Target) -> Option<String> {
    let address = target.address;
    let connect = || async { timeout(target.patience, TcpStream::connect(address)).await };
    let mut stream = match connect().await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Some(format!("{address} cannot be reached: {error}")),
        Err(_) => return Some(format!("{address} does not take a connection within {:?}", target.patience)),
    };
    let mut first = [0; 64];
    let spoken = match timeout(SPEAKS_FIRST, stream.read(&mut first)).await {
        Ok(Ok(0) | Err(_)) => return Some(format!("{address} closes a connection before anything was sent")),
        Ok(Ok(count)) => first.get(..count).unwrap_or_default(),
        Err(_) => return answers(stream, target).await,
    };
    Some(format!("{address} speaks first, as no MTProto server does: {}", language(spoken)))
}

/// Asks with `req_pq_multi`, intermediate and not obfuscated.
async fn answers(mut stream: TcpStream, target: &Target) -> Option<String> {
    let address = target.address;
    let query = dayfly_tl::to_bytes(&dayfly_tl::mtproto::ReqPqMulti { nonce: [0x5a; 16] });
    let payload = dayfly_core::plain::write(4, &query);
    let length = u32::try_from(payload.len()).unwrap_or_default();
    let opening = [&[0xee; 4][..], &length.to_le_bytes(), &payload].concat();
    if let Err(error) = stream.write_all(&opening).await {
        return Some(format!("{address} closes a connection at once: {error}"));
    }
    let mut came = Vec::new();
    let waited = timeout(target.patience, beginning(&mut stream, &mut came)).await;
    if came.is_empty() {
        return Some(match waited {
            Ok(()) => format!(
                "{address} closes the connection on req_pq_multi (intermediate, not obfuscated) instead of answering resPQ"
            ),
            Err(_) => format!("{address} does not answer req_pq_multi within {:?}", target.patience),
        });
    }
    (!is_frame(&came))
        .then(|| format!("{address} does not answer with an MTProto frame: {}", language(&came)))
}

/// Takes as many of the first bytes as tell what they are; servers write a frame in as many pieces as they like. Fewer if the
/// peer closes the connection.
async fn beginning(stream: &mut (impl AsyncRead + Unpin), came: &mut Vec<u8>) {
    let mut piece = [0; 256];
    while came.len() < ENOUGH && !is_frame(came) {
        match stream.read(&mut piece).await {
            Ok(count) if count > 0 => came.extend_from_slice(piece.get(..count).unwrap_or_default()),
            _ => break,
        }
    }
}

/// A length and the auth_key_id of a plain message behind it: no shorter beginning can be told from another protocol's.
const ENOUGH: usize = 12;

/// Whether a plain message begins here, or a transport error stands here.
fn is_frame(came: &[u8]) -> bool {
    let framed = came.get(4..).unwrap_or_default();
    framed.starts_with(&[0; 8]) || (came.len() == 8 && came.starts_with(&[4, 0, 0, 0]))
}

/// What the first bytes look like.
fn language(bytes: &[u8]) -> String {
    let begins = |word: &str| bytes.starts_with(word.as_bytes());
    if begins("SSH-") {
        "it is an SSH server".to_owned()
    } else if begins("HTTP/") {
        "it is an HTTP server".to_owned()
    } else if matches!(bytes, [0x15 | 0x16, 3, ..]) {
        "it speaks TLS".to_owned()
    } else if begins("220 ") {
        "it is a mail or FTP server".to_owned()
    } else {
        let head: Vec<String> = bytes.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        format!("its first bytes are {}", head.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_known_strangers_are_called_by_name() {
        assert_eq!(language(b"SSH-2.0-OpenSSH_9.2\r\n"), "it is an SSH server");
        assert_eq!(language(b"HTTP/1.1 400 Bad Request\r\n"), "it is an HTTP server");
        assert_eq!(language(&[0x15, 3, 1, 0, 2, 2, 50]), "it speaks TLS");
        assert_eq!(language(&[1, 2]), "its first bytes are 01 02");
    }

    #[tokio::test]
    async fn a_frame_that_comes_in_pieces_is_waited_for() {
        let answer = [&[84, 0, 0, 0][..], &[0; 8], &[7; 20]].concat();
        for cut in 1..ENOUGH {
            let (head, rest) = answer.split_at(cut);
            let mut came = Vec::new();
            beginning(&mut head.chain(rest), &mut came).await;
            assert!(is_frame(&came), "{cut}: {came:02x?}");
        }
    }

    #[tokio::test]
    async fn what_ends_early_is_told_as_far_as_it_came() {
        let error: &[u8] = &[4, 0, 0, 0, 0x6c, 0xfe, 0xff, 0xff];
        for (whole, frame) in
            [(error, true), (b"HTTP/1.1 400 Bad Request", false), (b"220 ", false), (b"", false)]
        {
            let mut came = Vec::new();
            beginning(&mut &whole[..], &mut came).await;
            assert_eq!((came.as_slice(), is_frame(&came)), (whole, frame));
        }
    }
}
