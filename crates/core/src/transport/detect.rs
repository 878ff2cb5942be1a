//! Which transport the first bytes of a connection open.

use dayfly_crypto::mutant;

use super::Kind;

/// The tag of abridged; inside an init, four times.
pub(super) const ABRIDGED: u8 = 0xef;
/// The tag of intermediate.
pub(super) const INTERMEDIATE: [u8; 4] = [0xee; 4];
/// The tag of padded intermediate.
pub(super) const PADDED: [u8; 4] = [0xdd; 4];
/// TLS 1.0 record of a handshake, 0x0200 to 0x02ff bytes: how the ClientHello of a browser begins.
const TLS: [u8; 4] = [0x16, 0x03, 0x01, 0x02];

/// What the first bytes of a connection open.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Beginning {
    /// A transport without obfuscation.
    Plain(Kind),
    /// Any other bytes: an init of 64 random-looking ones.
    Obfuscated,
    /// An HTTP request; the first four characters of its method.
    Http(&'static str),
    /// A TLS ClientHello.
    Tls,
}

/// Tells the beginnings apart; `None` while more bytes are needed, at most eight.
///
/// These are the beginnings that no init may have, and no others: a random init that happens to begin like a rarer HTTP
/// method is still an init.
///
/// Source: MTProto transports, "Transport obfuscation" (rules TR-02, TR-03).
#[must_use]
pub fn beginning(first: &[u8]) -> Option<Beginning> {
    if first.first() == Some(&ABRIDGED) {
        return Some(Beginning::Plain(Kind::Abridged));
    }
    match *first.first_chunk()? {
        INTERMEDIATE => return Some(Beginning::Plain(Kind::Intermediate)),
        PADDED => return Some(Beginning::Plain(Kind::Padded)),
        TLS => return Some(Beginning::Tls),
        word => {
            if let Some(method) = http(word) {
                return Some(Beginning::Http(method));
            }
        }
    }
    let second: &[u8; 4] = first.get(4..)?.first_chunk()?;
    let sequence_number_0 = mutant!("TR-02.full", *second == [0; 4], false);
    Some(if sequence_number_0 { Beginning::Plain(Kind::Full) } else { Beginning::Obfuscated })
}

fn http(word: [u8; 4]) -> Option<&'static str> {
    ["GET ", "HEAD", "POST", "OPTI"].into_iter().find(|method| method.as_bytes() == word)
}

#[cfg(test)]
mod tests {
    use super::{Beginning, beginning};
    use crate::transport::Kind;

    // rule: TR-02
    #[test]
    fn each_beginning_is_told_from_the_fewest_bytes_that_suffice() {
        let cases: [(&[u8], usize, Beginning); 9] = [
            (&[0xef, 0, 0, 0], 1, Beginning::Plain(Kind::Abridged)),
            (&[0xee; 4], 4, Beginning::Plain(Kind::Intermediate)),
            (&[0xdd; 4], 4, Beginning::Plain(Kind::Padded)),
            (b"GET /api HTTP/1.1", 4, Beginning::Http("GET ")),
            (b"POST /api", 4, Beginning::Http("POST")),
            (b"OPTIONS /", 4, Beginning::Http("OPTI")),
            (&[0x16, 3, 1, 2, 0, 1, 0, 1], 4, Beginning::Tls),
            (&[52, 0, 0, 0, 0, 0, 0, 0], 8, Beginning::Plain(Kind::Full)),
            (&[52, 0, 0, 0, 0, 0, 0, 1], 8, Beginning::Obfuscated),
        ];
        for (bytes, needed, expected) in cases {
            for len in 0..=bytes.len() {
                let told = (len >= needed).then_some(expected);
                assert_eq!(beginning(&bytes[..len]), told, "{len} bytes of {bytes:02x?}");
            }
        }
    }
}
