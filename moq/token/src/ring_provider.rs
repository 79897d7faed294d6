//! ring, which TLS uses already, as the cryptography of the token library.

use std::result::Result as StdResult;

use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey, EncodingKey,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    errors::{ErrorKind, Result, new_error},
    jwk::{EllipticCurve, ThumbprintHash},
    signature::{Error as SignatureError, Signer, Verifier},
};
use ring::{
    digest::{SHA256, SHA384, SHA512, digest},
    signature::{
        ECDSA_P256_SHA256_FIXED, ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey,
        VerificationAlgorithm,
    },
};

/// Makes ring the library's provider, unless the application chose another one before.
pub(crate) fn install() {
    // An error says that there is one, ours as a rule.
    let _ = PROVIDER.install_default();
}

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| signer(*algorithm, key),
    verifier_factory: |algorithm, key| verifier(*algorithm, key),
    key_utils: KeyUtils {
        rsa_pub_components_from_private_key: |_| unsupported(),
        rsa_pub_components_from_public_key: |_| unsupported(),
        ec_pub_components_from_private_key: |_, _| unsupported(),
        ed_pub_components_from_private_key: ed25519_public_key,
        compute_digest: |data, hash| compute_digest(data, &hash),
    },
};

struct RingVerifier {
    algorithm: Algorithm,
    key: UnparsedPublicKey<Vec<u8>>,
}

struct RingSigner(Ed25519KeyPair);

fn verifier(algorithm: Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
    let (scheme, family): (&'static dyn VerificationAlgorithm, _) = match algorithm {
        Algorithm::EdDSA => (&ED25519, AlgorithmFamily::Ed),
        Algorithm::ES256 => (&ECDSA_P256_SHA256_FIXED, AlgorithmFamily::Ec),
        _ => return unsupported(),
    };
    if key.family() != family {
        return Err(new_error(ErrorKind::InvalidAlgorithm));
    }
    Ok(Box::new(RingVerifier {
        algorithm,
        key: UnparsedPublicKey::new(scheme, key.try_get_as_bytes()?.to_vec()),
    }))
}

fn signer(algorithm: Algorithm, key: &EncodingKey) -> Result<Box<dyn JwtSigner>> {
    if algorithm != Algorithm::EdDSA || key.family() != AlgorithmFamily::Ed {
        return unsupported();
    }
    Ok(Box::new(RingSigner(key_pair(key.as_bytes())?)))
}

fn key_pair(pkcs8: &[u8]) -> Result<Ed25519KeyPair> {
    Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8)
        .map_err(|_| new_error(ErrorKind::InvalidEddsaKey))
}

fn ed25519_public_key(pkcs8: &[u8], curve: &EllipticCurve) -> Result<Vec<u8>> {
    match curve {
        EllipticCurve::Ed25519 => Ok(key_pair(pkcs8)?.public_key().as_ref().to_vec()),
        _ => unsupported(),
    }
}

fn compute_digest(data: &[u8], hash: &ThumbprintHash) -> Result<Vec<u8>> {
    let algorithm = match hash {
        ThumbprintHash::SHA256 => &SHA256,
        ThumbprintHash::SHA384 => &SHA384,
        ThumbprintHash::SHA512 => &SHA512,
        _ => return unsupported(),
    };
    Ok(digest(algorithm, data).as_ref().to_vec())
}

fn unsupported<T>() -> Result<T> {
    Err(new_error(ErrorKind::UnsupportedAlgorithm))
}

impl Verifier<Vec<u8>> for RingVerifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> StdResult<(), SignatureError> {
        self.key
            .verify(message, signature)
            .map_err(|_| SignatureError::new())
    }
}

impl JwtVerifier for RingVerifier {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

impl Signer<Vec<u8>> for RingSigner {
    fn try_sign(&self, message: &[u8]) -> StdResult<Vec<u8>, SignatureError> {
        Ok(self.0.sign(message).as_ref().to_vec())
    }
}

impl JwtSigner for RingSigner {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}
