//! What the scripted server and the scripted client have in common.

use dayfly_crypto::{NewNonce, digest, ige, kdf};

use crate::input::Input;

/// Inner data as SHA1 + data + padding, encrypted under the temporary keys of a run.
///
/// With `odd` the script chooses how much padding there is, and may spoil the hash.
pub(crate) fn seal(
    inner: &[u8],
    new_nonce: &[u8; 32],
    server_nonce: &[u8; 16],
    odd: bool,
    input: &mut Input<'_>,
) -> Vec<u8> {
    let mut plain = [&digest::sha1(&[inner])[..], inner].concat();
    if odd {
        plain.extend_from_slice(input.short());
        plain[0] ^= input.u8();
    }
    plain.resize(plain.len().next_multiple_of(16), 0xaa);
    let keys = kdf::tmp_aes(&NewNonce::copy_of(new_nonce), server_nonce);
    ige::encrypt(&mut plain, &keys.key, &keys.iv).expect("whole blocks");
    plain
}

/// Flips up to eight bytes where the script says.
pub(crate) fn spoil(bytes: &mut Vec<u8>, input: &mut Input<'_>) {
    for _ in 0..input.u8() % 8 {
        let (at, with) = (usize::from(input.u16()), input.u8());
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= with;
        } else {
            bytes.truncate(at % 512);
        }
    }
}
