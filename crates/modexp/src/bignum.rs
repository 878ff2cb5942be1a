//! Owners of the library's objects: each is freed, and with that wiped, when dropped.

use core::ptr::NonNull;

use aws_lc_sys::{BIGNUM, BN_CTX, BN_MONT_CTX};
use zeroize::Zeroizing;

use crate::Error;

/// Turns the library's 1/0 into a result and forgets the error that it queued for this thread.
pub(crate) fn done(code: core::ffi::c_int) -> Result<(), Error> {
    if code == 1 {
        return Ok(());
    }
    forget_errors();
    Err(Error::Library)
}

/// Turns the library's pointer into a non-null one and forgets the error that it queued for this thread.
pub(crate) fn made<T>(pointer: *mut T) -> Result<NonNull<T>, Error> {
    NonNull::new(pointer).ok_or_else(|| {
        forget_errors();
        Error::Library
    })
}

fn forget_errors() {
    // SAFETY: no arguments; the queue is the thread's own.
    unsafe { aws_lc_sys::ERR_clear_error() };
}

/// The bytes without leading zeros.
pub(crate) fn minimal(be: &[u8]) -> &[u8] {
    let zeros = be.iter().take_while(|byte| **byte == 0).count();
    &be[zeros..]
}

/// A non-negative number.
pub(crate) struct BigNum(NonNull<BIGNUM>);

impl BigNum {
    /// Zero.
    pub(crate) fn zero() -> Result<Self, Error> {
        // SAFETY: no arguments; the result is owned by us.
        made(unsafe { aws_lc_sys::BN_new() }).map(Self)
    }

    /// From big-endian bytes. The width in words follows from the number of bytes, not from the value.
    pub(crate) fn from_be(be: &[u8]) -> Result<Self, Error> {
        let number = Self::zero()?;
        // SAFETY: `be` is readable for its length, `number` is ours.
        made(unsafe { aws_lc_sys::BN_bin2bn(be.as_ptr(), be.len(), number.as_mut_ptr()) })?;
        Ok(number)
    }

    /// As exactly `len` big-endian bytes, in time that depends on `len` alone.
    pub(crate) fn to_be(&self, len: usize) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut bytes = Zeroizing::new(vec![0; len]);
        // SAFETY: `bytes` is writable for `len` bytes; the number is initialized.
        done(unsafe { aws_lc_sys::BN_bn2bin_padded(bytes.as_mut_ptr(), len, self.as_ptr()) })?;
        Ok(bytes)
    }

    pub(crate) fn as_ptr(&self) -> *const BIGNUM {
        self.0.as_ptr()
    }

    /// For results and for `BN_bin2bn`: the library takes `*mut` where it writes.
    pub(crate) fn as_mut_ptr(&self) -> *mut BIGNUM {
        self.0.as_ptr()
    }

    /// Whether this is below `other`. For public comparisons only.
    pub(crate) fn is_below(&self, other: &Self) -> bool {
        // SAFETY: both numbers are initialized and only read.
        unsafe { aws_lc_sys::BN_cmp(self.as_ptr(), other.as_ptr()) < 0 }
    }
}

impl Drop for BigNum {
    fn drop(&mut self) {
        // SAFETY: the pointer came from `BN_new` and is freed once.
        unsafe { aws_lc_sys::BN_clear_free(self.0.as_ptr()) };
    }
}

// SAFETY: a `BIGNUM` has no ties to a thread; after construction it is only read through `&self`.
unsafe impl Send for BigNum {}
// SAFETY: as above: shared access only reads.
unsafe impl Sync for BigNum {}

/// Scratch numbers of one computation. Made for each call: freeing it wipes what the computation left in it.
pub(crate) struct Scratch(NonNull<BN_CTX>);

impl Scratch {
    pub(crate) fn new() -> Result<Self, Error> {
        // SAFETY: no arguments; the result is owned by us.
        made(unsafe { aws_lc_sys::BN_CTX_new() }).map(Self)
    }

    pub(crate) fn as_mut_ptr(&mut self) -> *mut BN_CTX {
        self.0.as_ptr()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // SAFETY: the pointer came from `BN_CTX_new` and is freed once.
        unsafe { aws_lc_sys::BN_CTX_free(self.0.as_ptr()) };
    }
}

/// The Montgomery constants of a public, odd modulus.
pub(crate) struct Montgomery(NonNull<BN_MONT_CTX>);

impl Montgomery {
    pub(crate) fn new(modulus: &BigNum) -> Result<Self, Error> {
        let mut scratch = Scratch::new()?;
        // SAFETY: both pointers are valid for the call; the result is owned by us.
        made(unsafe { aws_lc_sys::BN_MONT_CTX_new_for_modulus(modulus.as_ptr(), scratch.as_mut_ptr()) })
            .map(Self)
    }

    pub(crate) fn as_ptr(&self) -> *const BN_MONT_CTX {
        self.0.as_ptr()
    }
}

impl Drop for Montgomery {
    fn drop(&mut self) {
        // SAFETY: the pointer came from `BN_MONT_CTX_new_for_modulus` and is freed once.
        unsafe { aws_lc_sys::BN_MONT_CTX_free(self.0.as_ptr()) };
    }
}

// SAFETY: never written after construction, and has no ties to a thread.
unsafe impl Send for Montgomery {}
// SAFETY: as above: shared access only reads.
unsafe impl Sync for Montgomery {}
