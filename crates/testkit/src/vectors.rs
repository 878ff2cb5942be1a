//! The files of `vectors/`, by their own fields.
//!
//! Folders are listed, never spelled out, so that files can be added or taken away. What the fields mean is said in
//! `vectors/README.md`.

use std::fs;
use std::path::{Path, PathBuf};

use core::ops::Deref;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes, in JSON as upper-case hex in the order of the wire.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Hex(pub Vec<u8>);

impl Hex {
    /// As an array.
    ///
    /// # Panics
    /// If there are not exactly `N` bytes.
    #[must_use]
    pub fn array<const N: usize>(&self) -> [u8; N] {
        self.0.as_slice().try_into().unwrap_or_else(|_| panic!("{} bytes instead of {N}", self.0.len()))
    }
}

impl Deref for Hex {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl<T: Into<Vec<u8>>> From<T> for Hex {
    fn from(bytes: T) -> Self {
        Self(bytes.into())
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        hex::decode(&text).map(Self).map_err(|error| D::Error::custom(format_args!("{text}: {error}")))
    }
}

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode_upper(&self.0))
    }
}

/// Who sent a message.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Sender {
    /// The client.
    Client,
    /// The server.
    Server,
}

/// How inner data is encrypted.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// RSA_PAD, since 2021.
    RsaPad,
    /// SHA1 in front and random bytes behind, before that.
    Sha1,
}

/// A plain message as it went over the wire.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Message {
    /// Who sent it.
    pub dir: Sender,
    /// The constructor's name in the schema.
    pub name: String,
    /// `auth_key_id` 0, `message_id`, `message_length`, body.
    pub payload: Hex,
    /// How many bytes the length declares beyond those that are known.
    #[serde(default)]
    pub declared_extra_bytes: usize,
}

impl Message {
    /// The TL object.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.payload[20..]
    }

    /// The sender's message id.
    #[must_use]
    pub fn msg_id(&self) -> i64 {
        i64::from_le_bytes(Hex::from(&self.payload[8..16]).array())
    }

    /// The second of the sender's clock in the message id.
    #[must_use]
    pub fn unix_seconds(&self) -> u64 {
        self.msg_id().cast_unsigned() >> 32
    }

    /// The message as it was received: the bytes that are declared and not known are made up, as a receiver must skip
    /// them whatever they are.
    #[must_use]
    pub fn received(&self) -> Vec<u8> {
        let made_up =
            (0..self.declared_extra_bytes).map(|index| u8::try_from(index % 251).unwrap_or_default());
        self.payload.iter().copied().chain(made_up).collect()
    }
}

/// A handshake with Telegram's own servers.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "the fields are the specification's, and are explained in vectors/README.md")]
pub struct Recording {
    pub id: String,
    pub scheme: Scheme,
    pub nonce: Hex,
    pub server_nonce: Hex,
    pub new_nonce: Hex,
    pub pq: Hex,
    pub p: Hex,
    pub q: Hex,
    pub public_key_fingerprint: Hex,
    pub dc: Option<i32>,
    pub p_q_inner_data: Hex,
    pub encrypted_data: Hex,
    pub tmp_aes_key: Hex,
    pub tmp_aes_iv: Hex,
    pub answer_with_hash: Hex,
    pub answer_padding: Hex,
    pub g: i32,
    pub client_must_accept: bool,
    pub dh_prime: Hex,
    pub g_a: Hex,
    pub server_time: u64,
    pub b: Hex,
    pub g_b: Hex,
    #[serde(rename = "client_DH_padding")]
    pub client_dh_padding: Hex,
    pub auth_key: Hex,
    pub auth_key_id: Hex,
    pub auth_key_aux_hash: Hex,
    pub new_nonce_hash1: Hex,
    pub server_salt: Hex,
    pub messages: Vec<Message>,
}

impl Recording {
    /// The message whose name begins so.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn message(&self, name: &str) -> &Message {
        let found = self.messages.iter().find(|message| message.name.starts_with(name));
        found.unwrap_or_else(|| panic!("{} has no {name}", self.id))
    }
}

/// Every file of `vectors/handshake`.
///
/// # Panics
/// If there is none, or one that cannot be read.
#[must_use]
pub fn recordings() -> Vec<Recording> {
    folder("handshake")
}

/// Every JSON file of a folder of `vectors/`, in the order of their names.
///
/// # Panics
/// If there is none, or one that cannot be read; the message names the file.
#[must_use]
pub fn folder<T: DeserializeOwned>(name: &str) -> Vec<T> {
    let folder = path(name);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths =
        entries.map(|entry| entry.unwrap_or_else(|error| panic!("{}: {error}", folder.display())).path());
    let mut files: Vec<_> = paths.filter(|path| path.extension().is_some_and(|ext| ext == "json")).collect();
    files.sort();
    assert!(!files.is_empty(), "{} holds no JSON file", folder.display());
    files.iter().map(|file| read(file)).collect()
}

/// A path below `vectors/`.
#[must_use]
pub fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors").join(name)
}

fn read<T: DeserializeOwned>(file: &Path) -> T {
    let text = fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_is_read_in_either_case_and_written_in_upper() {
        let bytes: Hex = serde_json::from_str("\"aBcD\"").unwrap();
        assert_eq!(bytes.array(), [0xab, 0xcd]);
        assert_eq!(serde_json::to_string(&bytes).unwrap(), "\"ABCD\"");
        assert!(serde_json::from_str::<Hex>("\"abc\"").is_err());
    }

    #[test]
    fn declared_bytes_are_made_up() {
        let message = recordings()
            .into_iter()
            .flat_map(|recording| recording.messages)
            .find(|message| message.declared_extra_bytes > 0);
        let message = message.expect("one recording declares more than it prints");
        let declared = u32::from_le_bytes(message.received()[16..20].try_into().unwrap());
        assert_eq!(message.received().len(), 20 + declared as usize);
    }

    #[test]
    fn a_second_is_read_from_a_message_id() {
        let message = &recordings()[0].messages[1];
        assert_eq!(message.dir, Sender::Server);
        assert_eq!(message.msg_id() % 4, 1);
        assert!(message.unix_seconds() > 1_370_000_000);
    }
}
