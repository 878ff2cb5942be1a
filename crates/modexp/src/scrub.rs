//! Overwriting the stack that a secret computation used.

use core::mem::MaybeUninit;

/// Depth for hashes and block ciphers, in bytes.
pub const SHALLOW: usize = 8 * 1024;

/// Depth for big-number work, in bytes: the library keeps its window tables on the stack.
pub const DEEP: usize = 64 * 1024;

/// Runs `work` in a stack frame of its own, then overwrites the `DEPTH` bytes of stack at and below that frame.
///
/// Compilers spill operands, callees leave partial states, and moving a value leaves the old bytes where they were; none
/// of it is reached by wiping on drop. Whatever `work` returns by value survives in the caller's frame, so secrets should
/// leave it boxed. [`SHALLOW`] and [`DEEP`] are the two depths to choose from.
pub fn scrubbed<const DEPTH: usize, R>(work: impl FnOnce() -> R) -> R {
    let result = in_own_frame(work);
    overwrite::<DEPTH>();
    result
}

#[inline(never)]
fn in_own_frame<R>(work: impl FnOnce() -> R) -> R {
    work()
}

#[inline(never)]
fn overwrite<const DEPTH: usize>() {
    let mut stack = MaybeUninit::<[u8; DEPTH]>::uninit();
    // SAFETY: the pointer is to `DEPTH` writable bytes of this frame. The function only writes, and being foreign code
    // it cannot be optimized away.
    unsafe { aws_lc_sys::OPENSSL_cleanse(stack.as_mut_ptr().cast(), DEPTH) };
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Leaves a recognizable array behind in its frame.
    #[inline(never)]
    fn leave_marks(seed: u8) -> u8 {
        let marks = core::hint::black_box([seed; 1024]);
        marks[seed as usize]
    }

    /// Counts the marks in an array that nobody initialized, at the depth where the marks were left.
    #[inline(never)]
    fn count_marks(seed: u8) -> usize {
        let mut stack = MaybeUninit::<[u8; 4096]>::uninit();
        let start = core::hint::black_box(stack.as_mut_ptr().cast::<u8>());
        // SAFETY: volatile reads of bytes of this very frame; whatever they hold is a valid `u8` once read from memory
        // that `black_box` may have written.
        (0..4096).filter(|&at| unsafe { start.add(at).read_volatile() } == seed).count()
    }

    #[test]
    fn the_stack_below_is_overwritten() {
        leave_marks(0xA7);
        let before = count_marks(0xA7);
        scrubbed::<SHALLOW, _>(|| leave_marks(0xA7));
        let after = count_marks(0xA7);
        assert!(before >= 512, "the test can see what stays behind: {before}");
        assert!(after < 16, "{after} marks survived");
    }
}
