//! `parvis serve`: what is wrong with a start is said, and costs nothing.

mod common;

use std::net::TcpListener;

use common::{Script, failure, run, words};

fn serve(data: &str, more: &str) -> Vec<String> {
    let base = "serve --drain 1s --relay-listen 127.0.0.1:0 --data";
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

#[test]
fn a_service_is_ready_when_its_relay_and_its_authority_are() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").display().to_string();
    let mut serving = Script::start(serve(&data, "--listen 127.0.0.1:0"));
    let site = serving.event("serving")["site"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut answer = ureq::get(format!("{site}/readyz")).call().unwrap();
    assert_eq!(answer.body_mut().read_to_string().unwrap(), "ok");
    serving.interrupt();
    serving.succeeds();
}

#[test]
fn a_relay_url_that_is_none_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").display().to_string();
    let line = failure(serve(
        &data,
        "--listen 127.0.0.1:0 --relay-url http://meet.example",
    ));
    assert!(line.contains("--relay-url"), "{line}");
    assert!(line.contains("as in moqt://meet.example"), "{line}");
    assert!(!folder.path().join("data").exists(), "nothing is left");
}

#[test]
fn a_provider_that_cannot_be_used_is_told_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").display().to_string();
    let with = |issuer: &str| {
        let more = "--listen 127.0.0.1:0 --oidc-client-id parvis --oidc-issuer";
        serve(&data, &format!("{more} {issuer}"))
    };
    let line = failure(with("http://id.example"));
    assert!(
        line.contains("the provider http://id.example cannot be used"),
        "{line}"
    );
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let issuer = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    let mut serving = Script::start(with(&issuer));
    serving.event("serving");
    serving.interrupt();
    let whole = serving.whole();
    assert!(whole.status.success(), "{}", whole.stderr);
    let told = "Nobody can sign in at present: the provider cannot be used";
    assert!(whole.stderr.contains(told), "{}", whole.stderr);
}

#[test]
fn the_help_tells_of_the_service_and_of_what_the_demonstration_shows() {
    let help = run(["--help"]);
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    assert!(help.contains("Two agents and three guests"), "{help}");
    assert!(help.contains("parvis serve"), "{help}");
    assert!(!help.contains("three participants"), "{help}");
}
