//! `dayfly keygen` and `dayfly fingerprint`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use dayfly_crypto::rsa_key::{KeyError, PrivateKey, PublicKey};
use serde_json::json;
use zeroize::Zeroizing;

use crate::args::{Fingerprint, Keygen};
use crate::report::line;

pub(crate) fn keygen(args: &Keygen) -> anyhow::Result<()> {
    let public_path = public_path(&args.file);
    for path in [&args.file, &public_path] {
        if path.exists() {
            bail!("{} exists already and is left as it is", path.display());
        }
    }
    let key = dayfly_server::generate(&args.file)?;
    dayfly_server::write_public(key.public(), &public_path)?;
    if args.json {
        line(&describe_json(key.public(), true, &[&args.file, &public_path])?);
    } else {
        line(&format!("private key   {} (mode 0600, to be kept secret)", args.file.display()));
        line(&format!("public key    {} (for clients)", public_path.display()));
        line(&format!("fingerprint   {}", key.fingerprint()));
    }
    Ok(())
}

/// `server.pem` gives `server.pub.pem`.
fn public_path(private: &Path) -> PathBuf {
    private.with_extension("pub.pem")
}

pub(crate) fn fingerprint(args: &Fingerprint) -> anyhow::Result<()> {
    let name = args.file.display();
    let text =
        Zeroizing::new(fs::read_to_string(&args.file).with_context(|| format!("{name}: cannot be read"))?);
    let (public, private) = either(&text).with_context(|| name.to_string())?;
    if args.json {
        line(&describe_json(&public, private, &[&args.file])?);
        return Ok(());
    }
    let kind = if private { "private key, 2048 bits" } else { "public key, 2048 bits" };
    line(&format!("{name}: {kind}"));
    line(&format!("fingerprint   {}", public.fingerprint()));
    line(&format!("on the wire   {}", hex_of(&public.fingerprint().0.to_le_bytes())));
    line(&format!("\nPKCS#1, for Telethon, TDLib, gramjs, mtcute:\n{}", public.to_pem()?.trim_end()));
    line(&format!("\nSPKI, for openssl and web APIs:\n{}", public.to_spki_pem()?.trim_end()));
    Ok(())
}

/// The public half, and whether the file held the private one too.
fn either(text: &str) -> Result<(PublicKey, bool), KeyError> {
    match PublicKey::from_pem(text) {
        Ok(public) => Ok((public, false)),
        Err(KeyError::PrivateKey) => PrivateKey::from_pem(text).map(|key| (key.public().clone(), true)),
        Err(error) => Err(error),
    }
}

fn describe_json(public: &PublicKey, private: bool, files: &[&Path]) -> anyhow::Result<String> {
    Ok(json!({
        "fingerprint": public.fingerprint().to_string(),
        "wire": hex_of(&public.fingerprint().0.to_le_bytes()),
        "private": private,
        "bits": 2048,
        "files": files,
        "pkcs1": public.to_pem()?,
        "spki": public.to_spki_pem()?,
    })
    .to_string())
}

fn hex_of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}
