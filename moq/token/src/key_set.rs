use std::collections::BTreeMap;

use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse},
};
use serde::Deserialize;
use serde_json::{Map, Value};
use thiserror::Error;

use crate::ring_provider;

/// The public keys that are trusted, by key id.
#[derive(Debug, Clone, Default)]
pub struct KeySet(BTreeMap<String, Key>);

/// A public key and the one algorithm it is for.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) algorithm: Algorithm,
    pub(crate) decoding: DecodingKey,
}

/// Why a text is no set of keys.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeySetError {
    /// It is larger than [`KeySet::MAX_BYTES`].
    #[error("a key set has at most {max} bytes, got {0}", max = KeySet::MAX_BYTES)]
    TooLarge(usize),
    /// It is no JSON Web Key set.
    #[error("not a JSON Web Key set: {0}")]
    Malformed(String),
    /// A private or secret key in a set of public ones.
    #[error(
        "key {0:?} is private: it must not be in this set; replace it, it is no secret any more"
    )]
    Private(String),
    /// A key for EdDSA or ES256 without a name.
    #[error("a key has no `kid`")]
    NoKeyId,
    /// A name twice.
    #[error("two keys are named {0:?}")]
    Duplicate(String),
    /// A key that is not what it says.
    #[error("key {0:?} is not a point of its curve")]
    BadKey(String),
    /// More than [`KeySet::MAX_KEYS`].
    #[error("a key set has at most {max} keys, got {0}", max = KeySet::MAX_KEYS)]
    TooMany(usize),
    /// No key for EdDSA (Ed25519) or ES256 (P-256).
    #[error("no key for EdDSA (Ed25519) or ES256 (P-256) is in the set")]
    Empty,
}

#[derive(Deserialize)]
struct RawSet {
    keys: Vec<Map<String, Value>>,
}

impl KeySet {
    /// The largest text that is read.
    pub const MAX_BYTES: usize = 256 * 1024;
    /// The most keys in a set.
    pub const MAX_KEYS: usize = 64;

    /// Reads a JSON Web Key set (RFC 7517). Keys for other algorithms or for encryption are passed
    /// over.
    pub fn parse(text: &str) -> Result<Self, KeySetError> {
        ring_provider::install();
        if text.len() > Self::MAX_BYTES {
            return Err(KeySetError::TooLarge(text.len()));
        }
        let malformed = |error: serde_json::Error| KeySetError::Malformed(error.to_string());
        let RawSet { keys } = serde_json::from_str(text).map_err(malformed)?;
        if keys.len() > Self::MAX_KEYS {
            return Err(KeySetError::TooMany(keys.len()));
        }
        let mut set = BTreeMap::new();
        for raw in keys {
            let name = raw.get("kid").and_then(Value::as_str).unwrap_or_default();
            if raw.contains_key("d") || raw.contains_key("k") {
                return Err(KeySetError::Private(name.to_owned()));
            }
            let jwk: Jwk = serde_json::from_value(Value::Object(raw)).map_err(malformed)?;
            let Some(algorithm) = algorithm(&jwk) else {
                continue;
            };
            let id = jwk.common.key_id.clone().filter(|id| !id.is_empty());
            let id = id.ok_or(KeySetError::NoKeyId)?;
            let key = DecodingKey::from_jwk(&jwk)
                .ok()
                .filter(|key| is_point(key, algorithm))
                .map(|decoding| Key {
                    algorithm,
                    decoding,
                });
            let key = key.ok_or_else(|| KeySetError::BadKey(id.clone()))?;
            if set.contains_key(&id) {
                return Err(KeySetError::Duplicate(id));
            }
            set.insert(id, key);
        }
        if set.is_empty() {
            return Err(KeySetError::Empty);
        }
        Ok(Self(set))
    }

    /// The names of the keys.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub(crate) fn find(&self, id: &str) -> Option<&Key> {
        self.0.get(id)
    }
}

/// The algorithm that a key is for, if it is one of ours and for signatures.
fn algorithm(jwk: &Jwk) -> Option<Algorithm> {
    if !matches!(
        jwk.common.public_key_use,
        None | Some(PublicKeyUse::Signature)
    ) {
        return None;
    }
    let algorithm = match &jwk.algorithm {
        AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => {
            Algorithm::EdDSA
        }
        AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256 => {
            Algorithm::ES256
        }
        _ => return None,
    };
    let named = jwk.common.key_algorithm;
    (named.is_none() || named == Some(KeyAlgorithm::from(algorithm))).then_some(algorithm)
}

fn is_point(key: &DecodingKey, algorithm: Algorithm) -> bool {
    let len = match algorithm {
        Algorithm::ES256 => 65,
        _ => 32,
    };
    key.try_get_as_bytes().is_ok_and(|bytes| bytes.len() == len)
}
