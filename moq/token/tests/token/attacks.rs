//! Every way to forge or bend a token that we know of; each is refused for its own reason.
//!
//! What a good token is misused for is refused by a relay that runs, in `relay/server/tests`: `access.rs` (publishing
//! as another or as a subscriber, fetching, longer and similar names, a token of the lobby, expiry and a new token
//! in the middle of a session), `control.rs` (the token of who was removed, one from before a demotion),
//! `limits_tokens.rs` (replay).

use parvis_token::{Action, KeySet, Refusal, Rules, Signer, UnixTime, Verifier};
use serde_json::{Value, json};

use crate::fixture::{Fixture, NOW, b64, namespace, sign_ed25519};

type Forge = fn(&Fixture) -> String;
type Expected = fn(&Refusal) -> bool;

macro_rules! is {
    ($pattern:pat) => {
        |refusal| matches!(refusal, $pattern)
    };
}

fn payload() -> String {
    Fixture::payload().to_string()
}

const ATTACKS: &[(&str, Forge, Expected)] = &[
    // The algorithm.
    (
        "alg none",
        |f| {
            let header = f.header_with("alg", json!("none"));
            format!("{}.{}.", b64(header), b64(payload()))
        },
        is!(Refusal::Malformed(_)),
    ),
    (
        "alg NoNe with a signature",
        |f| f.signed(&f.header_with("alg", json!("NoNe")), &payload()),
        is!(Refusal::Malformed(_)),
    ),
    (
        "HS256 with the public key as the secret",
        |f| f.signed_by_hmac(&f.header_with("alg", json!("HS256")), &payload()),
        is!(Refusal::WrongAlgorithm),
    ),
    (
        "HS256's signature under the key's algorithm",
        |f| f.signed_by_hmac(&f.header(), &payload()),
        is!(Refusal::BadSignature),
    ),
    (
        "RS256",
        |f| f.signed(&f.header_with("alg", json!("RS256")), &payload()),
        is!(Refusal::WrongAlgorithm),
    ),
    (
        "ES256 with an Ed25519 key",
        |f| f.signed(&f.header_with("alg", json!("ES256")), &payload()),
        is!(Refusal::WrongAlgorithm),
    ),
    (
        "EdDSA with a P-256 key",
        |f| f.signed_by_ec(&f.header_with("kid", json!("ec")), &payload()),
        is!(Refusal::WrongAlgorithm),
    ),
    (
        "alg missing",
        |f| f.signed(&json!({ "kid": f.signer.key_id() }).to_string(), &payload()),
        is!(Refusal::Malformed(_)),
    ),
    // The key.
    (
        "unknown kid",
        |f| f.signed(&f.header_with("kid", json!("other")), &payload()),
        is!(Refusal::UnknownKey),
    ),
    (
        "path-like kid",
        |f| f.signed(&f.header_with("kid", json!("../../dev/null")), &payload()),
        is!(Refusal::UnknownKey),
    ),
    (
        "empty kid",
        |f| f.signed(&f.header_with("kid", json!("")), &payload()),
        is!(Refusal::UnknownKey),
    ),
    (
        "no kid",
        |f| f.signed(&json!({ "alg": "EdDSA" }).to_string(), &payload()),
        is!(Refusal::NoKeyId),
    ),
    (
        "kid that is a number",
        |f| f.signed(&f.header_with("kid", json!(0)), &payload()),
        is!(Refusal::Malformed(_)),
    ),
    (
        "embedded jwk of the attacker",
        |f| {
            let own = Signer::from_seed(&[9; 32]);
            let set: Value = serde_json::from_str(&own.key_set()).unwrap();
            let header = f.header_with("jwk", set["keys"][0].clone());
            sign_ed25519(&[9; 32], &header, &payload())
        },
        is!(Refusal::ForbiddenHeader("jwk")),
    ),
    (
        "remote jku",
        |f| {
            f.signed(
                &f.header_with("jku", json!("https://evil.example/k")),
                &payload(),
            )
        },
        is!(Refusal::ForbiddenHeader("jku")),
    ),
    (
        "remote x5u",
        |f| {
            f.signed(
                &f.header_with("x5u", json!("https://evil.example/c")),
                &payload(),
            )
        },
        is!(Refusal::ForbiddenHeader("x5u")),
    ),
    (
        "certificate x5c",
        |f| f.signed(&f.header_with("x5c", json!(["AAAA"])), &payload()),
        is!(Refusal::ForbiddenHeader("x5c")),
    ),
    (
        "critical header",
        |f| f.signed(&f.header_with("crit", json!(["b64"])), &payload()),
        is!(Refusal::ForbiddenHeader("crit")),
    ),
    (
        "signed by somebody else's key under our kid",
        |f| sign_ed25519(&[9; 32], &f.header(), &payload()),
        is!(Refusal::BadSignature),
    ),
    // Time.
    (
        "exp missing",
        |f| f.with("exp", Value::Null),
        is!(Refusal::Malformed(_)),
    ),
    (
        "exp a string",
        |f| f.with("exp", json!("1900000000")),
        is!(Refusal::Malformed(_)),
    ),
    (
        "exp negative",
        |f| f.with("exp", json!(-1)),
        is!(Refusal::Malformed(_)),
    ),
    (
        "exp a fraction",
        |f| f.with("exp", json!(1.9e9)),
        is!(Refusal::Malformed(_)),
    ),
    (
        "exp a list",
        |f| f.with("exp", json!([1_900_000_000])),
        is!(Refusal::Malformed(_)),
    ),
    (
        "exp past",
        |f| f.with("exp", json!(NOW.0 - 5)),
        is!(Refusal::Expired(_)),
    ),
    (
        "exp zero",
        |f| f.with("exp", json!(0)),
        is!(Refusal::Expired(_)),
    ),
    (
        "nbf in the future",
        |f| f.with("nbf", json!(NOW.0 + 6)),
        is!(Refusal::TooEarly(_)),
    ),
    (
        "nbf a string",
        |f| f.with("nbf", json!("0")),
        is!(Refusal::Malformed(_)),
    ),
    // Whose and for whom.
    (
        "iss of another",
        |f| f.with("iss", json!("evil")),
        is!(Refusal::WrongIssuer),
    ),
    (
        "iss missing",
        |f| f.with("iss", Value::Null),
        is!(Refusal::WrongIssuer),
    ),
    (
        "iss in another case",
        |f| f.with("iss", json!("Parvis")),
        is!(Refusal::WrongIssuer),
    ),
    (
        "aud of another",
        |f| f.with("aud", json!("mail")),
        is!(Refusal::WrongAudience),
    ),
    (
        "aud list without us",
        |f| f.with("aud", json!(["mail", "relay2"])),
        is!(Refusal::WrongAudience),
    ),
    (
        "aud missing",
        |f| f.with("aud", Value::Null),
        is!(Refusal::WrongAudience),
    ),
    (
        "aud a number",
        |f| f.with("aud", json!(1)),
        is!(Refusal::Malformed(_)),
    ),
    (
        "sub missing",
        |f| f.with("sub", Value::Null),
        is!(Refusal::Malformed(_)),
    ),
    (
        "sub empty",
        |f| f.with("sub", json!("")),
        is!(Refusal::Malformed(_)),
    ),
    (
        "sub too long",
        |f| f.with("sub", json!("x".repeat(257))),
        is!(Refusal::Malformed(_)),
    ),
    (
        "jti too long",
        |f| f.with("jti", json!("x".repeat(257))),
        is!(Refusal::Malformed(_)),
    ),
    // Grants.
    (
        "grants missing",
        |f| f.with("grants", Value::Null),
        is!(Refusal::Malformed(_)),
    ),
    (
        "publish under a prefix",
        |f| {
            f.with(
                "grants",
                json!([{ "actions": ["publish"], "prefix": ["parvis", "stand-up"] }]),
            )
        },
        is!(Refusal::PublishUnderPrefix),
    ),
    (
        "publish among others under a prefix",
        |f| {
            f.with(
                "grants",
                json!([{ "actions": ["subscribe", "publish"], "prefix": ["parvis", "stand-up", "x"] }]),
            )
        },
        is!(Refusal::PublishUnderPrefix),
    ),
    (
        "prefix shorter than a room",
        |f| {
            f.with(
                "grants",
                json!([{ "actions": ["subscribe"], "prefix": ["parvis"] }]),
            )
        },
        is!(Refusal::PrefixTooShort { least: 2, got: 1 }),
    ),
    (
        "empty prefix: everything",
        |f| {
            f.with(
                "grants",
                json!([{ "actions": ["subscribe"], "prefix": [] }]),
            )
        },
        is!(Refusal::Malformed(_)),
    ),
    (
        "prefix with an empty field",
        |f| {
            f.with(
                "grants",
                json!([{ "actions": ["subscribe"], "prefix": ["parvis", ""] }]),
            )
        },
        is!(Refusal::Malformed(_)),
    ),
    (
        "namespace and prefix at once",
        |f| {
            let both = json!([{ "actions": ["subscribe"], "namespace": ["a", "b"], "prefix": ["a", "b"] }]);
            f.with("grants", both)
        },
        is!(Refusal::Malformed(_)),
    ),
    (
        "neither namespace nor prefix",
        |f| f.with("grants", json!([{ "actions": ["subscribe"] }])),
        is!(Refusal::Malformed(_)),
    ),
    (
        "an action that is none",
        |f| {
            f.with(
                "grants",
                json!([{ "actions": ["*"], "namespace": ["a", "b"] }]),
            )
        },
        is!(Refusal::Malformed(_)),
    ),
    (
        "a grant with more than we know of",
        |f| {
            f.with(
                "grants",
                json!([{ "actions": ["subscribe"], "namespace": ["a", "b"], "deny": true }]),
            )
        },
        is!(Refusal::Malformed(_)),
    ),
    (
        "too many grants",
        |f| {
            let one = json!({ "actions": ["subscribe"], "namespace": ["a"] });
            f.with("grants", Value::Array(vec![one; 65]))
        },
        is!(Refusal::Malformed(_)),
    ),
    // Form.
    (
        "oversize",
        |f| f.with("iss", json!("x".repeat(Verifier::MAX_TOKEN))),
        is!(Refusal::TooLarge { .. }),
    ),
    (
        "doubled sub",
        |f| {
            f.signed(
                &f.header(),
                &payload().replacen('{', "{\"sub\":\"root\",", 1),
            )
        },
        is!(Refusal::Malformed(_)),
    ),
    (
        "doubled exp",
        |f| f.signed(&f.header(), &payload().replacen('{', "{\"exp\":1,", 1)),
        is!(Refusal::Malformed(_)),
    ),
    (
        "doubled grants",
        |f| f.signed(&f.header(), &payload().replacen('{', "{\"grants\":[],", 1)),
        is!(Refusal::Malformed(_)),
    ),
    (
        "doubled alg",
        |f| {
            f.signed(
                &f.header().replacen('{', "{\"alg\":\"EdDSA\",", 1),
                &payload(),
            )
        },
        is!(Refusal::Malformed(_)),
    ),
    (
        "doubled kid",
        |f| f.signed(&f.header().replacen('{', "{\"kid\":\"ec\",", 1), &payload()),
        is!(Refusal::Malformed(_)),
    ),
    (
        "trailing bytes in the payload",
        |f| f.signed(&f.header(), &format!("{} {{}}", payload())),
        is!(Refusal::Malformed(_)),
    ),
    (
        "trailing bytes in the header",
        |f| f.signed(&format!("{}x", f.header()), &payload()),
        is!(Refusal::Malformed(_)),
    ),
    ("a fourth part", |f| good(f) + ".e30", |_| true),
    ("a dot at the end", |f| good(f) + ".", |_| true),
    ("a byte at the end", |f| good(f) + "A", |_| true),
    ("a line at the end", |f| good(f) + "\n", |_| true),
    (
        "a blank before",
        |f| format!(" {}", good(f)),
        is!(Refusal::Malformed(_)),
    ),
    ("padding", |f| good(f) + "==", |_| true),
    (
        "no signature",
        |f| good(f).rsplit_once('.').unwrap().0.to_owned() + ".",
        is!(Refusal::BadSignature),
    ),
    (
        "two parts",
        |f| good(f).rsplit_once('.').unwrap().0.to_owned(),
        is!(Refusal::Malformed(_)),
    ),
    ("empty", |_| String::new(), is!(Refusal::Malformed(_))),
    ("dots", |_| "..".to_owned(), is!(Refusal::Malformed(_))),
    (
        "a payload that is a list",
        |f| f.signed(&f.header(), "[]"),
        is!(Refusal::Malformed(_)),
    ),
    (
        "deep nesting",
        |f| {
            f.signed(
                &f.header(),
                &format!("{}{}", "[".repeat(1500), "]".repeat(1500)),
            )
        },
        is!(Refusal::Malformed(_)),
    ),
    (
        "the payload of another token",
        |f| {
            let (theirs, mine) = (f.with("sub", json!("root")), good(f));
            let theirs: Vec<&str> = theirs.split('.').collect();
            let mine: Vec<&str> = mine.split('.').collect();
            format!("{}.{}.{}", mine[0], theirs[1], mine[2])
        },
        is!(Refusal::BadSignature),
    ),
];

fn good(f: &Fixture) -> String {
    f.signer.sign(&Fixture::claims()).unwrap()
}

#[test]
fn each_attack_is_refused_for_its_own_reason() {
    let f = Fixture::new();
    for (name, forge, expected) in ATTACKS {
        match f.verifier.verify(forge(&f).as_bytes(), NOW) {
            Ok(access) => panic!("{name}: accepted as {access:?}"),
            Err(refusal) => assert!(expected(&refusal), "{name}: {refusal:?}"),
        }
    }
}

#[test]
fn good_tokens_of_both_algorithms_are_accepted() {
    let f = Fixture::new();
    let header = json!({ "alg": "ES256", "kid": "ec" }).to_string();
    for token in [
        good(&f),
        f.signed_by_ec(&header, &payload()),
        f.with("aud", json!("relay")),
    ] {
        let access = f.verifier.verify(token.as_bytes(), NOW).unwrap();
        assert_eq!(access.subject(), "zoe");
        assert_eq!(access.grants(), Fixture::claims().grants);
    }
}

#[test]
fn a_token_with_any_character_changed_is_refused() {
    let f = Fixture::new();
    let token = good(&f);
    for index in 0..token.len() {
        for other in [b'A', b'z', b'.', b'-', 0, 0xff] {
            let mut bytes = token.clone().into_bytes();
            if bytes[index] == other {
                continue;
            }
            bytes[index] = other;
            assert!(f.verifier.verify(&bytes, NOW).is_err(), "{index}: {other}");
        }
    }
}

#[test]
fn a_token_cut_anywhere_is_refused() {
    let f = Fixture::new();
    let token = good(&f);
    for len in 0..token.len() {
        assert!(
            f.verifier.verify(&token.as_bytes()[..len], NOW).is_err(),
            "{len}"
        );
    }
}

#[test]
fn leeway_is_given_once_on_each_side() {
    let f = Fixture::new();
    let token = f.with("nbf", json!(NOW.0));
    let verify = |now| f.verifier.verify(token.as_bytes(), UnixTime(now));
    assert!(matches!(verify(NOW.0 - 6), Err(Refusal::TooEarly(_))));
    assert_eq!(verify(NOW.0 - 5).unwrap().expires(), NOW.plus(65));
    assert!(verify(NOW.0 + 64).is_ok());
    assert!(matches!(verify(NOW.0 + 65), Err(Refusal::Expired(at)) if at == NOW.plus(60)));
}

#[test]
fn an_audience_that_nobody_asked_for_is_refused() {
    let f = Fixture::new();
    let keys = KeySet::parse(&f.signer.key_set()).unwrap();
    let verifier = Verifier::new(keys, Rules::default());
    let verify = |token: String| verifier.verify(token.as_bytes(), NOW);
    assert_eq!(verify(good(&f)), Err(Refusal::WrongAudience));
    assert!(verify(f.with("aud", Value::Null)).is_ok());
}

#[test]
fn publishing_under_a_prefix_is_good_only_where_a_rule_says_so() {
    let fixture = Fixture::new();
    let out = namespace(&["control", "out"]);
    let rules = Rules {
        publish_under: vec![out.clone()],
        ..Fixture::rules()
    };
    let keys = KeySet::parse(&fixture.signer.key_set()).unwrap();
    let verifier = Verifier::new(keys, rules);
    for (prefix, good) in [
        (["control", "out"].as_slice(), true),
        (&["control", "out", "room"], true),
        (&["control", "in"], false),
        (&["control", "outer"], false),
        (&["control", "out2", "out"], false),
        (&["parvis", "stand-up"], false),
    ] {
        let grants = json!([{ "actions": ["publish"], "prefix": prefix }]);
        let verified = verifier.verify(fixture.with("grants", grants).as_bytes(), NOW);
        assert_eq!(verified.is_ok(), good, "{prefix:?}: {verified:?}");
        if let Ok(access) = verified {
            assert!(access.publishes_under());
            assert!(access.allows(Action::Publish, &namespace(prefix)));
            assert!(!access.allows(Action::Publish, &namespace(&["control"])));
        }
    }
}
