//! What is inside `encrypted_data` of `req_DH_params`, before RSA.

use dayfly_crypto::{digest, ige};
use dayfly_tl::mtproto::{PQInnerDataDc, PQInnerDataPlain, PQInnerDataTemp, PQInnerDataTempDc};
use dayfly_tl::to_bytes;

use super::Run;
use crate::jobs::expand;

/// One of the four forms.
pub(super) fn inner_data(run: &Run, new_nonce: &[u8; 32], form: u8) -> Vec<u8> {
    let Run { name: (nonce, server_nonce), pq, p, q, .. } = run;
    let (nonce, server_nonce, dc, expires_in) = (*nonce, *server_nonce, i32::from(form >> 4), 3600);
    match form & 3 {
        0 => to_bytes(&PQInnerDataTempDc { pq, p, q, nonce, server_nonce, new_nonce, dc, expires_in }),
        1 => to_bytes(&PQInnerDataDc { pq, p, q, nonce, server_nonce, new_nonce, dc }),
        2 => to_bytes(&PQInnerDataTemp { pq, p, q, nonce, server_nonce, new_nonce, expires_in }),
        _ => to_bytes(&PQInnerDataPlain { pq, p, q, nonce, server_nonce, new_nonce }),
    }
}

/// The block of RSA_PAD before RSA, by the letter of the specification.
pub(super) fn rsa_pad(data: &[u8], seed: u8) -> [u8; 256] {
    let mut padded = data.to_vec();
    padded.resize(192, seed);
    let temp_key = [seed; 32];
    let mut data_with_hash: Vec<u8> = padded.iter().rev().copied().collect();
    data_with_hash.extend(digest::sha256(&[&temp_key, &padded]));
    ige::encrypt(&mut data_with_hash, &temp_key, &[0; 32]).expect("whole blocks");
    let mut block = [0; 256];
    let mask = digest::sha256(&[&data_with_hash]);
    block.iter_mut().zip(temp_key.iter().zip(mask)).for_each(|(to, (key, mask))| *to = key ^ mask);
    block[32..].copy_from_slice(&data_with_hash);
    block
}

/// The block of the older scheme before RSA.
pub(super) fn rsa_old(data: &[u8]) -> [u8; 256] {
    let mut block = [0xee; 256];
    block[0] = 0;
    block[1..21].copy_from_slice(&digest::sha1(&[data]));
    block[21..].iter_mut().zip(data).for_each(|(to, from)| *to = *from);
    block
}

/// What is sent for a block: any number below the modulus, as long as it is another one for another block.
pub(super) fn ciphertext(block: &[u8; 256]) -> Vec<u8> {
    let mut bytes = expand(&[block]).to_vec();
    bytes[0] = 0;
    bytes
}
