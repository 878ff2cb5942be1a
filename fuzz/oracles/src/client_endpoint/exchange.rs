//! The server's half of the key exchange, done rightly.

use dayfly_core::plain;
use dayfly_crypto::dh::SafePrimeGroup;
use dayfly_crypto::{NewNonce, kdf};
use dayfly_tl::mtproto::{
    DhGenOk, ReqDhParams, ReqPqMulti, ResPq, ServerDhInnerData, ServerDhParamsOk, SetClientDhParams,
};
use dayfly_tl::{LongVec, Reader, read_exact, to_bytes};

use super::Play;
use crate::handshake::{seal, spoil};
use crate::input::Input;
use crate::jobs::{public_value, shared_key};
use crate::keys::private_key;

/// 101 * 103, which is soon factored.
const PQ: [u8; 2] = 10_403_u16.to_be_bytes();

impl Play {
    /// Answers the last query of a key exchange rightly; with the top bit of `how` it is spoiled.
    pub(super) fn answer_query(&mut self, how: u8, input: &mut Input<'_>) {
        let Some(query) = self.link(how).and_then(|link| link.query.clone()) else { return };
        let Some(mut answer) = self.right_answer(&query) else { return };
        if how & 8 != 0 {
            spoil(&mut answer, input);
        }
        self.deliver(how, &plain::write(0x6000_0001, &answer));
    }

    fn right_answer(&mut self, query: &[u8]) -> Option<Vec<u8>> {
        let id = Reader::new(query).u32().expect("a constructor");
        match id {
            ReqPqMulti::CONSTRUCTOR => Some(res_pq(&read_exact(query).expect("req_pq_multi"))),
            ReqDhParams::CONSTRUCTOR => self.dh_params(&read_exact(query).expect("req_DH_params")),
            _ => self.dh_gen_ok(&read_exact(query).expect("set_client_DH_params")),
        }
    }

    fn dh_params(&self, m: &ReqDhParams<'_>) -> Option<Vec<u8>> {
        let (nonce, server_nonce) = (m.nonce, m.server_nonce);
        let new_nonce = self.world.watcher.new_nonce(&nonce)?;
        let group = SafePrimeGroup::published();
        let g_a = public_value(&nonce, &group);
        let inner = to_bytes(&ServerDhInnerData {
            nonce,
            server_nonce,
            g: 3,
            dh_prime: group.prime(),
            g_a: g_a.bytes(),
            server_time: i32::try_from(self.world.now.unix_seconds()).unwrap_or(i32::MAX),
        });
        let encrypted_answer = seal(&inner, &new_nonce, &server_nonce, false, &mut Input::new(&[]));
        Some(to_bytes(&ServerDhParamsOk { nonce, server_nonce, encrypted_answer: &encrypted_answer }))
    }

    fn dh_gen_ok(&mut self, m: &SetClientDhParams<'_>) -> Option<Vec<u8>> {
        let (nonce, server_nonce) = (m.nonce, m.server_nonce);
        let new_nonce = NewNonce::copy_of(&self.world.watcher.new_nonce(&nonce)?);
        let key = shared_key(&public_value(&nonce, &SafePrimeGroup::published()));
        let new_nonce_hash1 = kdf::new_nonce_hash(&new_nonce, 1, &key.aux_hash());
        self.keys.insert(key.id(), key);
        Some(to_bytes(&DhGenOk { nonce, server_nonce, new_nonce_hash1 }))
    }
}

fn res_pq(m: &ReqPqMulti) -> Vec<u8> {
    let longs = [private_key().fingerprint().0];
    to_bytes(&ResPq {
        nonce: m.nonce,
        server_nonce: m.nonce.map(|byte| !byte),
        pq: &PQ,
        server_public_key_fingerprints: LongVec::from_slice(&longs),
    })
}
