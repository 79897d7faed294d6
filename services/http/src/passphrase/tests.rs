use super::*;

#[test]
fn ten_mixed_or_twenty_of_anything() {
    for good in [
        "Abcdefg1.x",
        "É-4aaaaaaaa",
        "aaaaaaaaaaaaaaaaaaaa",
        "correct horse battery",
    ] {
        assert_eq!(check(good), Ok(()), "{good}");
    }
    let long = "a".repeat(1025);
    for bad in [
        "",
        "Abcdef1.x",
        "abcdefg1.x",
        "ABCDEFG1.X",
        "Abcdefgh.x",
        "Abcdefgh1x",
        &long,
    ] {
        assert!(check(bad).is_err(), "{bad}");
    }
}

#[tokio::test]
async fn a_hash_knows_its_passphrase() {
    let hasher = Hasher::new();
    let hash = hasher.hash("Abcdefg1.x".to_owned()).await.unwrap();
    assert!(
        hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
        "{hash}"
    );
    let right = hasher.verify("Abcdefg1.x".to_owned(), Some(hash.clone()));
    assert!(right.await.unwrap());
    let wrong = hasher.verify("Abcdefg1.y".to_owned(), Some(hash));
    assert!(!wrong.await.unwrap());
    let nobody = hasher.verify("Abcdefg1.x".to_owned(), None);
    assert!(!nobody.await.unwrap());
    PasswordHash::new(NOBODYS).expect("it costs the same");
}
