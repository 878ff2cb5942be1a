//! The client's and the server's machine, against each other and against puppets that break one rule at a time.

mod client_refusals;
mod limits;
mod pair;
mod repeats;
mod restarts;
mod retry;
mod server_refusals;
mod support;
