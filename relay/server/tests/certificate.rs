//! A certificate that changes while sessions go on.

mod support;

use std::{fs, path::PathBuf};

use bytes::Bytes;
use parvis_relay::{Config, Relay, Running};
use parvis_wire::{Draft::D22, Parameters};

use support::{Client, config, until};

/// A folder with a certificate and its key.
struct Files {
    _folder: tempfile::TempDir,
    cert: PathBuf,
    key: PathBuf,
}

impl Files {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (cert, key) = (
            folder.path().join("cert.pem"),
            folder.path().join("key.pem"),
        );
        let files = Self {
            _folder: folder,
            cert,
            key,
        };
        files.renew();
        files
    }

    fn renew(&self) {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        fs::write(&self.cert, made.cert.pem()).unwrap();
        fs::write(&self.key, made.signing_key.serialize_pem()).unwrap();
    }

    fn relay(&self) -> Running {
        Relay::start(Config {
            cert: Some(self.cert.clone()),
            key: Some(self.key.clone()),
            ..config(2)
        })
        .unwrap()
    }
}

#[tokio::test]
async fn a_session_goes_on_while_newcomers_are_shown_the_new_certificate() {
    let files = Files::new();
    let relay = files.relay();
    let first = relay.fingerprint();
    let mut publisher = Client::connect(&relay, D22).await;
    let mut subscriber = Client::connect(&relay, D22).await;
    publisher.publish_namespace().await;
    let wanted = subscriber.ask_for("camera", Parameters::default()).await;
    let served = publisher.serve().await;
    subscriber.accepted(wanted).await;
    let stream = publisher.send(served, 0, &[b"before"]).await;
    let mut reader = subscriber.stream(wanted).await;
    subscriber.object(&mut reader).await;

    files.renew();
    let second = relay.certificate_reload().reload().unwrap();
    assert_ne!(first, second);
    assert_eq!(relay.fingerprint(), second);
    for id in 1..100 {
        let payload = Bytes::from(vec![id as u8; 50]);
        publisher.send_more(stream, id, payload.clone()).await;
        let object = subscriber.object(&mut reader).await;
        assert_eq!(object.payload, payload);
    }
    // It trusts the new one only.
    Client::connect(&relay, D22).await.close().await;
    assert_eq!(relay.stats().sessions_opened, 3);
    let error = Client::connect_trusting(&relay, first).await.unwrap_err();
    assert!(error.contains("not trusted"), "{error}");
}

#[tokio::test]
async fn a_change_of_the_files_is_seen_by_itself() {
    let files = Files::new();
    let relay = files.relay();
    let first = relay.fingerprint();
    files.renew();
    until("a new certificate", || relay.fingerprint() != first).await;
    Client::connect(&relay, D22).await.close().await;
}

#[tokio::test]
async fn files_that_cannot_be_used_change_nothing() {
    let files = Files::new();
    let relay = files.relay();
    let first = relay.fingerprint();
    let reload = relay.certificate_reload();

    fs::write(&files.cert, "no PEM").unwrap();
    let error = reload.reload().unwrap_err().to_string();
    assert!(error.starts_with("cannot use the certificate "), "{error}");
    fs::remove_file(&files.key).unwrap();
    let error = reload.reload().unwrap_err().to_string();
    assert!(error.starts_with("cannot read the key "), "{error}");
    assert_eq!(relay.fingerprint(), first);
    Client::connect(&relay, D22).await.close().await;

    files.renew();
    assert_ne!(reload.reload().unwrap(), first);
}

#[tokio::test]
async fn a_certificate_that_was_made_up_stays() {
    let relay = support::relay(1);
    let first = relay.fingerprint();
    assert_eq!(relay.certificate_reload().reload().unwrap(), first);
}
