//! What a recorded conversation gives to somebody who has the long-term secrets.

use dayfly_crypto::kdf::{self, Side};
use dayfly_crypto::rsa_key::{Ciphertext, PrivateKey};
use dayfly_crypto::{AuthKey, NewNonce, ige, rsa_pad};
use dayfly_tl::mtproto::{
    ClientDhInnerData, PQInnerData, ReqDhParams, ServerDhInnerData, ServerDhParamsOk, SetClientDhParams,
};
use dayfly_tl::{Read, read_exact, read_prefix};

use crate::relay::{BODY, Conversation};

/// An encrypted message and who sent it.
pub(crate) struct Sealed<'a> {
    sender: Side,
    packet: &'a [u8],
}

impl Sealed<'_> {
    /// Whether `key` opens it, whatever key id it names.
    pub(crate) fn opens_with(&self, key: &AuthKey) -> bool {
        let Some((msg_key, encrypted)) = self.packet[8..].split_first_chunk::<16>() else { return false };
        let aes = kdf::v2_aes(key, msg_key, self.sender);
        let mut plain = encrypted.to_vec();
        ige::decrypt(&mut plain, &aes.key, &aes.iv).unwrap();
        kdf::v2_msg_key(key, &plain, self.sender).msg_key() == *msg_key
    }
}

/// All encrypted messages of the conversations.
pub(crate) fn sealed(conversations: &[Conversation]) -> Vec<Sealed<'_>> {
    let sent = conversations.iter().flat_map(|conversation| {
        let of_client = conversation.of_client.iter().map(|packet| (Side::Client, packet));
        of_client.chain(conversation.of_server.iter().map(|packet| (Side::Server, packet)))
    });
    let encrypted = sent.filter(|(_, packet)| packet.len() > 24 && packet[..8] != [0; 8]);
    encrypted.map(|(sender, packet)| Sealed { sender, packet }).collect()
}

/// What the RSA private key opens of an exchange.
pub(crate) struct Unlocked {
    pub(crate) new_nonce: [u8; 32],
    pub(crate) g_a: Vec<u8>,
    pub(crate) g_b: Vec<u8>,
}

/// What the RSA private key opens of each recorded exchange: new_nonce, and by it the two public values.
pub(crate) fn unlock(conversations: &[Conversation], key: &PrivateKey) -> Vec<Unlocked> {
    conversations.iter().filter_map(|conversation| unlock_one(conversation, key)).collect()
}

fn unlock_one(conversation: &Conversation, key: &PrivateKey) -> Option<Unlocked> {
    let asked: ReqDhParams<'_> = plain(&conversation.of_client)?;
    let answered: ServerDhParamsOk<'_> = plain(&conversation.of_server)?;
    let set: SetClientDhParams<'_> = plain(&conversation.of_client)?;
    let block = Ciphertext::parse(asked.encrypted_data, key.public()).unwrap();
    let raw = key.raw(&[&block]).unwrap();
    let data = rsa_pad::unwrap(raw[0].try_into().unwrap()).unwrap();
    let new_nonce = *match read_prefix::<PQInnerData<'_>>(&data).unwrap().0 {
        PQInnerData::PQInnerDataDc(m) => m.new_nonce,
        PQInnerData::PQInnerDataTempDc(m) => m.new_nonce,
        PQInnerData::PQInnerDataPlain(_) | PQInnerData::PQInnerDataTemp(_) => return None,
    };
    let keys = kdf::tmp_aes(&NewNonce::copy_of(&new_nonce), &asked.server_nonce);
    let open = |encrypted: &[u8]| {
        let mut data = encrypted.to_vec();
        ige::decrypt(&mut data, &keys.key, &keys.iv).unwrap();
        data.split_off(20) // behind the SHA1
    };
    let (of_server, of_client) = (open(answered.encrypted_answer), open(set.encrypted_data));
    let g_a = read_prefix::<ServerDhInnerData<'_>>(&of_server).unwrap().0.g_a.to_vec();
    let g_b = read_prefix::<ClientDhInnerData<'_>>(&of_client).unwrap().0.g_b.to_vec();
    Some(Unlocked { new_nonce, g_a, g_b })
}

/// The first plain message of this type.
fn plain<'a, T: Read<'a>>(packets: &'a [Vec<u8>]) -> Option<T> {
    packets.iter().filter_map(|packet| packet.get(BODY..)).find_map(|body| read_exact(body).ok())
}
