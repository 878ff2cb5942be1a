//! What the tests share: a scripted world, a server in it, and puppets for both sides.

mod client_puppet;
mod rig;
mod server_puppet;
mod world;

pub(crate) use client_puppet::{ClientPuppet, hashed, rsa_pad, rsa_pad_with};
pub(crate) use rig::{Rig, Verdict};
pub(crate) use server_puppet::{ClientRig, ServerPuppet};
pub(crate) use world::{Zeros, body, forever, plain, private_key, public_key, seeded};
