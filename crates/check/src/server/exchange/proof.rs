//! Step 5: inner data, RSA_PAD and `req_DH_params`.

use dayfly_crypto::digest::sha256;
use dayfly_crypto::ige;
use dayfly_tl::mtproto::{PQInnerDataDc, PQInnerDataPlain, PQInnerDataTemp, PQInnerDataTempDc, ReqDhParams};
use dayfly_tl::to_bytes;

use super::{Exchange, misuse};
use crate::dice::Dice;
use crate::verdict::Outcome;

/// Bytes of the data in RSA_PAD, with its padding.
const PADDED: usize = 192;

impl Exchange {
    /// Inner data for a permanent key, after `change`.
    pub(crate) fn inner<'v>(&'v self, change: impl FnOnce(&mut PQInnerDataDc<'v>)) -> Vec<u8> {
        let mut inner = self.inner_fields();
        change(&mut inner);
        to_bytes(&inner)
    }

    /// The fields of right inner data for a permanent key.
    pub(crate) fn inner_fields(&self) -> PQInnerDataDc<'_> {
        PQInnerDataDc {
            pq: &self.pq,
            p: &self.p,
            q: &self.q,
            nonce: self.nonce,
            server_nonce: self.server_nonce,
            new_nonce: &self.new_nonce,
            dc: 2,
        }
    }

    /// Inner data for a temporary key, after `change`.
    pub(crate) fn inner_temp<'v>(
        &'v self,
        expires_in: i32,
        change: impl FnOnce(&mut PQInnerDataTempDc<'v>),
    ) -> Vec<u8> {
        let mut inner = PQInnerDataTempDc {
            pq: &self.pq,
            p: &self.p,
            q: &self.q,
            nonce: self.nonce,
            server_nonce: self.server_nonce,
            new_nonce: &self.new_nonce,
            dc: 2,
            expires_in,
        };
        change(&mut inner);
        to_bytes(&inner)
    }

    /// Inner data of the two forms that name no dc: for a temporary key if `expires_in` is there.
    pub(crate) fn inner_without_dc(&self, expires_in: Option<i32>) -> Vec<u8> {
        let Self { pq, p, q, new_nonce, .. } = self;
        let (nonce, server_nonce) = (self.nonce, self.server_nonce);
        match expires_in {
            None => to_bytes(&PQInnerDataPlain { pq, p, q, nonce, server_nonce, new_nonce }),
            Some(expires_in) => {
                to_bytes(&PQInnerDataTemp { pq, p, q, nonce, server_nonce, new_nonce, expires_in })
            }
        }
    }

    /// RSA_PAD of up to 192 bytes.
    pub(crate) fn rsa_pad(&self, data: &[u8], dice: &mut Dice) -> Outcome<[u8; 256]> {
        self.rsa_pad_with(data, dice, |_| {})
    }

    /// The same, with the 224 bytes of data_with_hash changed before they are encrypted.
    pub(crate) fn rsa_pad_with(
        &self,
        data: &[u8],
        dice: &mut Dice,
        change: impl Fn(&mut [u8]),
    ) -> Outcome<[u8; 256]> {
        let mut padded = data.to_vec();
        let filling: [u8; PADDED] = dice.bytes();
        padded.extend_from_slice(filling.get(data.len()..).unwrap_or_default());
        loop {
            let temp_key: [u8; 32] = dice.bytes();
            let hash = sha256(&[&temp_key, &padded]);
            let mut block: Vec<u8> = padded.iter().rev().copied().chain(hash).collect();
            change(&mut block);
            ige::encrypt(&mut block, &temp_key, &[0; 32]).map_err(misuse)?;
            let mask = sha256(&[&block]);
            let head = temp_key.iter().zip(mask).map(|(key, mask)| key ^ mask);
            let whole: Vec<u8> = head.chain(block).collect();
            if whole.as_slice() < self.key.n() {
                let whole: [u8; 256] = whole.try_into().map_err(|_| misuse("RSA_PAD has not 256 bytes"))?;
                return self.key.raw(&whole).map_err(misuse);
            }
        }
    }

    /// `req_DH_params` around encrypted data, after `change`.
    pub(crate) fn req_dh_params<'v>(
        &'v self,
        encrypted_data: &'v [u8],
        change: impl FnOnce(&mut ReqDhParams<'v>),
    ) -> Vec<u8> {
        let mut query = self.query(encrypted_data);
        change(&mut query);
        to_bytes(&query)
    }

    /// The fields of a right `req_DH_params`.
    pub(crate) fn query<'v>(&'v self, encrypted_data: &'v [u8]) -> ReqDhParams<'v> {
        ReqDhParams {
            nonce: self.nonce,
            server_nonce: self.server_nonce,
            p: &self.p,
            q: &self.q,
            public_key_fingerprint: self.key.fingerprint().0,
            encrypted_data,
        }
    }

    /// A right `req_DH_params` around this inner data.
    pub(crate) fn proof(&self, inner: &[u8], dice: &mut Dice) -> Outcome<Vec<u8>> {
        let encrypted_data = self.rsa_pad(inner, dice)?;
        Ok(self.req_dh_params(&encrypted_data, |_| {}))
    }
}
