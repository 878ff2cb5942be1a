//! Who looks over the shoulder of the lab's server.

use dayfly_core::observer::{Checked, Observer};

use super::event::What;

/// Keeps what the server shows until the engine takes it.
#[derive(Default)]
pub(super) struct Watch {
    pub(super) seen: Vec<What>,
}

impl Observer for Watch {
    fn value(&mut self, name: &'static str, bytes: &[u8]) {
        self.seen.push(What::Value { name, bytes: bytes.to_vec() });
    }

    fn check(&mut self, checked: Checked) {
        let Checked { rule, field, message, held, .. } = checked;
        self.seen.push(What::Checked { rule, field, message, held });
    }
}
