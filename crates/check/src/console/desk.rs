//! What the console works on.

use std::net::SocketAddr;
use std::sync::Arc;

use dayfly_server::PageNames;

use crate::lab::Lab;
use crate::recording::SharedBook;
use crate::scenario::Scenario;

/// What a console is made of.
pub struct DeskParts {
    /// The lab that it controls.
    pub lab: Arc<Lab>,
    /// What happened there.
    pub book: SharedBook,
    /// What the lab was told at its start; a reset goes back to it.
    pub scenario: Scenario,
    /// The lab's public RSA key, in PEM.
    pub public_key: String,
}

/// What every request is answered from.
pub struct Desk {
    pub(super) names: PageNames,
    pub(super) parts: DeskParts,
}

impl Desk {
    pub(super) fn new(address: SocketAddr, parts: DeskParts) -> Self {
        Self { names: PageNames::new(address, &[], false), parts }
    }
}
