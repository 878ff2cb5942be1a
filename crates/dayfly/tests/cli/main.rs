//! The command line as somebody sees it who has just built it: what each command says, its exit code, and what it leaves
//! behind.

#[cfg(feature = "check")]
mod check;
mod config;
mod connect;
mod demo;
mod keys;
#[cfg(feature = "lab")]
mod lab;
mod open_files;
mod refused_starts;
mod reload;
mod rsa;
mod serve;
mod support;
mod terminal;
