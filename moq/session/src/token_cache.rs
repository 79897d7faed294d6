use bytes::Bytes;
use parvis_wire::{AuthToken, SessionErrorCode};
use rustc_hash::FxHashMap;

use crate::SessionError;

/// What a token counts beside its value. draft-ietf-moq-transport-22, "MAX_AUTH_TOKEN_CACHE_SIZE".
const OVERHEAD: u64 = 16;

/// The tokens that the peer gave an alias, bounded as SETUP told it.
#[derive(Debug)]
pub(crate) struct TokenCache {
    limit: u64,
    used: u64,
    tokens: FxHashMap<u64, (u64, Bytes)>,
}

/// Whether the tokens of a message may stand beside each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tokens {
    Fine,
    /// One is there twice, which rejects the message.
    Repeated,
}

impl TokenCache {
    pub(crate) fn new(limit: u64) -> Self {
        Self {
            limit,
            used: 0,
            tokens: FxHashMap::default(),
        }
    }

    /// Puts tokens in the place of aliases; what remains are all values.
    pub(crate) fn resolve(&mut self, tokens: &mut Vec<AuthToken>) -> Result<Tokens, SessionError> {
        let mut values: Vec<(u64, Bytes)> = Vec::with_capacity(tokens.len());
        for token in tokens.drain(..) {
            match token {
                AuthToken::UseValue { kind, value } => values.push((kind, value)),
                AuthToken::Register { alias, kind, value } => {
                    self.register(alias, kind, &value)?;
                    values.push((kind, value));
                }
                AuthToken::UseAlias { alias } => {
                    let known = self.tokens.get(&alias).cloned();
                    values.push(known.ok_or_else(|| unknown(alias))?);
                }
                AuthToken::Delete { alias } => {
                    let (_, value) = self.tokens.remove(&alias).ok_or_else(|| unknown(alias))?;
                    self.used -= size(&value);
                }
            }
        }
        Ok(give_back(values, tokens))
    }

    /// The same for the tokens of SETUP, which is sent before this side's limit is known: what
    /// does not fit is used once.
    pub(crate) fn resolve_setup(
        &mut self,
        tokens: &mut Vec<AuthToken>,
    ) -> Result<Tokens, SessionError> {
        let mut values = Vec::with_capacity(tokens.len());
        for token in tokens.drain(..) {
            match token {
                AuthToken::UseValue { kind, value } => values.push((kind, value)),
                AuthToken::Register { alias, kind, value } => {
                    if self.used + size(&value) <= self.limit {
                        self.register(alias, kind, &value)?;
                    }
                    values.push((kind, value));
                }
                AuthToken::UseAlias { alias } | AuthToken::Delete { alias } => {
                    let reason = format!("token alias {alias} in SETUP, before it is registered");
                    return Err(SessionError::violation(reason));
                }
            }
        }
        Ok(give_back(values, tokens))
    }

    fn register(&mut self, alias: u64, kind: u64, value: &Bytes) -> Result<(), SessionError> {
        if self.tokens.contains_key(&alias) {
            let reason = format!("token alias {alias} is registered already");
            let code = SessionErrorCode::DuplicateAuthTokenAlias;
            return Err(SessionError::new(code, reason));
        }
        let used = self.used + size(value);
        if used > self.limit {
            let reason = format!("{used} bytes of registered tokens, {} allowed", self.limit);
            let code = SessionErrorCode::AuthTokenCacheOverflow;
            return Err(SessionError::new(code, reason));
        }
        self.used = used;
        // A copy: the value is a slice of a larger message.
        let value = Bytes::copy_from_slice(value);
        self.tokens.insert(alias, (kind, value));
        Ok(())
    }
}

fn size(value: &Bytes) -> u64 {
    OVERHEAD + value.len() as u64
}

fn unknown(alias: u64) -> SessionError {
    let reason = format!("token alias {alias} is not registered");
    SessionError::new(SessionErrorCode::UnknownAuthTokenAlias, reason)
}

fn give_back(values: Vec<(u64, Bytes)>, tokens: &mut Vec<AuthToken>) -> Tokens {
    let mut verdict = Tokens::Fine;
    for (index, value) in values.iter().enumerate() {
        if values[..index].contains(value) {
            verdict = Tokens::Repeated;
        }
    }
    let value = |(kind, value)| AuthToken::UseValue { kind, value };
    tokens.extend(values.into_iter().map(value));
    verdict
}
