//! Keys and tokens: `parvis token`, and a relay that asks for tokens.

mod common;

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use common::{Script, failure, names, parvis, words};
use serde_json::Value;

fn json<S: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = S>) -> Value {
    let output = parvis(arguments).arg("--json").output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).display().to_string()
}

/// A private key, and the set with its public half.
fn keys(folder: &Path) -> (String, String) {
    let (key, set) = (path(folder, "issuer.key"), path(folder, "keys.json"));
    json(["token", "key", "--out", &key]);
    json(["token", "key-set", &key, "--out", &set]);
    (key, set)
}

#[test]
fn a_room_behind_tokens_is_entered_with_one() {
    let folder = tempfile::tempdir().unwrap();
    let (key, set) = keys(folder.path());
    let arguments = words("relay --listen 127.0.0.1:0 --log error --auth-keys", &[set]);
    let mut relay = Script::start(arguments);
    let listening = relay.event("listening");
    let text = |field: &str| listening[field].as_str().unwrap().to_owned();
    let at = [
        "--url".to_owned(),
        text("url"),
        "--fingerprint".to_owned(),
        text("fingerprint"),
    ];
    let token = |name: &str, arguments: &str| {
        let out = path(folder.path(), name);
        let sign = words("token sign --key", std::slice::from_ref(&key));
        let sign = sign.into_iter().chain(words(arguments, &[]));
        json(sign.chain(["--out".to_owned(), out.clone()]));
        ["--token-file".to_owned(), out]
    };
    let zoe = token("zoe.token", "--room r --name zoe");
    let observer = token("observer.token", "--room r --subject observer");
    let stranger = token("stranger.token", "--room other --name zoe");

    let publish = words("publish test:320x180@15 --room r --name zoe", &at);
    let mut publisher = Script::start(publish.iter().chain(&zoe));
    publisher.event("publishing");
    let watch = |out: &str, token: &[String]| {
        let out = path(folder.path(), out);
        let watch = words("watch --room r --wait 30s --out", &[out]);
        watch.into_iter().chain(at.clone()).chain(token.to_vec())
    };
    let mut watcher = Script::start(watch("zoe.mp4", &observer));
    watcher.event_where("progress", |progress| {
        progress["video_frames"].as_u64() >= Some(5)
    });
    watcher.interrupt();
    watcher.event("recorded");
    watcher.succeeds();

    let as_eve = words("publish test:320x180@15 --room r --name eve", &at);
    let refused = [
        (failure(watch("none.mp4", &[])), "the relay refuses to"),
        (
            failure(watch("none.mp4", &stranger)),
            "the relay refuses to",
        ),
        (
            failure(watch("none.mp4", &["--token-file".to_owned(), key.clone()])),
            "the relay does not let you in",
        ),
        (
            failure(watch(
                "none.mp4",
                &["--token-file".to_owned(), "/nowhere".to_owned()],
            )),
            "there is no token to show",
        ),
        // An observer's token does not publish, and nobody's publishes as another.
        (
            failure(as_eve.iter().chain(&observer)),
            "the relay refuses to",
        ),
        (failure(as_eve.iter().chain(&zoe)), "the relay refuses to"),
    ];
    for (line, expected) in refused {
        assert!(line.contains(expected), "{line}");
    }
    assert!(!names(folder.path()).contains(&"none.mp4".to_owned()));
    publisher.interrupt();
    publisher.succeeds();
    relay.interrupt();
    relay.succeeds();
}

#[test]
fn a_key_file_is_private_and_not_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let (key, set) = keys(folder.path());
    let mode = |path: &str| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&key), 0o600);
    let public = fs::read_to_string(&set).unwrap();
    assert!(!public.contains("\"d\""), "{public}");
    let before = fs::read_to_string(&key).unwrap();
    let line = failure(["token", "key", "--out", &key]);
    assert!(line.contains("cannot make the key file"), "{line}");
    assert_eq!(fs::read_to_string(&key).unwrap(), before);
}

#[test]
fn a_token_says_what_it_was_asked_to() {
    let folder = tempfile::tempdir().unwrap();
    let (key, _) = keys(folder.path());
    let sign = words(
        "token sign --room r --name zoe --valid 2h --issuer us --audience relay --key",
        std::slice::from_ref(&key),
    );
    let event = json(&sign);
    let claims = &event["claims"];
    assert_eq!(claims["sub"], "zoe");
    assert_eq!(claims["iss"], "us");
    assert_eq!(claims["aud"][0], "relay");
    let seconds = |claim: &str| claims[claim].as_u64().unwrap();
    assert_eq!(seconds("exp") - seconds("iat"), 7200);
    assert_eq!(claims["grants"].as_array().map(Vec::len), Some(2));
    assert_ne!(json(&sign)["claims"]["jti"], claims["jti"]);

    let wrong = [
        ("--subject a", "would grant nothing"),
        ("--room r", "whose token is it"),
    ];
    for (arguments, expected) in wrong {
        let arguments = words(arguments, &["--key".to_owned(), key.clone()]);
        let line = failure(words("token sign", &arguments));
        assert!(line.contains(expected), "{line}");
    }
    let line = failure([
        "token", "sign", "--key", "/nowhere", "--room", "r", "--name", "n",
    ]);
    assert!(line.contains("cannot read the key /nowhere"), "{line}");
}

#[test]
fn a_relay_for_everybody_needs_keys() {
    let line = failure(["relay", "--listen", "0.0.0.0:0"]);
    assert!(line.contains("needs `auth-keys`"), "{line}");
    assert!(line.contains("parvis token"), "{line}");
}
