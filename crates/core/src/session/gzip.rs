//! `gzip_packed`: an object in compressed form, unpacked up to a bound whatever it claims to hold.

use std::io::{Read as _, Write as _};

use dayfly_tl::mtproto::GzipPacked;
use dayfly_tl::{read_exact, to_bytes};
use flate2::Compression;
use flate2::read::{GzDecoder, ZlibDecoder};
use flate2::write::GzEncoder;

use crate::enforce;

/// Why a packed object was not unpacked.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GzipError {
    /// It is no `gzip_packed`, or bytes follow it.
    #[error("the object is not a gzip_packed")]
    NotPacked,
    /// The compressed stream has neither header, or is damaged or cut.
    #[error("the compressed stream is damaged")]
    Damaged,
    /// Rule MS-12: it holds more than the bound.
    #[error("the object unpacks to more than the limit")]
    TooLong,
}

/// Unpacks a boxed `gzip_packed` into at most `limit` bytes. The stream may have a gzip or a zlib header.
///
/// Source: Service Messages, "Packed Object" (rule MS-12).
///
/// # Errors
/// [`GzipError`], one variant for each way to fail.
pub fn unpack(object: &[u8], limit: usize) -> Result<Vec<u8>, GzipError> {
    let packed: GzipPacked<'_> = read_exact(object).map_err(|_| GzipError::NotPacked)?;
    let bound = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let mut unpacked = Vec::new();
    let outcome = match packed.packed_data {
        data @ [0x1f, 0x8b, ..] => GzDecoder::new(data).take(bound).read_to_end(&mut unpacked),
        data @ [0x78, ..] => ZlibDecoder::new(data).take(bound).read_to_end(&mut unpacked),
        _ => return Err(GzipError::Damaged),
    };
    outcome.map_err(|_| GzipError::Damaged)?;
    enforce!("MS-12.unpacked", unpacked.len() <= limit, GzipError::TooLong);
    Ok(unpacked)
}

/// The first four bytes of what a boxed `gzip_packed` holds, without unpacking the rest.
#[must_use]
pub fn first_word(object: &[u8], limit: usize) -> Option<[u8; 4]> {
    let packed: GzipPacked<'_> = read_exact(object).ok()?;
    let mut word = [0; 4];
    let outcome = match packed.packed_data {
        data @ [0x1f, 0x8b, ..] => GzDecoder::new(data).read_exact(&mut word),
        data @ [0x78, ..] => ZlibDecoder::new(data).read_exact(&mut word),
        _ => return None,
    };
    (outcome.is_ok() && limit >= word.len()).then_some(word)
}

/// Packs an object, with a gzip header; `None` where that makes it no shorter.
#[must_use]
pub fn pack(object: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(object).ok()?;
    let packed = to_bytes(&GzipPacked { packed_data: &encoder.finish().ok()? });
    (packed.len() < object.len()).then_some(packed)
}

#[cfg(test)]
mod tests {
    use flate2::write::ZlibEncoder;

    use super::*;

    fn zlib(object: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(object).unwrap();
        to_bytes(&GzipPacked { packed_data: &encoder.finish().unwrap() })
    }

    // rule: MS-12
    #[test]
    fn both_headers_are_taken_and_gzip_is_sent() {
        let object = [5; 1000];
        let packed = pack(&object).unwrap();
        assert!(packed.windows(2).any(|pair| pair == [0x1f, 0x8b]));
        assert_eq!(unpack(&packed, 1000).unwrap(), object);
        assert_eq!(unpack(&zlib(&object), 1000).unwrap(), object);
    }

    // rule: MS-12
    #[test]
    fn one_byte_over_the_bound_is_refused() {
        let packed = pack(&[0; 100_001]).unwrap();
        assert_eq!(unpack(&packed, 100_000), Err(GzipError::TooLong));
        assert!(unpack(&packed, 100_001).is_ok());
    }

    #[test]
    fn damaged_streams_are_named_so() {
        let mut packed = zlib(&[9; 500]);
        packed.truncate(packed.len() - 4);
        assert_eq!(unpack(&packed, 1000), Err(GzipError::NotPacked));
        let of = |data: &[u8]| unpack(&to_bytes(&GzipPacked { packed_data: data }), 1000);
        assert_eq!(of(b""), Err(GzipError::Damaged));
        assert_eq!(of(b"plain"), Err(GzipError::Damaged));
        assert_eq!(of(&[0x1f, 0x8b, 8, 0, 0]), Err(GzipError::Damaged));
        assert_eq!(of(&[0x78, 0x9c, 1, 2, 3]), Err(GzipError::Damaged));
    }

    #[test]
    fn what_does_not_shrink_is_left_alone() {
        assert_eq!(pack(b"short"), None);
    }
}
