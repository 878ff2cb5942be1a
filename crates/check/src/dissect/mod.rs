//! Looks into messages: bytes to a tree of fields, each with its place.
//!
//! The schema that the binary embeds is the map, so every constructor and function of `schema/*.tl` is known by name. What
//! is in no schema is shown as bytes; what ends too early says where. No bytes are an error, and none make it panic.
//!
//! ```
//! use dayfly_check::dissect::{Secrets, Side, parts};
//!
//! let mut query = [0; 40]; // auth_key_id 0, msg_id 0
//! query[16] = 20; // the length
//! query[20..24].copy_from_slice(&0xbe7e_8ef1_u32.to_le_bytes());
//! let [payload] = &parts(&query, Side::Client, &Secrets::default())[..] else { panic!("nothing is sealed") };
//! let nonce = payload.dissect().find("nonce").cloned().expect("it is whole");
//! assert_eq!((nonce.offset, nonce.length), (24, 16));
//! ```

mod field;
mod notes;
mod open;
mod part;
mod schema;
mod secrets;
#[cfg(test)]
mod tests;
mod walk;

pub use dayfly_crypto::kdf::Side;
pub use field::{Field, Value};
pub use open::parts;
pub use part::{Form, Part};
pub(crate) use schema::constructor;
pub use secrets::Secrets;
pub(crate) use secrets::inner_nonces;
