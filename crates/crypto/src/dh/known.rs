//! The table of known safe primes.

use std::sync::{Arc, OnceLock};

use dayfly_modexp::Modulus;

use super::BYTES;
use super::group::Prime;

/// The `dh_prime` that Creating an Authorization Key prints, big-endian.
pub(super) const PUBLISHED: [u8; BYTES] = parse(
    b"C71CAEB9C6B1C9048E6C522F70F13F73980D40238E3E21C14934D037563D930F\
      48198A0AA7C14058229493D22530F4DBFA336F6E0AC925139543AED44CCE7C37\
      20FD51F69458705AC68CD4FE6B6B13ABDC9746512969328454F18FAF8C595F64\
      2477FE96BB2A941D5BCD1D4AC8CC49880708FA9B378E3C4F3A9060BEE67CF9A4\
      A4A695811051907E162753B56B0F6B410DBA74D8A84B2A14B3144E0EF1284754\
      FD17ED950D5965B4B9DD46582DB1178D169C6BC465B0D6FF9CA3928FEF5B9AE4\
      E418FC15E83EBEA0F87FA9FF5EED70050DED2849F47BF959D956850CE929851F\
      0D8115F635B105EE2E4E15D04B2454BF6F4FADF034B10403119CD8E3B92FCC5B",
);

/// The published prime, prepared once for the process.
#[expect(clippy::expect_used, reason = "the constant is odd; only a lack of memory can make this fail")]
pub(super) fn published() -> Arc<Prime> {
    static PREPARED: OnceLock<Arc<Prime>> = OnceLock::new();
    let prepare = || {
        let modulus = Modulus::new(&PUBLISHED).expect("the published prime makes a modulus");
        Arc::new(Prime { be: PUBLISHED, modulus })
    };
    Arc::clone(PREPARED.get_or_init(prepare))
}

#[expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "runs when compiling, on the constant above"
)]
const fn parse(hex: &[u8; BYTES * 2]) -> [u8; BYTES] {
    let mut out = [0; BYTES];
    let mut at = 0;
    while at < BYTES {
        out[at] = digit(hex[at * 2]) << 4 | digit(hex[at * 2 + 1]);
        at += 1;
    }
    out
}

#[expect(clippy::arithmetic_side_effects, reason = "runs when compiling, on the constant above")]
const fn digit(hex: u8) -> u8 {
    if hex.is_ascii_digit() { hex - b'0' } else { hex - b'A' + 10 }
}
