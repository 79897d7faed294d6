//! No bytes are a token that nobody signed; what is signed comes back from its verification.
#![no_main]

use std::{str, sync::LazyLock};

use libfuzzer_sys::fuzz_target;
use parvis_token::{Claims, KeySet, Rules, Signer, UnixTime, Verifier};

static SIGNER: LazyLock<Signer> = LazyLock::new(|| Signer::from_seed(&[7; 32]));
static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| {
    let keys = KeySet::parse(&SIGNER.key_set()).expect("a signer's own set");
    Verifier::new(keys, Rules::default())
});

fuzz_target!(|data: &[u8]| {
    assert!(VERIFIER.verify(data, UnixTime(0)).is_err());
    if let Ok(text) = str::from_utf8(data) {
        let _ = KeySet::parse(text);
    }
    if let Ok(claims) = serde_json::from_slice::<Claims>(data)
        && let Ok(token) = SIGNER.sign(&claims)
        && let Ok(access) = VERIFIER.verify(token.as_bytes(), UnixTime(0))
    {
        assert_eq!(access.subject(), claims.subject);
        assert_eq!(access.grants(), claims.grants);
    }
});
