//! What is in a frame: link, IP, TCP. Frames of anything else are none of ours.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const VLAN: u16 = 0x8100;
const TCP: u8 = 6;
/// Of IPv6: hop by hop, routing and destination options, which may stand in front of TCP.
const EXTENSIONS: [u8; 3] = [0, 43, 60];

/// A segment of TCP.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Segment<'a> {
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    pub(super) sequence: u32,
    pub(super) syn: bool,
    pub(super) ack: bool,
    /// FIN or RST.
    pub(super) ends: bool,
    pub(super) data: &'a [u8],
}

/// The segment in a frame of this link type, if there is one.
pub(super) fn segment(link: u32, frame: &[u8]) -> Option<Segment<'_>> {
    let packet = match link {
        0 | 108 => frame.get(4..)?, // BSD's loopback: the family
        1 => ethernet(frame)?,
        12 | 14 | 101 | 228 | 229 => frame, // IP as it is
        113 => frame.get(16..)?,            // Linux, "any"
        276 => frame.get(20..)?,            // its second version
        _ => return None,
    };
    match packet.first()? >> 4 {
        4 => ipv4(packet),
        6 => ipv6(packet),
        _ => None,
    }
}

fn ethernet(frame: &[u8]) -> Option<&[u8]> {
    let mut rest = frame.get(12..)?;
    while half(rest, 0)? == VLAN {
        rest = rest.get(4..)?;
    }
    [IPV4, IPV6].contains(&half(rest, 0)?).then(|| rest.get(2..)).flatten()
}

fn ipv4(packet: &[u8]) -> Option<Segment<'_>> {
    let header = usize::from(packet.first()? & 0x0f) * 4;
    let total = usize::from(half(packet, 2)?);
    let is_fragment = half(packet, 6)? & 0x3fff != 0;
    if header < 20 || is_fragment || *packet.get(9)? != TCP {
        return None;
    }
    // A length of 0 is that of a packet which the network card was to cut.
    let end = if total == 0 { packet.len() } else { total };
    let address = |at: usize| Some(IpAddr::from(Ipv4Addr::from(*packet.get(at..)?.first_chunk::<4>()?)));
    tcp(address(12)?, address(16)?, packet.get(header..end)?)
}

fn ipv6(packet: &[u8]) -> Option<Segment<'_>> {
    let mut next = *packet.get(6)?;
    let length = usize::from(half(packet, 4)?);
    let rest = packet.get(40..)?;
    let mut rest = if length == 0 { rest } else { rest.get(..length)? };
    while EXTENSIONS.contains(&next) {
        let length = (usize::from(*rest.get(1)?) + 1) * 8;
        next = *rest.first()?;
        rest = rest.get(length..)?;
    }
    let address = |at: usize| Some(IpAddr::from(Ipv6Addr::from(*packet.get(at..)?.first_chunk::<16>()?)));
    if next == TCP { tcp(address(8)?, address(24)?, rest) } else { None }
}

fn tcp(from: IpAddr, to: IpAddr, segment: &[u8]) -> Option<Segment<'_>> {
    let header = usize::from(*segment.get(12)? >> 4) * 4;
    let flags = *segment.get(13)?;
    Some(Segment {
        from: SocketAddr::new(from, half(segment, 0)?),
        to: SocketAddr::new(to, half(segment, 2)?),
        sequence: u32::from_be_bytes(*segment.get(4..)?.first_chunk()?),
        syn: flags & 0x02 != 0,
        ack: flags & 0x10 != 0,
        ends: flags & 0x05 != 0,
        data: segment.get(header.max(20)..)?,
    })
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}
