//! The whole system over real sockets: the shipped server, the shipped client, and peers that misbehave.
//!
//! Nothing here waits for a time to pass: a test goes on when what it waits for has happened, and clocks that must run are
//! moved by hand. Ports are the system's choice.

mod admin;
mod calls;
mod crowd;
mod grpc;
mod http;
mod key_exchange;
mod limits;
mod offenders;
mod proxy;
mod shutdown;
mod store_outage;
mod support;
mod tls;
mod transports;
mod upstream;
mod ways;
mod websocket;
