//! A server without I/O: [`ServerEndpoint`] and what goes in and out of it.

mod binding;
mod config;
mod connection;
mod destroying;
mod endpoint;
mod ends;
mod event;
mod few;
mod frames;
mod http;
mod live;
mod lookup;
mod routing;
mod sessions;
mod upstream;
mod view;
mod wire;

pub use config::EndpointConfig;
pub use connection::{ConnectionId, Output};
pub use destroying::{RevokeId, Revoked};
pub use endpoint::{KEY_EXCHANGE, ServerEndpoint};
pub use event::{EndReason, Event, KeyUse};
pub use upstream::{CallId, PushError, Recipient, UpstreamCall};
pub use view::{Census, ConnectionView, KeyView};
