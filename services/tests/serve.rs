//! `parvis serve`: what is wrong with a start is said, and costs nothing.

mod common;

use common::{Script, failure, words};

fn serve(data: &str, more: &str) -> Vec<String> {
    let base = "serve --relay-listen 127.0.0.1:0 --data";
    let more = more.split_whitespace().map(str::to_owned);
    words(base, &[data.to_owned()])
        .into_iter()
        .chain(more)
        .collect()
}

#[test]
fn a_start_that_fails_leaves_the_first_passphrase_to_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").display().to_string();
    let line = failure(serve(&data, "--listen 0.0.0.0:0"));
    assert!(line.contains("is not on loopback"), "{line}");
    let mut good = Script::start(serve(&data, "--listen 127.0.0.1:0"));
    let administrator = good.event("administrator");
    let passphrase = administrator["passphrase"].as_str().unwrap();
    assert_eq!(passphrase.len(), 24);
    good.interrupt();
    good.succeeds();
    let mut again = Script::start(serve(&data, "--listen 127.0.0.1:0"));
    again.event("serving");
    again.interrupt();
    let whole = again.whole();
    assert!(!whole.stdout.contains("administrator"), "shown once");
}
