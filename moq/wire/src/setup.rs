use bytes::Bytes;

use crate::AuthToken;

/// The first message on each side's control stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Setup {
    /// The URI path, from the client on raw QUIC.
    pub path: Option<String>,
    /// The URI authority, from the client on raw QUIC.
    pub authority: Option<String>,
    /// How many bytes of token aliases the sender remembers.
    pub max_auth_token_cache_size: Option<u64>,
    /// Tokens for the whole session.
    pub auth_tokens: Vec<AuthToken>,
    /// Name and version of the sender.
    pub implementation: Option<String>,
    /// Options this crate does not know: type and raw value, in ascending order of type.
    pub unknown: Vec<(u64, Bytes)>,
}
