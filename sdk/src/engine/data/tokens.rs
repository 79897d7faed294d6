use std::collections::BTreeMap;

use bytes::Bytes;
use parvis_session::RequestKey;
use parvis_wire::{AuthToken, Parameters};

/// Tokens that came after those of the source.
#[derive(Debug, Default)]
pub(in crate::engine) struct Tokens {
    newest: Vec<Bytes>,
    /// Grows with each token.
    generation: u64,
}

/// Which of them a connection's peer knows.
#[derive(Debug, Default)]
pub(in crate::engine) struct Shown {
    generation: u64,
    /// Requests that carry tokens and have no answer.
    carriers: BTreeMap<RequestKey, u64>,
}

/// How many are kept; a relay looks at four in a message.
const MAX_TOKENS: usize = 3;

impl Tokens {
    pub(in crate::engine) fn add(&mut self, token: &str) {
        let token = Bytes::copy_from_slice(token.trim().as_bytes());
        if self.newest.last() == Some(&token) {
            return;
        }
        self.newest.retain(|held| *held != token);
        if self.newest.len() >= MAX_TOKENS {
            self.newest.remove(0);
        }
        self.newest.push(token);
        self.generation += 1;
    }

    pub(in crate::engine) fn all(&self) -> Vec<AuthToken> {
        let value = |token: &Bytes| AuthToken::UseValue {
            kind: 0,
            value: token.clone(),
        };
        self.newest.iter().map(value).collect()
    }

    /// A connection's SETUP carried all there were.
    pub(in crate::engine) fn shown(&self) -> Shown {
        Shown {
            generation: self.generation,
            carriers: BTreeMap::new(),
        }
    }

    /// Puts those that the peer does not know into a request; note it by [`Shown::carried`].
    pub(in crate::engine) fn put(&self, shown: &Shown, parameters: Parameters) -> Parameters {
        if shown.generation >= self.generation {
            return parameters;
        }
        Parameters {
            auth_tokens: self.all(),
            ..parameters
        }
    }

    /// Whether a connection's peer has tokens to be told that no request carries.
    pub(in crate::engine) fn are_untold(&self, shown: &Shown) -> bool {
        let told = shown.carriers.values().max().copied();
        shown.generation.max(told.unwrap_or_default()) < self.generation
    }

    pub(in crate::engine) fn carried(&self, shown: &mut Shown, key: RequestKey) {
        if shown.generation < self.generation {
            shown.carriers.insert(key, self.generation);
        }
    }
}

impl Shown {
    pub(in crate::engine) fn accepted(&mut self, key: RequestKey) {
        if let Some(generation) = self.carriers.remove(&key) {
            self.generation = self.generation.max(generation);
        }
    }

    pub(in crate::engine) fn ended(&mut self, key: RequestKey) {
        self.carriers.remove(&key);
    }
}
