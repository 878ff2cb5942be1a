//! Opens what is sealed or packed in a message, as far as the secrets are known.

use dayfly_core::session::gzip;
use dayfly_crypto::{AesKeyIv, AuthKey, AuthKeyId, ige, kdf, kdf::Side};
use dayfly_tl::mtproto::GzipPacked;
use dayfly_tl::to_bytes;

use super::field::Field;
use super::part::{Form, Part};
use super::secrets::Secrets;
use super::walk::Inside;

/// What one message unpacks to at most, all its parts together.
const MOST_UNPACKED: usize = 4 << 20;
/// How many parts a message has at most.
const MOST_PARTS: usize = 64;

/// The payload and everything that can be opened in it, the outer before the inner.
#[must_use]
pub fn parts(payload: &[u8], sender: Side, secrets: &Secrets) -> Vec<Part> {
    let mut parts = vec![Part::new(Form::Payload, payload.to_vec())];
    parts.extend(message(payload, sender, secrets));
    let mut budget = MOST_UNPACKED;
    let mut next = 0;
    while let Some(part) = parts.get(next).filter(|_| next < MOST_PARTS) {
        let (root, inside) = part.walk();
        let opened: Vec<Part> =
            inside.iter().filter_map(|inside| open(inside, &root, secrets, &mut budget)).collect();
        parts.extend(opened);
        next += 1;
    }
    parts.truncate(MOST_PARTS);
    parts
}

/// An encrypted message. One whose `msg_key` is wrong is shown nevertheless, with that as its flaw.
fn message(payload: &[u8], sender: Side, secrets: &Secrets) -> Option<Part> {
    let (id, rest) = payload.split_first_chunk::<8>()?;
    let key = secrets.key(AuthKeyId::from_wire(*id))?;
    let (msg_key, encrypted) = rest.split_first_chunk::<16>()?;
    let mut bytes = decrypted(encrypted, &kdf::v2_aes(key, msg_key, sender))?;
    let right = kdf::v2_msg_key(key, &bytes, sender).msg_key() == *msg_key;
    if !right && kdf::v2_msg_key(key, &bytes, other(sender)).msg_key() == *msg_key {
        bytes = decrypted(encrypted, &kdf::v2_aes(key, msg_key, other(sender)))?;
    }
    let flaw = (!right).then(|| "the msg_key is not that of these bytes".to_owned());
    Some(Part { form: Form::Message, bytes, flaw })
}

fn other(side: Side) -> Side {
    match side {
        Side::Client => Side::Server,
        Side::Server => Side::Client,
    }
}

fn open(inside: &Inside, root: &Field, secrets: &Secrets, budget: &mut usize) -> Option<Part> {
    match (inside.owner, inside.name) {
        ("req_DH_params", _) => {
            let inner = secrets.inner_data(&nonce(root, "server_nonce")?)?;
            Some(Part::new(Form::InnerData, inner.to_vec()))
        }
        ("gzip_packed", _) => Some(unpacked(&inside.bytes, budget)),
        ("auth.bindTempAuthKey", _) => binding(&inside.bytes, secrets),
        _ => {
            let keys = secrets.tmp_aes(&nonce(root, "nonce")?, &nonce(root, "server_nonce")?)?;
            Some(Part::new(Form::Hashed, decrypted(&inside.bytes, &keys)?))
        }
    }
}

fn nonce(root: &Field, name: &str) -> Option<[u8; 16]> {
    root.find(name)?.bytes()?.try_into().ok()
}

fn unpacked(packed_data: &[u8], budget: &mut usize) -> Part {
    match gzip::unpack(&to_bytes(&GzipPacked { packed_data }), *budget) {
        Ok(bytes) => {
            *budget = budget.saturating_sub(bytes.len());
            Part::new(Form::Packed, bytes)
        }
        Err(error) => Part { form: Form::Packed, bytes: Vec::new(), flaw: Some(error.to_string()) },
    }
}

/// Source: auth.bindTempAuthKey (rule PF-07): MTProto 1.0, from client to server.
fn binding(message: &[u8], secrets: &Secrets) -> Option<Part> {
    let (id, rest) = message.split_first_chunk::<8>()?;
    let key: &AuthKey = secrets.key(AuthKeyId::from_wire(*id))?;
    let (msg_key, encrypted) = rest.split_first_chunk::<16>()?;
    let bytes = decrypted(encrypted, &kdf::v1_aes(key, msg_key, Side::Client))?;
    let signed = bytes.get(..BOUND).unwrap_or(&bytes);
    let right = kdf::v1_msg_key(signed) == *msg_key;
    let flaw = (!right).then(|| "the msg_key is not that of the 72 bytes before the padding".to_owned());
    Some(Part { form: Form::Binding, bytes, flaw })
}

/// Of a binding message, what its msg_key is made of: 32 bytes of header and the inner object.
const BOUND: usize = 72;

fn decrypted(encrypted: &[u8], keys: &AesKeyIv) -> Option<Vec<u8>> {
    let mut bytes = encrypted.to_vec();
    ige::decrypt(&mut bytes, &keys.key, &keys.iv).ok()?;
    Some(bytes)
}
