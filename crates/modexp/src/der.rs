//! The few bytes of DER that wrap an RSA public key.

/// `SEQUENCE { OBJECT IDENTIFIER rsaEncryption, NULL }`. Source: RFC 8017, appendix A.1.
const RSA_ENCRYPTION: [u8; 15] =
    [0x30, 0x0D, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01, 0x05, 0x00];

/// A `SubjectPublicKeyInfo` around a PKCS#1 `RSAPublicKey`. Source: RFC 5280, section 4.1.
pub(crate) fn public_key_info(pkcs1: &[u8]) -> Vec<u8> {
    let bit_string = element(0x03, &[&[0], pkcs1].concat());
    element(0x30, &[RSA_ENCRYPTION.as_slice(), &bit_string].concat())
}

/// A PKCS#1 `RSAPublicKey`: `SEQUENCE { INTEGER n, INTEGER e }`. Source: RFC 8017, appendix A.1.1.
pub(crate) fn rsa_public_key(n: &[u8], e: &[u8]) -> Vec<u8> {
    element(0x30, &[unsigned(n), unsigned(e)].concat())
}

/// A non-negative `INTEGER` from minimal big-endian bytes.
fn unsigned(be: &[u8]) -> Vec<u8> {
    let sign: &[u8] = if be.first().is_none_or(|byte| byte & 0x80 != 0) { &[0] } else { &[] };
    element(0x02, &[sign, be].concat())
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let len = content.len().to_be_bytes();
    let significant = &len[len.iter().take_while(|byte| **byte == 0).count()..];
    let mut out = vec![tag];
    match significant {
        [] => out.push(0),
        [short] if *short < 0x80 => out.push(*short),
        long => {
            out.push(0x80 | long.len() as u8);
            out.extend_from_slice(long);
        }
    }
    out.extend_from_slice(content);
    out
}
