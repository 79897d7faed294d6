use super::*;

fn write(folder: &Path, name: &str) -> [PathBuf; 2] {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let (chain, key) = (folder.join("chain.pem"), folder.join("key.pem"));
    fs::write(&chain, made.cert.pem()).unwrap();
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    [chain, key]
}

/// As if it had been written some time ago.
fn age(file: &Path) {
    let before = SystemTime::now() - Duration::from_mins(1);
    let file = fs::File::options().write(true).open(file).unwrap();
    file.set_modified(before).unwrap();
}

#[tokio::test]
async fn changed_files_are_taken_up_and_broken_ones_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let [chain, key] = write(folder.path(), "one.example");
    age(&chain);
    let mut certificate = Certificate::read(&chain, &key).unwrap();
    let served = certificate.config();
    let first = served.get_inner();
    certificate.look();
    assert!(Arc::ptr_eq(&first, &served.get_inner()), "nothing changed");

    fs::write(&chain, "broken").unwrap();
    certificate.look();
    assert!(
        Arc::ptr_eq(&first, &served.get_inner()),
        "it stays as it is"
    );

    write(folder.path(), "two.example");
    certificate.look();
    assert!(!Arc::ptr_eq(&first, &served.get_inner()));
    assert!(Certificate::read(&key, &chain).is_err());
}
