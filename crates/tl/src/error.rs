//! Why bytes are not the TL object that was asked for.

/// Why bytes are not the TL object that was asked for. `at` is the byte offset from where reading began.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes end before the value does. A count of more items than bytes are left is found here too.
    #[error("unexpected end: {needed} bytes needed at offset {at}")]
    UnexpectedEnd {
        /// Where the missing bytes should begin.
        at: usize,
        /// How many bytes should be there, at least.
        needed: usize,
    },
    /// The constructor id is none of those that can stand here.
    #[error("constructor {id:#010x} at offset {at} cannot stand there")]
    UnknownConstructor {
        /// Where the id stands.
        at: usize,
        /// The id found.
        id: u32,
    },
    /// The value is whole, but bytes follow it.
    #[error("{len} bytes too many after the value, from offset {at}")]
    Trailing {
        /// The first byte too many.
        at: usize,
        /// How many there are.
        len: usize,
    },
    /// A string begins with byte 255, which no length has.
    #[error("the string at offset {at} begins with byte 255")]
    StringPrefix {
        /// Where the string begins.
        at: usize,
    },
    /// The `bytes` of a `message` is negative or not divisible by 4.
    #[error("the length {len} at offset {at} is negative or not divisible by 4")]
    BodyLength {
        /// Where the length stands.
        at: usize,
        /// The length found.
        len: i32,
    },
    /// Values stand in values more than [`MAX_DEPTH`](crate::MAX_DEPTH) deep.
    #[error("values are nested too deep at offset {at}")]
    TooDeep {
        /// Where the value begins that is one level too deep.
        at: usize,
    },
}
