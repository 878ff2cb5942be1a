//! The PROXY protocol, versions 1 and 2: in front of everything else, a balancer says whose connection it passes on.
//!
//! A header is required on the listeners that the operator marks, and read nowhere else: whoever could send one on his own
//! would choose the address that limits and logs see.
//!
//! Source: "The PROXY protocol", HAProxy Technologies, 2.1 and 2.2 (rule TR-08).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

/// How version 2 begins.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// How version 1 begins.
const WORD: &[u8] = b"PROXY ";
/// The longest line of version 1, with its end.
const LONGEST_LINE: usize = 107;
/// The longest header of version 2 that is taken: addresses, and far more of what balancers put after them than they do.
const LONGEST_HEADER: usize = 2048;
/// Signature, command, family, and the length of what follows.
const FIXED: usize = 16;

/// Whom a header names, and how many bytes it took.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Header {
    /// `None` if the balancer speaks for itself, or does not know: then it is the peer.
    pub(crate) client: Option<SocketAddr>,
    pub(crate) len: usize,
}

/// What is wrong with the first bytes of a connection that should begin with a header.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum HeaderError {
    #[error("the connection does not begin with a PROXY header")]
    Missing,
    #[error("a PROXY header of over {limit} bytes")]
    TooLong { limit: usize },
    #[error("a PROXY line that is no \"PROXY TCP4|TCP6|UNKNOWN source destination port port\"")]
    Line,
    #[error("a PROXY header with the command byte {0:#04x}, expected 0x20 or 0x21")]
    Command(u8),
    #[error("a PROXY header of family {family:#04x} with {len} bytes of addresses")]
    Addresses { family: u8, len: usize },
}

/// Reads the header at the front of `bytes`; `None` while it is not whole. No more than 2 KiB are ever asked for.
pub(crate) fn header(bytes: &[u8]) -> Result<Option<Header>, HeaderError> {
    if begins(bytes, &SIGNATURE) {
        version_2(bytes)
    } else if begins(bytes, WORD) {
        version_1(bytes)
    } else {
        Err(HeaderError::Missing)
    }
}

/// Whether `bytes` are the beginning of `expected`, or begin with it.
fn begins(bytes: &[u8], expected: &[u8]) -> bool {
    bytes.iter().zip(expected).all(|(byte, expected)| byte == expected)
}

fn version_1(bytes: &[u8]) -> Result<Option<Header>, HeaderError> {
    let Some(end) = bytes.iter().take(LONGEST_LINE).position(|&byte| byte == b'\n') else {
        return if bytes.len() < LONGEST_LINE {
            Ok(None)
        } else {
            Err(HeaderError::TooLong { limit: LONGEST_LINE })
        };
    };
    let line = bytes.get(..end).and_then(|line| line.strip_suffix(b"\r")).ok_or(HeaderError::Line)?;
    let line = std::str::from_utf8(line).map_err(|_| HeaderError::Line)?;
    let client = client_of(line).ok_or(HeaderError::Line)?;
    Ok(Some(Header { client, len: end.saturating_add(1) }))
}

/// `None` if the line is wrong, `Some(None)` if it names nobody.
fn client_of(line: &str) -> Option<Option<SocketAddr>> {
    let mut words = line.split(' ').skip(1);
    let family = words.next()?;
    if family == "UNKNOWN" {
        return Some(None);
    }
    let (source, destination) = (words.next()?, words.next()?);
    let port: u16 = words.next()?.parse().ok()?;
    let _: u16 = words.next()?.parse().ok()?;
    let [source, destination] = [source, destination].map(IpAddr::from_str);
    let (source, destination) = (source.ok()?, destination.ok()?);
    let right = match family {
        "TCP4" => source.is_ipv4() && destination.is_ipv4(),
        "TCP6" => source.is_ipv6() && destination.is_ipv6(),
        _ => false,
    };
    (right && words.next().is_none()).then_some(Some(SocketAddr::new(source, port)))
}

fn version_2(bytes: &[u8]) -> Result<Option<Header>, HeaderError> {
    let Some(fixed) = bytes.first_chunk::<FIXED>() else { return Ok(None) };
    let [.., command, family, high, low] = *fixed;
    let len = usize::from(u16::from_be_bytes([high, low])).saturating_add(FIXED);
    if len > LONGEST_HEADER {
        return Err(HeaderError::TooLong { limit: LONGEST_HEADER });
    }
    let Some(addresses) = bytes.get(FIXED..len) else { return Ok(None) };
    let client = match command {
        0x20 => None,
        0x21 => source(family, addresses)?,
        other => return Err(HeaderError::Command(other)),
    };
    Ok(Some(Header { client, len }))
}

/// The source of a connection that is passed on; source, destination and both ports must be there.
fn source(family: u8, addresses: &[u8]) -> Result<Option<SocketAddr>, HeaderError> {
    let wrong = HeaderError::Addresses { family, len: addresses.len() };
    let port = |at: usize| {
        let port = addresses.get(at..).and_then(|rest| rest.first_chunk()).copied();
        port.map(u16::from_be_bytes)
    };
    let client = match family {
        0x00 => return Ok(None),
        0x11 if addresses.len() >= 12 => {
            let ip = addresses.first_chunk::<4>().map(|ip| Ipv4Addr::from(*ip).into());
            ip.zip(port(8))
        }
        0x21 if addresses.len() >= 36 => {
            let ip = addresses.first_chunk::<16>().map(|ip| Ipv6Addr::from(*ip).into());
            ip.zip(port(32))
        }
        _ => None,
    };
    client.map(|(ip, port): (IpAddr, u16)| Some(SocketAddr::new(ip, port))).ok_or(wrong)
}

/// A range of addresses: `10.0.0.0/8`, `fd00::/8`, or one address alone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Network {
    address: IpAddr,
    /// How many of its first bits count.
    bits: u8,
}

impl Network {
    /// Whether `ip` is one of its addresses; an IPv4 one that is written as IPv6 counts as what it is.
    #[must_use]
    pub fn contains(&self, ip: IpAddr) -> bool {
        match (self.address, ip.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let differ = own.to_bits() ^ other.to_bits();
                differ.leading_zeros() >= u32::from(self.bits)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let differ = own.to_bits() ^ other.to_bits();
                differ.leading_zeros() >= u32::from(self.bits)
            }
            _ => false,
        }
    }
}

/// The text names no network.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NoNetwork;

impl FromStr for Network {
    type Err = NoNetwork;

    fn from_str(text: &str) -> Result<Self, NoNetwork> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(at, bits)| (at, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| NoNetwork)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), |bits| bits.parse().map_err(|_| NoNetwork))?;
        if bits > most { Err(NoNetwork) } else { Ok(Self { address, bits }) }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v2(command: u8, family: u8, addresses: &[u8]) -> Vec<u8> {
        let len = u16::try_from(addresses.len()).unwrap().to_be_bytes();
        [&SIGNATURE[..], &[command, family], &len, addresses].concat()
    }

    fn client(text: &str) -> Option<SocketAddr> {
        Some(text.parse().unwrap())
    }

    /// Headers that are right, and whom they name.
    fn right() -> Vec<(Vec<u8>, Option<SocketAddr>)> {
        let v4 = [192, 0, 2, 7, 10, 0, 0, 1, 0x1f, 0x90, 0x11, 0x4e];
        let mut v6 = [0; 36];
        v6[..4].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8]);
        v6[32..34].copy_from_slice(&[0x1f, 0x90]);
        let with_more = [&v4[..], &[3, 0, 4, 1, 2, 3, 4]].concat();
        vec![
            (b"PROXY TCP4 192.0.2.7 10.0.0.1 8080 4430\r\n".to_vec(), client("192.0.2.7:8080")),
            (b"PROXY TCP6 2001:db8:: ::1 8080 4430\r\n".to_vec(), client("[2001:db8::]:8080")),
            (b"PROXY UNKNOWN\r\n".to_vec(), None),
            (b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n".to_vec(), None),
            (v2(0x21, 0x11, &v4), client("192.0.2.7:8080")),
            (v2(0x21, 0x11, &with_more), client("192.0.2.7:8080")),
            (v2(0x21, 0x21, &v6), client("[2001:db8::]:8080")),
            (v2(0x20, 0x00, &[]), None),
            (v2(0x21, 0x00, &[1, 2, 3]), None),
        ]
    }

    // rule: TR-08
    #[test]
    fn a_right_header_names_the_client_however_it_is_cut_and_takes_no_byte_more() {
        for (bytes, client) in right() {
            let followed = [&bytes[..], b"\xef\x0a"].concat();
            let len = bytes.len();
            assert_eq!(header(&followed), Ok(Some(Header { client, len })), "{bytes:02x?}");
            for cut in 0..len {
                assert_eq!(header(&bytes[..cut]), Ok(None), "{cut} bytes of {bytes:02x?}");
            }
        }
    }

    // rule: TR-08
    #[test]
    fn what_is_no_header_is_refused() {
        let addresses = |family, len| HeaderError::Addresses { family, len };
        let cases = [
            (b"GET / HTTP/1.1".to_vec(), HeaderError::Missing),
            (vec![0xef], HeaderError::Missing),
            (b"PROXY TCP4 192.0.2.7 10.0.0.1 8080\r\n".to_vec(), HeaderError::Line),
            (b"PROXY TCP4 192.0.2.7 10.0.0.1 8080 80 1\r\n".to_vec(), HeaderError::Line),
            (b"PROXY TCP4 192.0.2.7 10.0.0.1 8080 65536\r\n".to_vec(), HeaderError::Line),
            (b"PROXY TCP4 ::1 ::1 8080 80\r\n".to_vec(), HeaderError::Line),
            (b"PROXY UDP4 192.0.2.7 10.0.0.1 8080 80\r\n".to_vec(), HeaderError::Line),
            (b"PROXY UNKNOWN\n".to_vec(), HeaderError::Line),
            (b"PROXY \xff\xfe\r\n".to_vec(), HeaderError::Line),
            ([WORD, &[b'x'; 101]].concat(), HeaderError::TooLong { limit: LONGEST_LINE }),
            (v2(0x21, 0x11, &[0; 2033]), HeaderError::TooLong { limit: LONGEST_HEADER }),
            (v2(0x11, 0x11, &[0; 12]), HeaderError::Command(0x11)),
            (v2(0x22, 0x11, &[0; 12]), HeaderError::Command(0x22)),
            (v2(0x21, 0x11, &[0; 11]), addresses(0x11, 11)),
            (v2(0x21, 0x21, &[0; 12]), addresses(0x21, 12)),
            (v2(0x21, 0x31, &[0; 216]), addresses(0x31, 216)),
        ];
        for (bytes, error) in cases {
            assert_eq!(header(&bytes), Err(error), "{bytes:02x?}");
        }
    }

    #[test]
    fn a_network_holds_its_addresses_and_no_others() {
        let holds = |network: &str, ip: &str| {
            network.parse::<Network>().unwrap().contains(ip.parse::<IpAddr>().unwrap())
        };
        assert!(holds("10.0.0.0/8", "10.255.0.1") && !holds("10.0.0.0/8", "11.0.0.1"));
        assert!(holds("10.0.0.0/8", "::ffff:10.1.2.3") && !holds("10.0.0.0/8", "::1"));
        assert!(holds("192.0.2.7", "192.0.2.7") && !holds("192.0.2.7", "192.0.2.6"));
        assert!(holds("0.0.0.0/0", "203.0.113.1") && !holds("0.0.0.0/0", "::1"));
        assert!(holds("2001:db8::/33", "2001:db8:7fff::1") && !holds("2001:db8::/33", "2001:db8:8000::1"));
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in ["", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0/8", "localhost"] {
            assert_eq!(text.parse::<Network>(), Err(NoNetwork), "{text:?}");
        }
    }
}
