//! What can be wrong with a key file, for people.

/// Why a key was not taken: what it is, and what is needed instead.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// There is no PEM block.
    #[error("no PEM block found; a line such as \"-----BEGIN {expected}-----\" is needed")]
    NoPem {
        /// The usual label of the kind of key that is needed.
        expected: &'static str,
    },
    /// A PEM block begins and does not end.
    #[error("the PEM block that begins in line {line} has no \"-----END ...-----\" line")]
    NoEnd {
        /// Counted from 1.
        line: usize,
    },
    /// A line inside the block is not base64.
    #[error("line {line} of the PEM block is not base64")]
    Line {
        /// Counted from 1, from the start of the text.
        line: usize,
    },
    /// All lines are base64, but they do not fit together.
    #[error("the PEM block that begins in line {line} is damaged: its lines do not fit together")]
    Damaged {
        /// Counted from 1.
        line: usize,
    },
    /// A public key where a private one is needed.
    #[error("a public key where a private one is needed")]
    PublicKey,
    /// A private key where a public one is needed.
    #[error("a private key where a public one is needed; it should not be given away")]
    PrivateKey,
    /// A private key under a pass phrase.
    #[error("the private key is encrypted with a pass phrase; it is needed without")]
    Encrypted,
    /// Something else in PEM.
    #[error("the PEM block in line {line} holds no RSA key; \"-----BEGIN {expected}-----\" is needed")]
    OtherLabel {
        /// Counted from 1.
        line: usize,
        /// The usual label of the kind of key that is needed.
        expected: &'static str,
    },
    /// The label is right; the contents are not.
    #[error(
        "the PEM block is labelled \"{label}\", but holds no such RSA key, or one whose numbers contradict each other"
    )]
    Contents {
        /// The label.
        label: &'static str,
    },
    /// A modulus of another length.
    #[error("the RSA key has {bits} bits, 2048 are needed")]
    Bits {
        /// What it has.
        bits: usize,
    },
    /// The numbers are no RSA key.
    #[error("these numbers are no RSA public key")]
    Numbers,
    /// The big-number library failed.
    #[error("the RSA key could not be used: {0}")]
    Internal(#[from] dayfly_modexp::Error),
}
