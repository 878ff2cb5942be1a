//! Full: length, sequence number, payload and CRC32 of the three, the length counting all of its 12 bytes.

use dayfly_crypto::enforce;

use super::TransportError;
use super::codec::{Envelope, Head, word};

/// Length and sequence number.
const BEFORE: usize = 8;
/// CRC32.
const AFTER: usize = 4;

/// The sequence numbers of one connection: from 0 each way.
#[derive(Debug, Default)]
pub(super) struct Counters {
    received: u32,
    sent: u32,
}

/// Reads the length. One below 12 announces no payload.
pub(super) fn head(bytes: &[u8]) -> Option<Head> {
    let len = (word(bytes)? as usize).saturating_sub(BEFORE + AFTER);
    Some(Head::Envelope(Envelope { quick_ack: false, before: BEFORE, len, after: AFTER }))
}

impl Counters {
    /// Checks the sequence number as soon as it is there.
    pub(super) fn check_sequence(&self, bytes: &[u8]) -> Result<(), TransportError> {
        let Some(got) = bytes.get(4..).and_then(word) else { return Ok(()) };
        let expected = self.received;
        enforce!("TR-01.sequence", got == expected, TransportError::SequenceNumber { expected, got });
        Ok(())
    }

    /// Checks the CRC32 at the end of a whole frame and counts the frame.
    pub(super) fn check_crc(&mut self, frame: &[u8]) -> Result<(), TransportError> {
        if let Some((covered, crc)) = frame.split_last_chunk() {
            let (expected, got) = (crc32fast::hash(covered), u32::from_le_bytes(*crc));
            enforce!("TR-01.crc", got == expected, TransportError::Crc { expected, got });
        }
        self.received = self.received.wrapping_add(1);
        Ok(())
    }

    /// Appends a whole frame and counts it. The payload is shorter than 2^31 bytes.
    pub(super) fn write(&mut self, payload: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        let [a, b, c, d, ..] = payload.len().saturating_add(BEFORE + AFTER).to_le_bytes();
        out.extend_from_slice(&[a, b, c, d]);
        out.extend_from_slice(&self.sent.to_le_bytes());
        out.extend_from_slice(payload);
        let crc = crc32fast::hash(out.get(start..).unwrap_or_default());
        out.extend_from_slice(&crc.to_le_bytes());
        self.sent = self.sent.wrapping_add(1);
    }
}
