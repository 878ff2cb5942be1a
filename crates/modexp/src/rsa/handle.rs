//! The owner of the library's RSA object.

use core::ptr::NonNull;

use aws_lc_sys::{CBS, EVP_PKEY, RSA};
use zeroize::Zeroizing;

use crate::Error;
use crate::bignum::{BigNum, done, made};

pub(super) struct Handle(NonNull<RSA>);

// SAFETY: an `RSA` has no ties to a thread. The library documents its operations as safe to call from several threads at
// once on one object: the cached blinding and Montgomery values are behind a lock of the object.
unsafe impl Send for Handle {}
// SAFETY: as above; nothing here changes the key after construction.
unsafe impl Sync for Handle {}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the handle owns one reference and gives it up once. The last one wipes the key's numbers.
        unsafe { aws_lc_sys::RSA_free(self.0.as_ptr()) };
    }
}

/// How one of the library's two structure parsers reads a key that stands in a wrapper.
type ParseWrapped = unsafe extern "C" fn(*mut CBS) -> *mut EVP_PKEY;

impl Handle {
    pub(super) fn from_public_numbers(n: &[u8], e: &[u8]) -> Result<Self, Error> {
        let (n, e) = (BigNum::from_be(n)?, BigNum::from_be(e)?);
        // SAFETY: both numbers are initialized; the function copies them and returns an object that is ours, or null.
        Self::own(unsafe { aws_lc_sys::RSA_new_public_key(n.as_ptr(), e.as_ptr()) })
    }

    pub(super) fn from_public_der(der: &[u8]) -> Result<Self, Error> {
        // SAFETY: `der` is readable for its length; the result is ours, or null.
        Self::own(unsafe { aws_lc_sys::RSA_public_key_from_bytes(der.as_ptr(), der.len()) })
    }

    pub(super) fn from_private_der(der: &[u8]) -> Result<Self, Error> {
        // SAFETY: `der` is readable for its length; the result is ours, or null.
        Self::own(unsafe { aws_lc_sys::RSA_private_key_from_bytes(der.as_ptr(), der.len()) })
    }

    /// A `SubjectPublicKeyInfo`.
    pub(super) fn from_spki_der(der: &[u8]) -> Result<Self, Error> {
        Self::from_wrapped(der, aws_lc_sys::EVP_parse_public_key)
    }

    /// A PKCS#8 `PrivateKeyInfo`.
    pub(super) fn from_pkcs8_der(der: &[u8]) -> Result<Self, Error> {
        Self::from_wrapped(der, aws_lc_sys::EVP_parse_private_key)
    }

    fn from_wrapped(der: &[u8], parse: ParseWrapped) -> Result<Self, Error> {
        // The library's reader is a pointer and a length; it lends `der` for this call.
        let mut reader = CBS { data: der.as_ptr(), len: der.len() };
        // SAFETY: `reader` describes readable bytes; `parse` is one of the library's two parsers, which take any bytes.
        let key = made(unsafe { parse(&mut reader) }).map_err(|_| Error::Key)?;
        // SAFETY: the key is valid; the result holds a reference of its own, or is null for a key of another kind.
        let rsa = Self::own(unsafe { aws_lc_sys::EVP_PKEY_get1_RSA(key.as_ptr()) });
        // SAFETY: our reference, given up once; `rsa` keeps its own.
        unsafe { aws_lc_sys::EVP_PKEY_free(key.as_ptr()) };
        if reader.len == 0 { rsa } else { Err(Error::Key) }
    }

    /// A fresh key pair with exponent 65537.
    pub(super) fn generate(bits: core::ffi::c_int) -> Result<Self, Error> {
        let exponent = BigNum::from_be(&[1, 0, 1])?;
        // SAFETY: no arguments; the result is ours, or null.
        let key = Self(made(unsafe { aws_lc_sys::RSA_new() })?);
        // SAFETY: key and exponent are valid; a null callback is allowed.
        done(unsafe {
            aws_lc_sys::RSA_generate_key_ex(key.as_mut_ptr(), bits, exponent.as_ptr(), core::ptr::null_mut())
        })?;
        Ok(key)
    }

    fn own(rsa: *mut RSA) -> Result<Self, Error> {
        made(rsa).map(Self).map_err(|_| Error::Key)
    }

    /// For the library's calls, which take `*mut` also where they change no more than caches behind the object's lock.
    pub(super) fn as_mut_ptr(&self) -> *mut RSA {
        self.0.as_ptr()
    }

    /// `n` and `e`, minimal big-endian.
    pub(super) fn public_numbers(&self) -> (Vec<u8>, Vec<u8>) {
        // SAFETY: the getters lend numbers of the object, present in every key that we made, for as long as it lives.
        unsafe {
            (bytes(aws_lc_sys::RSA_get0_n(self.0.as_ptr())), bytes(aws_lc_sys::RSA_get0_e(self.0.as_ptr())))
        }
    }

    /// The PKCS#1 `RSAPrivateKey`.
    pub(super) fn to_private_der(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let (mut out, mut len) = (core::ptr::null_mut(), 0);
        // SAFETY: both out-parameters are writable; on success `out` holds `len` bytes that we must free.
        done(unsafe { aws_lc_sys::RSA_private_key_to_bytes(&mut out, &mut len, self.0.as_ptr()) })?;
        let out = made(out)?;
        // SAFETY: `out` is readable for `len` bytes until freed in the next statement.
        let der = Zeroizing::new(unsafe { core::slice::from_raw_parts(out.as_ptr(), len) }.to_vec());
        // SAFETY: allocated by the library and freed once; its `free` wipes the bytes.
        unsafe { aws_lc_sys::OPENSSL_free(out.as_ptr().cast()) };
        Ok(der)
    }
}

/// Minimal big-endian bytes of a public number.
///
/// # Safety
/// `number` is null or a valid number that lives through the call.
unsafe fn bytes(number: *const aws_lc_sys::BIGNUM) -> Vec<u8> {
    if number.is_null() {
        return Vec::new();
    }
    // SAFETY: by the caller's promise the number is valid; the buffer has the length that the first call names.
    unsafe {
        let mut out = vec![0; aws_lc_sys::BN_num_bytes(number) as usize];
        aws_lc_sys::BN_bn2bin(number, out.as_mut_ptr());
        out
    }
}
