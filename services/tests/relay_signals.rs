//! What `parvis relay` does when it is sent a signal.

mod common;

use std::{fs, path::Path};

use common::{Script, signal};

/// Writes a new certificate with its key so that the files look as they did: of one length, of one
/// age. Then only a signal tells that they changed.
fn renew(folder: &Path) {
    const LENGTH: usize = 4096;
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    for (name, pem) in [
        ("cert.pem", made.cert.pem()),
        ("key.pem", made.signing_key.serialize_pem()),
    ] {
        let path = folder.join(name);
        fs::write(&path, format!("{pem:\n<LENGTH$}")).unwrap();
        let file = fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(std::time::UNIX_EPOCH).unwrap();
    }
}

#[test]
fn a_hangup_reads_the_certificate_again() {
    let folder = tempfile::tempdir().unwrap();
    renew(folder.path());
    let path = |name| folder.path().join(name).to_str().unwrap().to_owned();
    let (cert, key) = (path("cert.pem"), path("key.pem"));
    let arguments = [
        "relay",
        "--listen",
        "127.0.0.1:0",
        "--cert",
        &cert,
        "--key",
        &key,
    ];
    let mut relay = Script::start(arguments);
    let first = relay.event("listening")["fingerprint"].clone();
    signal(&relay.child, "-HUP");
    assert_eq!(relay.event("certificate")["fingerprint"], first);

    renew(folder.path());
    signal(&relay.child, "-HUP");
    let second = relay.event("certificate")["fingerprint"].clone();
    assert_ne!(second, first);

    signal(&relay.child, "-TERM");
    relay.event("draining");
    relay.succeeds();
}
