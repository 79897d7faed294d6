use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use parvis_token::{Action, Claims, Grant, KeySet, Rules, Signer, UnixTime, Verifier};
use parvis_wire::TrackNamespace;
use ring::{
    hmac,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair},
};
use serde_json::{Value, json};

pub const NOW: UnixTime = UnixTime(1_800_000_000);
const SEED: [u8; 32] = [7; 32];

pub fn namespace(fields: &[&str]) -> TrackNamespace {
    TrackNamespace::new(fields.iter().map(|field| field.as_bytes().to_vec())).unwrap()
}

pub fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// An issuer with a key of each kind, and what a relay makes of its tokens.
pub struct Fixture {
    seed: [u8; 32],
    pub signer: Signer,
    pub ec: EcdsaKeyPair,
    pub verifier: Verifier,
}

impl Fixture {
    pub fn new() -> Self {
        let signer = Signer::from_seed(&SEED);
        let random = SystemRandom::new();
        let scheme = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(scheme, &random).unwrap();
        let ec = EcdsaKeyPair::from_pkcs8(scheme, pkcs8.as_ref(), &random).unwrap();
        let mut keys: Value = serde_json::from_str(&signer.key_set()).unwrap();
        let point = ec.public_key().as_ref();
        keys["keys"].as_array_mut().unwrap().push(json!({
            "kty": "EC", "crv": "P-256", "kid": "ec", "use": "sig",
            "x": b64(&point[1..33]), "y": b64(&point[33..]),
        }));
        let keys = KeySet::parse(&keys.to_string()).unwrap();
        let rules = Self::rules();
        Self {
            seed: SEED,
            signer,
            ec,
            verifier: Verifier::new(keys, rules),
        }
    }

    /// Claims that are accepted: Zoé in the room `stand-up`.
    pub fn rules() -> Rules {
        Rules {
            issuer: Some("parvis".to_owned()),
            audience: Some("relay".to_owned()),
            ..Rules::default()
        }
    }

    pub fn claims() -> Claims {
        Claims {
            issuer: Some("parvis".to_owned()),
            audience: vec!["relay".to_owned()],
            grants: vec![
                Grant::exact([Action::Publish], namespace(&["parvis", "stand-up", "zoe"])).unwrap(),
                Grant::prefix(
                    [Action::Subscribe, Action::Discover],
                    namespace(&["parvis", "stand-up"]),
                )
                .unwrap(),
            ],
            ..Claims::new("zoe", NOW.plus(60))
        }
    }

    /// The same as JSON, to be changed.
    pub fn payload() -> Value {
        serde_json::to_value(Self::claims()).unwrap()
    }

    /// A payload with one claim changed; null: left out.
    pub fn with(&self, claim: &str, value: Value) -> String {
        let mut payload = Self::payload();
        if value.is_null() {
            payload.as_object_mut().unwrap().remove(claim);
        } else {
            payload[claim] = value;
        }
        self.signed(&self.header(), &payload.to_string())
    }

    pub fn header(&self) -> String {
        json!({ "alg": "EdDSA", "typ": "JWT", "kid": self.signer.key_id() }).to_string()
    }

    /// A good header with one more field.
    pub fn header_with(&self, field: &str, value: Value) -> String {
        let mut header: Value = serde_json::from_str(&self.header()).unwrap();
        header[field] = value;
        header.to_string()
    }

    /// Signs any text with the issuer's Ed25519 key.
    pub fn signed(&self, header: &str, payload: &str) -> String {
        sign_ed25519(&self.seed, header, payload)
    }

    pub fn signed_by_ec(&self, header: &str, payload: &str) -> String {
        let message = message(header, payload);
        let random = SystemRandom::new();
        let signature = self.ec.sign(&random, message.as_bytes()).unwrap();
        format!("{message}.{}", b64(signature))
    }

    /// Signs with the public key as if it were a secret.
    pub fn signed_by_hmac(&self, header: &str, payload: &str) -> String {
        let public = Ed25519KeyPair::from_seed_unchecked(&self.seed).unwrap();
        let key = hmac::Key::new(hmac::HMAC_SHA256, public.public_key().as_ref());
        let message = message(header, payload);
        format!("{message}.{}", b64(hmac::sign(&key, message.as_bytes())))
    }
}

pub fn sign_ed25519(seed: &[u8; 32], header: &str, payload: &str) -> String {
    let message = message(header, payload);
    let key = Ed25519KeyPair::from_seed_unchecked(seed).unwrap();
    format!("{message}.{}", b64(key.sign(message.as_bytes())))
}

fn message(header: &str, payload: &str) -> String {
    format!("{}.{}", b64(header), b64(payload))
}
