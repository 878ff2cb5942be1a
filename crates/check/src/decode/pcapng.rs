//! The newer form of captures: blocks, of which those of interfaces and packets are read.

use std::time::Duration;

use super::{DecodeError, Packet, damaged};

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const ENHANCED_PACKET: u32 = 6;
/// The first option is behind the link's type, two unused bytes and the length of a snapshot.
const INTERFACE_OPTIONS: usize = 8;
/// Before the packet of a block: interface, time in two words, two lengths.
const PACKET_HEADER: usize = 20;
const OPTION_RESOLUTION: u16 = 9;

/// Where a packet was seen.
struct Interface {
    link: u32,
    /// Units of time in a second.
    resolution: u64,
}

pub(super) fn packets(file: &[u8]) -> Result<Vec<Packet<'_>>, DecodeError> {
    let mut reader = Reader { file, at: 0, big_endian: false, interfaces: Vec::new(), packets: Vec::new() };
    while reader.at < file.len() {
        reader.block()?;
    }
    Ok(reader.packets)
}

struct Reader<'a> {
    file: &'a [u8],
    at: usize,
    big_endian: bool,
    /// Of this section.
    interfaces: Vec<Interface>,
    packets: Vec<Packet<'a>>,
}

impl<'a> Reader<'a> {
    fn block(&mut self) -> Result<(), DecodeError> {
        let at = self.at;
        let rest = self.file.get(at..).unwrap_or_default();
        let (Some(head), Some(magic)) = (rest.get(..8), rest.get(..12)) else {
            return Err(damaged(at, "the head of a block is cut"));
        };
        if head.starts_with(&SECTION.to_be_bytes()) {
            self.big_endian = magic.get(8..) == Some(&[0x1a, 0x2b, 0x3c, 0x4d]);
            self.interfaces.clear();
        }
        let (kind, length) = (self.word(head, 0), self.word(head, 4) as usize);
        let body = length.checked_sub(12).filter(|_| length.is_multiple_of(4));
        let body = body.and_then(|body| rest.get(8..)?.get(..body).filter(|_| length <= rest.len()));
        let Some(body) = body else {
            let text = format!("a block of {length} bytes begins, {} are left", rest.len());
            return Err(damaged(at, text));
        };
        self.at = at.saturating_add(length);
        match kind {
            INTERFACE => self.interface(body),
            ENHANCED_PACKET => return self.packet(body, at),
            _ => {}
        }
        Ok(())
    }

    fn interface(&mut self, body: &[u8]) {
        let resolution = self.resolution(body.get(INTERFACE_OPTIONS..).unwrap_or_default());
        self.interfaces.push(Interface { link: self.half(body, 0).into(), resolution });
    }

    /// Of the options; a microsecond without one.
    fn resolution(&self, mut options: &[u8]) -> u64 {
        while let Some((head, rest)) = options.split_at_checked(4) {
            let length = usize::from(self.half(head, 2));
            match (self.half(head, 0), rest.first()) {
                (0, _) => break,
                (OPTION_RESOLUTION, Some(power)) if power & 0x80 == 0 => {
                    return 10_u64.checked_pow((*power).into()).unwrap_or(u64::MAX);
                }
                (OPTION_RESOLUTION, Some(power)) => return 1_u64 << (power & 0x7f).min(63),
                _ => options = rest.get(length.next_multiple_of(4)..).unwrap_or_default(),
            }
        }
        1_000_000
    }

    fn packet(&mut self, body: &'a [u8], at: usize) -> Result<(), DecodeError> {
        let number = self.word(body, 0) as usize;
        let Some(Interface { link, resolution }) = self.interfaces.get(number) else {
            return Err(damaged(at, format!("a packet is of interface {number}, which no block describes")));
        };
        let length = self.word(body, 12) as usize;
        let Some(bytes) = body.get(PACKET_HEADER..).and_then(|rest| rest.get(..length)) else {
            return Err(damaged(at, format!("a packet of {length} bytes does not fit into its block")));
        };
        let units = u64::from(self.word(body, 4)) << 32 | u64::from(self.word(body, 8));
        let nanos = u128::from(units % resolution) * 1_000_000_000 / u128::from(*resolution);
        let time = Duration::from_secs(units / resolution)
            .saturating_add(Duration::from_nanos(u64::try_from(nanos).unwrap_or_default()));
        self.packets.push(Packet { at: time, link: *link, bytes });
        Ok(())
    }

    /// 0 beyond the end, which the length of the packet then shows.
    fn word(&self, bytes: &[u8], at: usize) -> u32 {
        let word = bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default();
        if self.big_endian { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) }
    }

    fn half(&self, bytes: &[u8], at: usize) -> u16 {
        let half = bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default();
        if self.big_endian { u16::from_be_bytes(half) } else { u16::from_le_bytes(half) }
    }
}
