use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, EncodingKey, Header, encode,
    jwk::{AlgorithmParameters, Jwk, JwkSet, PublicKeyUse, ThumbprintHash},
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{Claims, Verifier, ring_provider};

/// PKCS #8 of an Ed25519 key, up to the seed. RFC 8410, 7.
const PKCS8_ED25519: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// A private Ed25519 key that signs tokens.
pub struct Signer {
    seed: [u8; 32],
    key: EncodingKey,
    public: Jwk,
    id: String,
}

/// Why a text is no private key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SignerError {
    /// It is no private Ed25519 JSON Web Key.
    #[error("not a private Ed25519 JSON Web Key: {0}")]
    Malformed(String),
    /// Its halves do not belong together.
    #[error("the public half `x` is not that of the private half `d`")]
    Mismatch,
}

/// Why claims do not become a token.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SignError {
    /// A namespace field is not text.
    #[error("the claims are not text: {0}")]
    NotText(String),
    /// No verifier would look at it.
    #[error("a token has at most {max} bytes, got {0}", max = Verifier::MAX_TOKEN)]
    TooLarge(usize),
}

/// A private key as JSON. RFC 8037, 2.
#[derive(Serialize, Deserialize)]
struct PrivateJwk {
    kty: String,
    crv: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kid: Option<String>,
    x: String,
    d: String,
}

impl Signer {
    /// A key from 32 random bytes. Its name is its thumbprint (RFC 7638).
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        ring_provider::install();
        let key = EncodingKey::from_ed_der(&[&PKCS8_ED25519[..], seed].concat());
        let mut public = Jwk::from_encoding_key(&key, Algorithm::EdDSA)
            .expect("every seed makes an Ed25519 key");
        let id = public
            .thumbprint(ThumbprintHash::SHA256)
            .expect("an Ed25519 key has a thumbprint");
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        public.common.key_id = Some(id.clone());
        Self {
            seed: *seed,
            key,
            public,
            id,
        }
    }

    /// Reads a private key that [`private_jwk`](Self::private_jwk) wrote.
    pub fn from_private_jwk(text: &str) -> Result<Self, SignerError> {
        let malformed = |why: String| SignerError::Malformed(why);
        let jwk: PrivateJwk =
            serde_json::from_str(text).map_err(|error| malformed(error.to_string()))?;
        if (jwk.kty.as_str(), jwk.crv.as_str()) != ("OKP", "Ed25519") {
            return Err(malformed(format!("kty {:?}, crv {:?}", jwk.kty, jwk.crv)));
        }
        let seed = URL_SAFE_NO_PAD.decode(&jwk.d).ok();
        let seed: [u8; 32] = seed
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or_else(|| malformed("`d` is not 32 bytes in base64url".to_owned()))?;
        let mut signer = Self::from_seed(&seed);
        if signer.x() != jwk.x {
            return Err(SignerError::Mismatch);
        }
        if let Some(id) = jwk.kid.filter(|id| !id.is_empty()) {
            signer.public.common.key_id = Some(id.clone());
            signer.id = id;
        }
        Ok(signer)
    }

    /// The private key as a JSON Web Key: a secret.
    pub fn private_jwk(&self) -> String {
        let jwk = PrivateJwk {
            kty: "OKP".to_owned(),
            crv: "Ed25519".to_owned(),
            kid: Some(self.id.clone()),
            x: self.x().to_owned(),
            d: URL_SAFE_NO_PAD.encode(self.seed),
        };
        serde_json::to_string_pretty(&jwk).expect("text is JSON")
    }

    /// The public key in a JSON Web Key set, for those who verify.
    pub fn key_set(&self) -> String {
        Self::key_set_of([self])
    }

    /// The public keys of several signers in one set.
    pub fn key_set_of<'a>(signers: impl IntoIterator<Item = &'a Self>) -> String {
        let keys = signers.into_iter().map(|s| s.public.clone()).collect();
        serde_json::to_string_pretty(&JwkSet { keys }).expect("a key is JSON")
    }

    /// The name of the key.
    pub fn key_id(&self) -> &str {
        &self.id
    }

    /// Makes a token.
    pub fn sign(&self, claims: &Claims) -> Result<String, SignError> {
        let header = Header {
            kid: Some(self.id.clone()),
            ..Header::new(Algorithm::EdDSA)
        };
        let token = encode(&header, claims, &self.key)
            .map_err(|error| SignError::NotText(error.to_string()))?;
        if token.len() > Verifier::MAX_TOKEN {
            return Err(SignError::TooLarge(token.len()));
        }
        Ok(token)
    }

    fn x(&self) -> &str {
        match &self.public.algorithm {
            AlgorithmParameters::OctetKeyPair(pair) => &pair.x,
            _ => "",
        }
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
