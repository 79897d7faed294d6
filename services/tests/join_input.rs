//! What `parvis join` refuses before it bothers anybody, each in one line.

mod common;

use std::fs;

use common::{failure, one_line, parvis};

const ROOM: &str = "http://127.0.0.1:9/abc-defg-hij";

fn refused(room: &str, options: &[&str]) -> String {
    let fixed = ["join", room, "--device", "d"];
    failure(fixed.iter().chain(options).copied())
}

#[test]
fn a_link_without_a_code() {
    let line = refused("https://meet.example/lunch", &["--name", "Zoé"]);
    assert!(
        line.contains("BadCode, got \"https://meet.example/lunch\""),
        "{line}"
    );
    assert!(line.contains("as in abc-defg-hij"), "{line}");
}

#[test]
fn a_name_that_is_none() {
    for name in ["", " ", &"x".repeat(51)] {
        let line = refused(ROOM, &["--name", name]);
        assert!(line.contains("BadName: a name has 1 to 50"), "{line}");
    }
}

#[test]
fn a_code_without_a_site() {
    let line = refused("abc-defg-hij", &["--name", "Zoé", "--guest"]);
    assert!(line.contains("Give the whole link, or --site"), "{line}");
}

#[test]
fn a_service_that_is_not_there() {
    let line = refused(ROOM, &["--name", "Zoé"]);
    assert!(line.contains("http://127.0.0.1:9"), "{line}");
    assert!(line.contains("check the link"), "{line}");
}

#[test]
fn a_script_with_a_line_that_is_no_command() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("script");
    fs::write(&script, "# who\nwait connected\ndance\n").unwrap();
    let line = refused(
        ROOM,
        &["--name", "Zoé", "--script", script.to_str().unwrap()],
    );
    assert!(
        line.contains("line 3: expected a command: access, admit"),
        "{line}"
    );
    assert!(line.contains("got \"dance\""), "{line}");
    let line = refused(ROOM, &["--name", "Zoé", "--script", "/no/such/script"]);
    assert!(
        line.contains("cannot read the script /no/such/script"),
        "{line}"
    );
}

#[test]
fn a_login_that_is_missing_or_for_another_site() {
    let folder = tempfile::tempdir().unwrap();
    let login = folder.path().join("login.json");
    let file = login.to_str().unwrap();
    let line = refused(ROOM, &["--name", "Zoé", "--login", file]);
    assert!(line.contains("nobody is signed in"), "{line}");
    let saved =
        r#"{"site": "https://meet.example/", "token": "t", "expires": "2030-01-01T00:00:00Z"}"#;
    fs::write(&login, saved).unwrap();
    // A site that the link names is never shown another one's token.
    let line = refused(ROOM, &["--name", "Zoé", "--login", file]);
    assert!(
        line.contains("is for https://meet.example/, not for http://127.0.0.1:9"),
        "{line}"
    );
}

#[test]
fn media_that_are_none() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("talk.wav");
    fs::write(&file, "no sound").unwrap();
    let file = file.to_str().unwrap();
    let line = refused(ROOM, &["--name", "Zoé", "--microphone", file]);
    assert!(line.contains("talk.wav"), "{line}");
    let line = refused(ROOM, &["--name", "Zoé", "--camera", "test:huge"]);
    assert!(line.contains("test:huge"), "{line}");
}

#[test]
fn the_id_of_the_device_is_made_once_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let join = || {
        let mut command = parvis(["join", ROOM, "--name", "Zoé"]);
        command.env("XDG_CONFIG_HOME", folder.path());
        one_line(&command.output().unwrap());
        fs::read_to_string(folder.path().join("parvis/device")).unwrap()
    };
    let first = join();
    assert_eq!(first.trim().len(), 32);
    assert_eq!(join(), first);
}

#[test]
fn what_is_logged_is_said_behind_the_command_too() {
    let line = refused("lunch", &["--name", "Zoé", "--trace", "error"]);
    assert!(line.contains("BadCode"), "{line}");
    let line = failure(["--trace", "error", "join", "lunch", "--name", "Zoé"]);
    assert!(line.contains("BadCode"), "{line}");
    let line = refused("lunch", &["--name", "Zoé", "--trace", "=="]);
    assert!(line.contains("invalid filter"), "{line}");
}
