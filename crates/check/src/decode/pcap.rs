//! The classic form of captures: a header, then packets with their lengths.

use std::time::Duration;

use super::{DecodeError, Packet, damaged};

const FILE_HEADER: usize = 24;
const PACKET_HEADER: usize = 16;
/// Of the link's type in the header.
const LINK_AT: usize = 20;

/// How the numbers of a file are written.
#[derive(Clone, Copy)]
struct Form {
    big_endian: bool,
    /// How many nanoseconds the fraction counts.
    unit: u32,
}

impl Form {
    fn of(file: &[u8]) -> Option<Self> {
        Some(match file.first_chunk()? {
            [0xd4, 0xc3, 0xb2, 0xa1] => Self { big_endian: false, unit: 1000 },
            [0xa1, 0xb2, 0xc3, 0xd4] => Self { big_endian: true, unit: 1000 },
            [0x4d, 0x3c, 0xb2, 0xa1] => Self { big_endian: false, unit: 1 },
            [0xa1, 0xb2, 0x3c, 0x4d] => Self { big_endian: true, unit: 1 },
            _ => return None,
        })
    }

    fn word(self, bytes: &[u8], at: usize) -> Option<u32> {
        let word = *bytes.get(at..)?.first_chunk()?;
        Some(if self.big_endian { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) })
    }
}

pub(super) fn packets(file: &[u8]) -> Result<Vec<Packet<'_>>, DecodeError> {
    let form = Form::of(file).ok_or(DecodeError::Unknown)?;
    let link =
        form.word(file, LINK_AT).ok_or_else(|| damaged(file.len(), "the header of the file ends here"))?;
    let (mut at, mut packets) = (FILE_HEADER, Vec::new());
    while at < file.len() {
        let (packet, end) = packet(file, at, form, link & 0xffff)?;
        packets.push(packet);
        at = end;
    }
    Ok(packets)
}

fn packet(file: &[u8], at: usize, form: Form, link: u32) -> Result<(Packet<'_>, usize), DecodeError> {
    let header = file.get(at..).and_then(|rest| rest.get(..PACKET_HEADER));
    let header = header.ok_or_else(|| damaged(at, "the header of a packet is cut"))?;
    let word = |at| form.word(header, at).unwrap_or_default();
    let (length, from) = (word(8) as usize, at.saturating_add(PACKET_HEADER));
    let bytes = file.get(from..).and_then(|rest| rest.get(..length)).ok_or_else(|| {
        let left = file.len().saturating_sub(from);
        damaged(from, format!("a packet of {length} bytes begins, {left} are left"))
    })?;
    let time = Duration::from_secs(word(0).into())
        .saturating_add(Duration::from_nanos(u64::from(word(4)) * u64::from(form.unit)));
    Ok((Packet { at: time, link, bytes }, from.saturating_add(length)))
}
