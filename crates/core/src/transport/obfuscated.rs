//! Obfuscation: 64 bytes that look random, then AES-256-CTR each way with keys that those bytes contain.
//!
//! It hides the protocol from a filter and nothing from anybody who knows the protocol. A proxy's secret makes the keys
//! unknown to others, and is still no protection of the contents, which MTProto encrypts itself.
//!
//! Source: MTProto transports, "Transport obfuscation" (rule TR-03).

use core::fmt;
use core::iter;

use dayfly_crypto::ctr::Stream;
use dayfly_crypto::{RandomError, SecureRandom, digest, holds, mutant};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::detect::{self, Beginning};
use super::{Kind, SendError, TransportError};

/// How many bytes open an obfuscated connection.
pub const INIT_LEN: usize = 64;

/// Where the key stands in an init: 32 bytes.
const KEY_AT: usize = 8;
/// Where the first counter stands: 16 bytes.
const IV_AT: usize = 40;
/// Where the tag stands, encrypted: 4 bytes. From here on the init goes out encrypted.
const TAG_AT: usize = 56;
/// Where a proxy finds the DC id, encrypted: 2 bytes.
const DC_AT: usize = 60;
/// How often an init is drawn anew: each time with a chance of about 1 in 256, so a source that needs more is broken.
const MAX_DRAWS: usize = 64;

/// The secret that an MTProxy and its clients share, without the byte (`dd`) that may stand in front of it.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct ProxySecret(Box<[u8; 16]>);

impl ProxySecret {
    /// Takes over the bytes; the source is wiped.
    #[must_use]
    pub fn take(source: &mut [u8; 16]) -> Self {
        let mut secret = Box::new([0; 16]);
        secret.copy_from_slice(source);
        source.zeroize();
        Self(secret)
    }

    /// The only door to the raw bytes.
    #[must_use]
    pub fn expose(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for ProxySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProxySecret(..)")
    }
}

/// Whether a client hides its transport.
#[derive(Debug)]
pub enum Obfuscation {
    /// The transport's tag opens the connection.
    None,
    /// An init opens the connection.
    Plain,
    /// An init opens the connection, for a proxy that leads on to a DC.
    Proxy {
        /// The secret that the proxy gave out.
        secret: ProxySecret,
        /// The DC's id, 10000 added for a test server, the whole made negative for a media DC.
        dc: i16,
    },
}

impl Obfuscation {
    fn proxy(&self) -> Option<(&ProxySecret, i16)> {
        match self {
            Self::None | Self::Plain => None,
            Self::Proxy { secret, dc } => Some((secret, *dc)),
        }
    }
}

/// The two directions of one obfuscated connection.
pub(super) struct Streams {
    pub(super) receive: Stream,
    pub(super) send: Stream,
}

/// A client's init, as it goes out, and the streams that follow it.
pub(super) fn open(
    kind: Kind,
    obfuscation: &Obfuscation,
    random: &mut dyn SecureRandom,
) -> Result<([u8; INIT_LEN], Streams), SendError> {
    let tag = tag(kind).ok_or(SendError::FullIsNeverObfuscated)?;
    let (secret, dc) = obfuscation.proxy().unzip();
    let mut init = draw(random)?;
    put(&mut init, TAG_AT, &tag);
    if let Some(dc) = dc {
        put(&mut init, DC_AT, &mutant!("TR-03.dc", dc.to_le_bytes(), dc.to_be_bytes()));
    }
    let mut send = stream(&init, secret);
    let receive = stream(&reversed(&init), secret);
    let mut encrypted = init;
    send.apply(&mut encrypted);
    let sealed: [u8; INIT_LEN - TAG_AT] = part(&encrypted, TAG_AT);
    put(&mut init, TAG_AT, &sealed);
    Ok((init, Streams { receive, send }))
}

/// What a client's init says, under no secret or any of those given. An init seen before is as good as a new one.
pub(super) fn accept(
    init: &[u8; INIT_LEN],
    secrets: &[ProxySecret],
) -> Result<(Kind, Streams), TransportError> {
    for secret in iter::once(None).chain(secrets.iter().map(Some)) {
        let (tag, receive) = open_tag(init, secret);
        if let Some(kind) = mutant!("TR-03.tag", kind_of(tag), kind_of(tag).or(Some(Kind::Intermediate))) {
            return Ok((kind, Streams { receive, send: stream(&reversed(init), secret) }));
        }
    }
    let (tag, _) = open_tag(init, None);
    Err(TransportError::UnknownTag { tag: u32::from_be_bytes(tag) })
}

/// Decrypts the tag, and with it the whole init: the stream goes on behind it.
fn open_tag(init: &[u8; INIT_LEN], secret: Option<&ProxySecret>) -> ([u8; 4], Stream) {
    let mut stream = stream(init, secret);
    let mut opened = *init;
    stream.apply(&mut opened);
    (part(&opened, TAG_AT), stream)
}

/// The tag of a transport as it stands in an init; full has none.
fn tag(kind: Kind) -> Option<[u8; 4]> {
    match kind {
        Kind::Abridged => Some([detect::ABRIDGED; 4]),
        Kind::Intermediate => Some(detect::INTERMEDIATE),
        Kind::Padded => Some(detect::PADDED),
        Kind::Full => None,
    }
}

fn kind_of(tag_found: [u8; 4]) -> Option<Kind> {
    Kind::ALL.into_iter().find(|kind| tag(*kind) == Some(tag_found))
}

/// Random bytes that no server takes for the beginning of anything else.
fn draw(random: &mut dyn SecureRandom) -> Result<[u8; INIT_LEN], RandomError> {
    for _ in 0..MAX_DRAWS {
        let mut init = [0; INIT_LEN];
        random.fill_public(&mut init)?;
        if holds!("TR-03.reserved", detect::beginning(&init) == Some(Beginning::Obfuscated)) {
            return Ok(init);
        }
    }
    Err(RandomError)
}

/// The stream of one direction. The way back is that of the reversed init.
fn stream(init: &[u8; INIT_LEN], secret: Option<&ProxySecret>) -> Stream {
    let mut key: Zeroizing<[u8; 32]> = Zeroizing::new(part(init, KEY_AT));
    if let Some(secret) = secret {
        *key = mutant!("TR-03.secret", digest::sha256(&[key.as_slice(), secret.expose()]), *key);
    }
    Stream::new(&key, &part(init, IV_AT))
}

fn reversed(init: &[u8; INIT_LEN]) -> [u8; INIT_LEN] {
    let mut back = *init;
    back.reverse();
    mutant!("TR-03.reversed", back, *init)
}

fn part<const N: usize>(init: &[u8; INIT_LEN], at: usize) -> [u8; N] {
    let mut part = [0; N];
    part.iter_mut().zip(init.iter().skip(at)).for_each(|(to, from)| *to = *from);
    part
}

fn put(init: &mut [u8; INIT_LEN], at: usize, bytes: &[u8]) {
    init.iter_mut().skip(at).zip(bytes).for_each(|(to, from)| *to = *from);
}
