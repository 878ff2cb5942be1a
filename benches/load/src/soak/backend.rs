//! The back end of the soak: runs calls and writes them down, and sends updates.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use dayfly_core::env::Now;
use dayfly_core::server::KeyUse;
use dayfly_server::{Answer, Edge, Reply, Upstream, UpstreamCall};
use tokio::time::sleep;

use super::ledger::Ledger;

/// The constructor of every call.
pub(crate) const CALL: u32 = 0x50a0_0001;
/// The constructor of every update.
pub(crate) const UPDATE: u32 = 0x50a0_0002;
/// One call in so many is answered late, so that some are always under way when a connection is cut.
const LATE: usize = 3;
const LATE_BY: Duration = Duration::from_millis(120);

/// Answers a call with the call.
pub(crate) struct Backend {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) edge: Arc<OnceLock<Edge>>,
}

impl Upstream for Backend {
    fn start(&mut self, edge: Edge) {
        // Called once.
        let _ = self.edge.set(edge);
    }

    fn call(&mut self, call: UpstreamCall, _: Now, reply: Reply) {
        let Some((client, number)) = numbers(CALL, &call.body) else {
            return reply.answer(Answer::Error { code: 400, message: "INPUT_METHOD_INVALID".to_owned() });
        };
        self.ledger.run(client, number, call.session_id.0, call.key_use == KeyUse::Permanent);
        let answer = Answer::Result(call.body);
        if number % LATE > 0 {
            return reply.answer(answer);
        }
        tokio::spawn(async move {
            sleep(LATE_BY).await;
            reply.answer(answer);
        });
    }
}

/// A call or an update: its constructor, whose it is, its number.
pub(crate) fn body(constructor: u32, client: usize, number: usize) -> Vec<u8> {
    let words = [u64::from(constructor), client as u64, number as u64];
    words.iter().flat_map(|word| u32::try_from(*word).unwrap_or(u32::MAX).to_le_bytes()).collect()
}

/// The client and the number in a [`body`]; `None` if it is another object.
pub(crate) fn numbers(constructor: u32, body: &[u8]) -> Option<(usize, usize)> {
    let words: Vec<u32> =
        body.chunks(4).filter_map(|word| word.try_into().ok()).map(u32::from_le_bytes).collect();
    match words.as_slice() {
        [word, client, number] if *word == constructor => Some((*client as usize, *number as usize)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_tells_whose_it_is() {
        assert_eq!(numbers(CALL, &body(CALL, 7, 70_000)), Some((7, 70_000)));
        assert_eq!(numbers(UPDATE, &body(CALL, 7, 70_000)), None);
        assert_eq!(numbers(CALL, &body(CALL, 7, 9)[..8]), None);
    }
}
