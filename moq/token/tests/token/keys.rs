//! Key sets and private keys.

use parvis_token::{KeySet, KeySetError, Refusal, Rules, Signer, SignerError, UnixTime, Verifier};
use serde_json::{Value, json};

use crate::fixture::{Fixture, NOW};

fn public(seed: u8) -> Value {
    let set: Value = serde_json::from_str(&Signer::from_seed(&[seed; 32]).key_set()).unwrap();
    set["keys"][0].clone()
}

fn parse(keys: &Value) -> Result<KeySet, KeySetError> {
    KeySet::parse(&json!({ "keys": keys }).to_string())
}

#[test]
fn keys_for_something_else_are_passed_over() {
    let rsa = json!({ "kty": "RSA", "kid": "r", "n": "AQAB", "e": "AQAB" });
    let other_curve = json!({ "kty": "EC", "crv": "P-384", "kid": "p", "x": "AA", "y": "AA" });
    let unknown = json!({ "kty": "new", "kid": "u" });
    let mut encryption = public(2);
    encryption["use"] = json!("enc");
    let mut other_algorithm = public(3);
    other_algorithm["alg"] = json!("RS256");
    let set = parse(&json!([
        rsa,
        other_curve,
        unknown,
        encryption,
        other_algorithm,
        public(1)
    ]));
    let ids: Vec<String> = set.unwrap().ids().map(str::to_owned).collect();
    assert_eq!(ids, [Signer::from_seed(&[1; 32]).key_id()]);
}

#[test]
fn bad_sets_are_refused_whole() {
    let with = |field: &str, value: Value| {
        let mut key = public(1);
        key[field] = value;
        json!([key])
    };
    let id = Signer::from_seed(&[1; 32]).key_id().to_owned();
    let cases = [
        (json!([]), KeySetError::Empty),
        (
            json!([public(1), public(1)]),
            KeySetError::Duplicate(id.clone()),
        ),
        (with("d", json!("secret")), KeySetError::Private(id.clone())),
        (
            json!([{ "kty": "oct", "kid": "h", "k": "c2VjcmV0" }]),
            KeySetError::Private("h".into()),
        ),
        (with("kid", json!("")), KeySetError::NoKeyId),
        (with("x", json!("AAAA")), KeySetError::BadKey(id.clone())),
        (with("x", json!("not base64!")), KeySetError::BadKey(id)),
        (Value::Array(vec![public(1); 65]), KeySetError::TooMany(65)),
    ];
    for (keys, error) in cases {
        assert_eq!(parse(&keys).unwrap_err(), error);
    }
    let large = " ".repeat(KeySet::MAX_BYTES + 1);
    assert!(matches!(
        KeySet::parse(&large),
        Err(KeySetError::TooLarge(_))
    ));
    for text in ["", "[]", "{}", "keys", "{\"keys\": 1}"] {
        assert!(
            matches!(KeySet::parse(text), Err(KeySetError::Malformed(_))),
            "{text}"
        );
    }
}

#[test]
fn a_set_of_several_signers_knows_each() {
    let signers = [Signer::from_seed(&[1; 32]), Signer::from_seed(&[2; 32])];
    let keys = KeySet::parse(&Signer::key_set_of(&signers)).unwrap();
    let verifier = Verifier::new(
        keys,
        Rules {
            audience: Some("relay".to_owned()),
            ..Rules::default()
        },
    );
    for signer in &signers {
        let token = signer.sign(&Fixture::claims()).unwrap();
        assert!(verifier.verify(token.as_bytes(), NOW).is_ok());
    }
    let stranger = Signer::from_seed(&[3; 32])
        .sign(&Fixture::claims())
        .unwrap();
    assert_eq!(
        verifier.verify(stranger.as_bytes(), NOW),
        Err(Refusal::UnknownKey)
    );
}

#[test]
fn a_private_key_survives_its_file() {
    let signer = Signer::from_seed(&[1; 32]);
    let again = Signer::from_private_jwk(&signer.private_jwk()).unwrap();
    assert_eq!(again.key_id(), signer.key_id());
    let claims = Fixture::claims();
    assert_eq!(again.sign(&claims), signer.sign(&claims));
    assert!(!format!("{signer:?}").contains("seed"));

    let mut renamed: Value = serde_json::from_str(&signer.private_jwk()).unwrap();
    renamed["kid"] = json!("2026");
    let renamed = Signer::from_private_jwk(&renamed.to_string()).unwrap();
    assert_eq!(renamed.key_id(), "2026");
    assert!(renamed.key_set().contains("\"2026\""));
}

#[test]
fn a_private_key_that_is_none_is_refused() {
    let good: Value = serde_json::from_str(&Signer::from_seed(&[1; 32]).private_jwk()).unwrap();
    let with = |field: &str, value: Value| {
        let mut key = good.clone();
        key[field] = value;
        Signer::from_private_jwk(&key.to_string()).unwrap_err()
    };
    let other: Value = serde_json::from_str(&Signer::from_seed(&[2; 32]).private_jwk()).unwrap();
    assert_eq!(with("x", other["x"].clone()), SignerError::Mismatch);
    assert!(matches!(
        with("d", json!("AAAA")),
        SignerError::Malformed(_)
    ));
    assert!(matches!(
        with("kty", json!("EC")),
        SignerError::Malformed(_)
    ));
    assert!(matches!(
        Signer::from_private_jwk("{}"),
        Err(SignerError::Malformed(_))
    ));
}

#[test]
fn claims_that_no_relay_would_read_are_not_signed() {
    let mut claims = Fixture::claims();
    claims.id = Some("x".repeat(Verifier::MAX_TOKEN));
    assert!(Signer::from_seed(&[1; 32]).sign(&claims).is_err());
    claims.id = None;
    claims.expires = UnixTime(u64::MAX);
    assert!(Signer::from_seed(&[1; 32]).sign(&claims).is_ok());
}
