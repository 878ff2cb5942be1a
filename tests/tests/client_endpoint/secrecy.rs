//! What a recording is worth once the temporary key is gone.

use dayfly_core::keys::kind::TrafficKey;
use dayfly_core::session::envelope;
use dayfly_crypto::AuthKeyId;
use dayfly_crypto::digest::sha1;
use dayfly_crypto::kdf::{self, Side};
use dayfly_crypto::rsa_key::Ciphertext;
use dayfly_crypto::{NewNonce, ige, rsa_pad};
use dayfly_tl::mtproto::{ClientDhInnerData, PQInnerDataTempDc, ReqDhParams, SetClientDhParams};
use dayfly_tl::{Read, Reader, read_prefix};

use crate::pair::Pair;
use crate::peers::{Key, private_key, public_key, seconds};

// rule: PF-16, PF-04
#[test]
fn the_permanent_key_opens_nothing_that_was_recorded() {
    let mut pair = Pair::with_perm();
    pair.start();
    for number in 0..5 {
        pair.call(number);
    }
    let perm = Key::perm(1).as_perm();
    let perm = TrafficKey::without_forward_secrecy(&perm);
    let recorded: Vec<_> = pair.sent.iter().filter(|(_, sent)| key_of(sent) != AuthKeyId(0)).collect();
    assert!(recorded.len() > 5);
    for (_, packet) in recorded {
        let mut packet = packet.clone();
        packet[..8].copy_from_slice(&perm.id().to_wire());
        assert!(envelope::open(&perm, Side::Client, &mut packet).is_err());
    }
}

/// Whoever has the RSA key later reads the exchange itself, and finds nothing but public values in it.
// rule: PF-16
#[test]
fn the_rsa_key_opens_the_exchange_and_the_shared_key_is_not_in_it() {
    let mut pair = Pair::with_perm();
    pair.start();
    let key = pair.made()[0];
    let auth_key = pair.rig.store.keys[&key].key.expose().to_vec();
    let plain: Vec<Vec<u8>> = pair.sent.iter().map(|(_, sent)| sent.clone()).collect();

    let (req, _) = find::<ReqDhParams<'_>>(&plain);
    let block = Ciphertext::parse(req.encrypted_data, &public_key()).unwrap();
    let raw = private_key().raw(&[&block]).unwrap();
    let inner = rsa_pad::unwrap(raw[0].try_into().unwrap()).unwrap();
    let (inner, _) = read_prefix::<PQInnerDataTempDc<'_>>(&inner).unwrap();
    let tmp = kdf::tmp_aes(&NewNonce::copy_of(inner.new_nonce), &inner.server_nonce);

    let (set, _) = find::<SetClientDhParams<'_>>(&plain);
    let mut hashed = set.encrypted_data.to_vec();
    ige::decrypt(&mut hashed, &tmp.key, &tmp.iv).unwrap();
    let (client, length) = read_prefix::<ClientDhInnerData<'_>>(&hashed[20..]).unwrap();
    assert_eq!(sha1(&[&hashed[20..20 + length]]), hashed[..20], "the exchange is read");
    assert_ne!(client.g_b, auth_key);
    assert!(!hashed.windows(16).any(|bytes| bytes == &auth_key[..16]));
}

/// The first plain message of the client that is one of these.
fn find<'a, T: Read<'a>>(sent: &'a [Vec<u8>]) -> (T, usize) {
    sent.iter().find_map(|message| read_prefix(message.get(20..)?).ok()).unwrap()
}

// rule: PF-16, PF-15
#[test]
fn after_its_end_neither_side_has_the_temporary_key_in_use() {
    let mut pair = Pair::with_perm().started();
    let key = *pair.links_of.keys().next().unwrap();
    let secret = std::sync::Arc::downgrade(&pair.rig.store.keys[&key].key);
    pair.pass(seconds(4100));
    assert_ne!(pair.bound(), []);
    pair.rig.store.forget(key); // what its place does at the key's second
    pair.pass(seconds(30));
    assert!(secret.upgrade().is_none(), "the last holder let go, and wiped it");
}

fn key_of(packet: &[u8]) -> AuthKeyId {
    AuthKeyId::from_wire(Reader::new(packet).take(8).unwrap().try_into().unwrap())
}
