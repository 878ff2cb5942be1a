//! What both drivers need: the key that the suite says is to be trusted, and calls in turn.
//!
//! The RSA keys of grammers and ferogram are compiled in, and neither has a way to name another. `../build` lets a copy of the one
//! function that looks them up read one more from [`KEY_VARIABLE`].

use std::error::Error;
use std::fmt::Display;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use num_bigint::BigUint;
use sha1::{Digest, Sha1};

/// Where the changed libraries look: fingerprint, modulus and exponent in decimal, with a space between.
pub const KEY_VARIABLE: &str = "FINDINGS_RSA_KEY";

/// How long a driver waits after each call, whatever came of it.
pub const BREATH: Duration = Duration::from_millis(100);

/// SEQUENCE and INTEGER of two bytes of length each, and a zero for the sign.
const BEFORE_MODULUS: usize = 9;
const MODULUS: usize = 256;
/// INTEGER of one byte of length.
const BEFORE_EXPONENT: usize = 2;

/// Reads the words `ADDRESS PUBLIC-KEY.pem` and returns the address. The key has to be in the environment before the program
/// begins: where it is not, the program is replaced by itself with it.
///
/// # Errors
/// Other words than these, no key of 2,048 bits in PKCS#1, or a program that cannot be started.
pub fn trust_and_address() -> Result<String, Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [address, pem] = words.as_slice() else { return Err("usage: ADDRESS PUBLIC-KEY.pem".into()) };
    if std::env::var_os(KEY_VARIABLE).is_some() {
        return Ok(address.clone());
    }
    let (modulus, exponent) = read_key(Path::new(pem))?;
    let fingerprint = fingerprint(&modulus, &exponent);
    let (n, e) = (BigUint::from_bytes_be(&modulus), BigUint::from_bytes_be(&exponent));
    let mut again = Command::new(std::env::current_exe()?);
    Err(again.args(&words).env(KEY_VARIABLE, format!("{fingerprint} {n} {e}")).exec().into())
}

/// Makes the calls 0 and 1 in turn, each again until it is answered.
pub async fn call_for_ever<E: Display, F: Future<Output = Result<(), E>>>(call: impl Fn(usize) -> F) {
    for turn in 0_usize.. {
        while let Err(error) = call(turn % 2).await {
            eprintln!("{error}");
            tokio::time::sleep(BREATH).await;
        }
        tokio::time::sleep(BREATH).await;
    }
}

fn read_key(path: &Path) -> Result<(Vec<u8>, Vec<u8>), Box<dyn Error>> {
    let text = std::fs::read_to_string(path)?;
    let lines: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    let der = BASE64_STANDARD.decode(lines)?;
    let modulus = der.get(BEFORE_MODULUS..BEFORE_MODULUS + MODULUS).ok_or("a key that is too short")?;
    let exponent =
        der.get(BEFORE_MODULUS + MODULUS + BEFORE_EXPONENT..).ok_or("a key without an exponent")?;
    Ok((modulus.to_vec(), exponent.to_vec()))
}

/// The last eight bytes of the SHA1 over both numbers as TL strings.
fn fingerprint(modulus: &[u8], exponent: &[u8]) -> i64 {
    let hash = Sha1::new()
        .chain_update([254, 0, 1, 0]) // a long string of 256 bytes
        .chain_update(modulus)
        .chain_update([3]) // 65537 has three bytes, as every exponent in use
        .chain_update(exponent)
        .finalize();
    i64::from_le_bytes(hash[12..].try_into().expect("a SHA1 has 20 bytes"))
}
