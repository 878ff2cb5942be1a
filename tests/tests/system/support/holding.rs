use dayfly_core::env::Now;
use dayfly_server::{Reply, Upstream, UpstreamCall};
use tokio::sync::mpsc;

/// Answers no call, and hands the test what would.
pub(crate) struct Holding {
    held: mpsc::UnboundedSender<Reply>,
}

impl Holding {
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<Reply>) {
        let (held, replies) = mpsc::unbounded_channel();
        (Self { held }, replies)
    }
}

impl Upstream for Holding {
    fn call(&mut self, _: UpstreamCall, _: Now, reply: Reply) {
        // Fails only when the test is over: the call then gets its error.
        let _ = self.held.send(reply);
    }
}
