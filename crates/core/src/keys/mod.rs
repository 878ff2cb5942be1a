//! Kinds of keys, the binding of a temporary key to a permanent one, and the client's plan of renewal.

pub mod bind;
pub mod kind;
pub mod requests;
pub mod rotation;
