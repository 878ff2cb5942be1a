//! The store through its public API.

mod backup;
mod common;
mod crash;
mod damage;
mod embedded;
mod front;
mod key_laws;
mod ram;
mod ram_model;
mod reseal;
mod sealing_source;
mod temp_laws;
