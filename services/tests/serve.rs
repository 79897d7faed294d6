//! `parvis serve`: what is wrong with a start is said, and costs nothing.

mod common;

use std::{
    fs,
    io::{BufRead, BufReader},
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    sync::mpsc,
    thread,
    time::Duration,
};

use common::{Script, failure, run, words};
use serde_json::{Value, json};

/// How long something may take that is said on standard error.
const PATIENCE: Duration = Duration::from_mins(1);

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
    let line = failure(serve(&data, "--trace error --listen 0.0.0.0:0"));
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
fn values_that_cannot_work_are_refused_before_anything_starts() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").display().to_string();
    let everywhere = "--relay-listen 0.0.0.0:0 --site https://meet.example";
    for (more, says) in [
        ("--site ftp://meet.example", "--site is where people"),
        ("--site https://meet.example/a?b", "--site is where people"),
        ("--site https://meet.example#c", "--site is where people"),
        ("--ticket 0s", "--ticket is 1m at least, got 0s"),
        (everywhere, "--relay-url says where clients reach"),
    ] {
        let words = ["serve", "--data", &data, "--listen", "127.0.0.1:0"];
        let line = failure(words.into_iter().chain(more.split(' ')));
        assert!(line.contains(says), "{more}: {line}");
    }
    assert!(!folder.path().join("data").exists(), "nothing is left");
    let lonely = run(["serve", "--mail-from", "meet@example.org"]);
    let said = String::from_utf8_lossy(&lonely.stderr).into_owned();
    assert_eq!(lonely.status.code(), Some(2), "{said}");
    assert!(said.contains("--mail <URL>"), "{said}");
}

#[test]
fn others_do_not_read_the_database_in_a_folder_of_the_operators() {
    let folder = tempfile::tempdir().unwrap();
    let open = |mode| fs::Permissions::from_mode(mode);
    fs::set_permissions(folder.path(), open(0o755)).unwrap();
    let data = folder.path().display().to_string();
    let old = folder.path().join("parvis.db");
    // As versions before left it.
    fs::write(&old, "").unwrap();
    fs::set_permissions(&old, open(0o644)).unwrap();
    let mut serving = Script::start(serve(&data, "--listen 127.0.0.1:0"));
    serving.event("serving");
    for name in ["parvis.db", "parvis.db-wal", "parvis.db-shm"] {
        let mode = fs::metadata(folder.path().join(name))
            .unwrap()
            .permissions();
        assert_eq!(mode.mode() & 0o777, 0o600, "{name}");
    }
    serving.interrupt();
    serving.succeeds();
}

#[test]
fn a_provider_that_cannot_be_used_is_told_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").display().to_string();
    let with = |issuer: &str| {
        let more = "--trace error --listen 127.0.0.1:0 --oidc-client-id parvis --oidc-issuer";
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

/// Starts a service whose mail server is away, and asks for a code; returns the lines of standard error
/// up to the one that says what became of the mail.
fn without_mail_server(more: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").display().to_string();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let mail = format!("smtp://{}", closed.local_addr().unwrap());
    drop(closed);
    let more = format!("--listen 127.0.0.1:0 --mail {mail} --mail-from meet@example.org {more}");
    let mut serving = Script::start(serve(&data, more.trim_end()));
    let stderr = serving.child.stderr.take().unwrap();
    let (tell, lines) = mpsc::channel();
    thread::spawn(move || {
        let lines = BufReader::new(stderr).lines().map_while(Result::ok);
        // The test may be over.
        lines.for_each(|line| drop(tell.send(line)));
    });
    let site = serving.event("serving")["site"].clone();
    let body = json!({ "email": "zoe@example.org", "name": "Zoé" });
    ureq::post(format!("{}/api/v1/accounts", site.as_str().unwrap()))
        .send_json(&body)
        .unwrap();
    let mut said = Vec::new();
    while !said
        .last()
        .is_some_and(|line: &String| line.contains("mail not sent"))
    {
        let line = lines.recv_timeout(PATIENCE);
        said.push(line.unwrap_or_else(|_| panic!("nothing is said of the mail: {said:?}")));
    }
    serving.interrupt();
    serving.succeeds();
    said
}

#[test]
fn what_an_operator_must_know_is_logged_unasked() {
    let said = without_mail_server("");
    let line = said.last().unwrap();
    assert!(line.contains("WARN"), "{line}");
    let listens = |line: &String| line.contains("the meeting service listens");
    assert!(said.iter().any(listens), "{said:?}");
}

#[test]
fn logs_are_objects_for_machines() {
    let said = without_mail_server("--log-format json");
    let said: Vec<Value> = said
        .iter()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}")))
        .collect();
    let last = said.last().unwrap();
    assert_eq!(last["level"], "WARN");
    assert_eq!(last["message"], "mail not sent");
    assert_eq!(last["tries"], 1);
    assert!(last["timestamp"].is_string(), "{last}");
}

#[test]
fn codes_are_objects_among_logs_that_are() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").display().to_string();
    let more = "--listen 127.0.0.1:0 --log-format json --trace off";
    let mut serving = Script::start(serve(&data, more));
    let site = serving.event("serving")["site"].clone();
    let body = json!({ "email": "zoe@example.org", "name": "Zoé" });
    ureq::post(format!("{}/api/v1/accounts", site.as_str().unwrap()))
        .send_json(&body)
        .unwrap();
    serving.interrupt();
    let whole = serving.whole();
    let line: Value = serde_json::from_str(whole.stderr.trim_end()).unwrap();
    assert_eq!(line["target"], "parvis::operator");
    let message = line["message"].as_str().unwrap();
    assert!(message.contains("proves zoe@example.org: "), "{message}");
}

#[test]
fn the_help_tells_of_the_service_and_of_what_the_demonstration_shows() {
    let help = run(["--help"]);
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    assert!(help.contains("Two agents and three guests"), "{help}");
    assert!(help.contains("parvis serve"), "{help}");
    assert!(!help.contains("three participants"), "{help}");
}
