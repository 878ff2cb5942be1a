//! The transports through their public API: what goes over the wire, cut anywhere, and what is refused.

mod envelopes;
mod hostile;
mod obfuscation;
mod quick_ack;
mod refusals;
mod roundtrip;
mod support;
