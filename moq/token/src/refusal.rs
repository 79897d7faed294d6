use thiserror::Error;

use crate::UnixTime;

/// Why a token is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// It is larger than [`Verifier::MAX_TOKEN`](crate::Verifier::MAX_TOKEN).
    #[error("a token has at most {limit} bytes, got {got}")]
    TooLarge {
        /// The most bytes it has.
        limit: usize,
        /// How many it has.
        got: usize,
    },
    /// It is not a token, or says something impossible.
    #[error("the token does not parse: {0}")]
    Malformed(String),
    /// Its header names no key.
    #[error("the token names no key")]
    NoKeyId,
    /// Its key is not in the set.
    #[error("the token's key is not known")]
    UnknownKey,
    /// Its algorithm is not its key's.
    #[error("the token's algorithm is not its key's")]
    WrongAlgorithm,
    /// Its header brings or points to a key, or demands what is not understood.
    #[error("a token must not have the header `{0}`")]
    ForbiddenHeader(&'static str),
    /// It was not signed by its key.
    #[error("the token's signature is wrong")]
    BadSignature,
    /// It is too late.
    #[error("the token expired at {0}")]
    Expired(UnixTime),
    /// It is too early.
    #[error("the token is valid from {0} on")]
    TooEarly(UnixTime),
    /// Somebody else issued it.
    #[error("the token is of another issuer")]
    WrongIssuer,
    /// It is for somebody else.
    #[error("the token is for another audience")]
    WrongAudience,
    /// It grants to publish under a prefix where no rule allows that: its holder could publish as
    /// somebody else.
    #[error("publishing is granted in an exact namespace, not under a prefix")]
    PublishUnderPrefix,
    /// It grants more than a room.
    #[error("a granted prefix has at least {least} fields, got {got}")]
    PrefixTooShort {
        /// The least number of fields.
        least: usize,
        /// How many it has.
        got: usize,
    },
}
