#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dayfly_oracles::named("handshake_server")(data));
