//! Finding the key in a PEM file, with errors that name the line.

use pem_rfc7468::Decoder;
use zeroize::Zeroizing;

use super::KeyError;

/// PKCS#1 public key.
pub(super) const RSA_PUBLIC: &str = "RSA PUBLIC KEY";
/// `SubjectPublicKeyInfo`.
pub(super) const PUBLIC: &str = "PUBLIC KEY";
/// PKCS#1 private key.
pub(super) const RSA_PRIVATE: &str = "RSA PRIVATE KEY";
/// PKCS#8 private key.
pub(super) const PRIVATE: &str = "PRIVATE KEY";

/// What the label says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    RsaPublic,
    Public,
    RsaPrivate,
    Private,
    Encrypted,
    Other,
}

/// The first PEM block of a text.
pub(super) struct Block {
    pub(super) kind: Kind,
    /// Of the BEGIN line, counted from 1.
    pub(super) line: usize,
    pub(super) der: Zeroizing<Vec<u8>>,
}

impl Block {
    /// Reads the first block of `text`; what stands around it is skipped.
    pub(super) fn first(text: &str, expected: &'static str) -> Result<Self, KeyError> {
        let found = Found::first(text).ok_or(KeyError::NoPem { expected })?;
        let Found { label, line, .. } = found;
        let kind = kind_of(label);
        if matches!(kind, Kind::Encrypted | Kind::Other) {
            return Ok(Self { kind, line, der: Zeroizing::default() });
        }
        let body = found.body()?;
        if body.contains("ENCRYPTED") {
            return Ok(Self { kind: Kind::Encrypted, line, der: Zeroizing::default() });
        }
        found.check_lines(body)?;
        let der = found.decode(body).ok_or(KeyError::Damaged { line })?;
        Ok(Self { kind, line, der })
    }
}

fn kind_of(label: &str) -> Kind {
    match label {
        RSA_PUBLIC => Kind::RsaPublic,
        PUBLIC => Kind::Public,
        RSA_PRIVATE => Kind::RsaPrivate,
        PRIVATE => Kind::Private,
        "ENCRYPTED PRIVATE KEY" => Kind::Encrypted,
        _ => Kind::Other,
    }
}

/// Where a block begins.
#[derive(Clone, Copy)]
struct Found<'a> {
    label: &'a str,
    line: usize,
    /// All that follows the BEGIN line.
    rest: &'a str,
}

impl<'a> Found<'a> {
    fn first(text: &'a str) -> Option<Self> {
        let mut rest = text;
        for line in 1.. {
            let (this, after) = rest.split_once('\n').unwrap_or((rest, ""));
            let label = this.trim().strip_prefix("-----BEGIN ").and_then(|label| label.strip_suffix("-----"));
            if let Some(label) = label {
                return Some(Self { label, line, rest: after });
            }
            if after.is_empty() {
                break;
            }
            rest = after;
        }
        None
    }

    /// What stands between the BEGIN line and the END line.
    fn body(&self) -> Result<&'a str, KeyError> {
        let end = format!("-----END {}-----", self.label);
        let (body, _) = self.rest.split_once(&end).ok_or(KeyError::NoEnd { line: self.line })?;
        Ok(body)
    }

    fn check_lines(&self, body: &str) -> Result<(), KeyError> {
        let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
        match body.lines().position(|line| !line.trim().bytes().all(is_base64)) {
            None => Ok(()),
            Some(index) => Err(KeyError::Line { line: self.line.saturating_add(index).saturating_add(1) }),
        }
    }

    /// Puts the base64 into lines of 64 characters, whatever its own were, and decodes it.
    fn decode(&self, body: &str) -> Option<Zeroizing<Vec<u8>>> {
        let mut base64 = Zeroizing::new(Vec::with_capacity(body.len()));
        base64.extend(body.bytes().filter(|byte| !byte.is_ascii_whitespace()));
        let mut pem = Zeroizing::new(Vec::with_capacity(body.len().checked_mul(2)?.checked_add(128)?));
        pem.extend_from_slice(format!("-----BEGIN {}-----\n", self.label).as_bytes());
        for line in base64.chunks(64) {
            pem.extend_from_slice(line);
            pem.push(b'\n');
        }
        pem.extend_from_slice(format!("-----END {}-----\n", self.label).as_bytes());
        let mut decoder = Decoder::new(&pem).ok()?;
        let mut der = Zeroizing::new(vec![0; decoder.remaining_len()]);
        decoder.decode(&mut der).ok()?;
        Some(der)
    }
}

/// A block with lines of 64 characters.
pub(super) fn encode(label: &str, der: &[u8]) -> Result<String, KeyError> {
    let damaged = |_| KeyError::Damaged { line: 1 };
    pem_rfc7468::encode_string(label, pem_rfc7468::LineEnding::LF, der).map_err(damaged)
}
