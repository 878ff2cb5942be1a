use dayfly_core::env::{Now, SecureRandom as _};
use dayfly_server::{Answer, Reply, Upstream, UpstreamCall};
use dayfly_testkit::SeededRandom;
use tokio::sync::oneshot;

/// How long an answer of [`Verbose`] is.
pub(crate) const LONG: usize = 1 << 20;

/// Answers every call with a mebibyte that no compression shortens.
pub(crate) struct Verbose {
    _gone: oneshot::Sender<()>,
}

impl Verbose {
    /// The second resolves when the server's engine has ended, and this with it.
    pub(crate) fn new() -> (Self, oneshot::Receiver<()>) {
        let (gone, ended) = oneshot::channel();
        (Self { _gone: gone }, ended)
    }
}

impl Upstream for Verbose {
    fn call(&mut self, _: UpstreamCall, _: Now, reply: Reply) {
        let mut bytes = vec![0; LONG];
        SeededRandom::new(1).fill_public(&mut bytes).expect("an endless stream");
        reply.answer(Answer::Result(bytes));
    }
}
