use std::{fs, net::TcpListener, path::Path};

use parvis_store::{Store, StoreError};

fn assert_says(refused: Result<Store, StoreError>, parts: &[&str]) {
    let line = refused.expect_err("it is no database").to_string();
    for part in parts {
        assert!(line.contains(part), "no {part:?} in {line}");
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_named_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("parvis.db");
    fs::write(
        &file,
        "These are notes, whatever the name says. ".repeat(100),
    )
    .unwrap();
    let shown = file.display().to_string();
    assert_says(
        Store::sqlite(&file).await,
        &[&shown, "file is not a database"],
    );
    let nowhere = Path::new("/no/such/folder/parvis.db");
    assert_says(
        Store::sqlite(nowhere).await,
        &["/no/such/folder/parvis.db", "unable to open"],
    );
}

#[tokio::test]
async fn a_server_that_is_away_is_named_without_its_password() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let refused = Store::open(&format!("postgres://zoe:secret@{address}/parvis")).await;
    let shown = refused.as_ref().map(|_| ()).unwrap_err().to_string();
    assert!(!shown.contains("secret"), "{shown}");
    assert_says(
        refused,
        &[&address.to_string(), "\"parvis\"", "Connection refused"],
    );
}
