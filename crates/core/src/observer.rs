//! Somebody who watches an exchange: the lab, a test, a transcript. The empty one compiles away.

/// Which way a message went, seen from the machine that reports it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Direction {
    /// It came from the peer.
    In,
    /// It goes to the peer.
    Out,
}

/// A message, lent for the length of the call.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// Which way it went.
    pub direction: Direction,
    /// The constructor's name in the schema, such as `resPQ`.
    pub name: &'static str,
    /// The serialized object, constructor id first.
    pub bytes: &'a [u8],
}

/// A check that was made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Checked {
    /// The rule, such as `HS-06`.
    pub rule: &'static str,
    /// The field that was looked at, by its name in the schema.
    pub field: &'static str,
    /// Where the field stands in its message, in bytes, where that is known.
    pub offset: Option<usize>,
    /// What it means if it did not hold, in a sentence without its full stop.
    pub message: &'static str,
    /// Whether it held.
    pub held: bool,
}

/// Sees each message, derived value and check. Everything is lent, nothing copied; the default methods do nothing.
///
/// Values include secrets (`tmp_aes_key`, `new_nonce`): an observer that keeps them gives forward secrecy away. The
/// shipped server and client are built with [`NoObserver`], by type.
pub trait Observer {
    /// A message came or goes.
    fn message(&mut self, seen: Seen<'_>) {
        let _ = seen;
    }

    /// A value was derived, named as the specification names it.
    fn value(&mut self, name: &'static str, bytes: &[u8]) {
        let _ = (name, bytes);
    }

    /// A check was made.
    fn check(&mut self, checked: Checked) {
        let _ = checked;
    }
}

/// Sees nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoObserver;

impl Observer for NoObserver {}
