//! The example in a meeting with the command `parvis join`: each sees the other, and a message comes across both ways.

use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::Value;

/// A process that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already where all is well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn it_sees_and_is_seen_and_greets_until_it_is_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (_service, link) = service(folder.path());
    let hello = Command::new(env!("CARGO_BIN_EXE_hello_room"))
        .args([&link, "Zoé"])
        .stdout(Stdio::piped())
        .spawn();
    let mut hello = Running(hello.unwrap());
    let said = hello.0.stdout.take().unwrap();

    let script =
        "wait present Zoé\nwait sees Zoé camera\nsay Bonjour\nwait chat Hello, Rust!\nleave\n";
    let joined = run(
        &[
            "join",
            &link,
            "--name",
            "Rust",
            "--guest",
            "--camera",
            "test:320x180@15",
            "--wait",
            "60s",
            "--plain",
        ],
        &["--script", "-"],
        script,
    );
    let said: Vec<String> = BufReader::new(said).lines().map_while(Result::ok).collect();
    assert!(hello.0.wait().unwrap().success(), "{said:?}\n{joined}");
    for line in [
        "Rust is here",
        "Rust looks like 320x180",
        "Rust: Bonjour",
        "left",
    ] {
        assert!(
            said.iter().any(|said| said == line),
            "{line} is not in {said:?}"
        );
    }
}

#[test]
fn the_lines_of_the_readme_show_whoever_else_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let (_service, link) = service(folder.path());
    let embed = parvis().with_file_name("examples").join("embed");
    let how = "cargo build -p parvis --example embed builds it";
    assert!(embed.exists(), "no {}: {how}", embed.display());
    let embed = Command::new(embed)
        .arg(&link)
        .stdout(Stdio::piped())
        .spawn();
    let mut embed = Running(embed.unwrap());
    let shown = BufReader::new(embed.0.stdout.take().unwrap());
    let rust = Command::new(parvis())
        .args(["join", &link, "--name", "Rust", "--guest", "--plain"])
        .args([
            "--camera",
            "test:320x180@15",
            "--wait",
            "60s",
            "--script",
            "-",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn();
    let mut rust = Running(rust.unwrap());
    let mut script = rust.0.stdin.take().unwrap();
    let waiting =
        "wait chat Bonjour !\nwait hand Zoé\nwait mic on Zoé\nwait within 2m absent Zoé\nleave\n";
    script.write_all(waiting.as_bytes()).unwrap();
    drop(script);
    let mut shown = shown.lines().map_while(Result::ok);
    assert!(shown.any(|line| line.starts_with("Rust at ")));
    // It stays until the meeting is over, and is not there any more for Rust.
    embed.0.kill().unwrap();
    assert!(rust.0.wait().unwrap().success());
}

#[test]
fn what_is_no_link_is_said_in_words() {
    let refused = Command::new(env!("CARGO_BIN_EXE_hello_room"))
        .args(["https://meet.example/", "Zoé"])
        .output()
        .unwrap();
    assert!(!refused.status.success());
    let words = String::from_utf8(refused.stderr).unwrap();
    assert!(words.contains("cannot join"), "{words}");
}

/// A service with a public room; returns it and the room's link.
fn service(folder: &Path) -> (Running, String) {
    let any = "127.0.0.1:0";
    let serving = Command::new(parvis())
        .args([
            "serve",
            "--json",
            "--drain",
            "1s",
            "--listen",
            any,
            "--relay-listen",
            any,
        ])
        .arg("--data")
        .arg(folder.join("data"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut serving = Running(serving.unwrap());
    let mut events = BufReader::new(serving.0.stdout.take().unwrap()).lines();
    let mut event = |name: &str| {
        let events = events.by_ref().map_while(Result::ok);
        let mut events = events.map(|line| serde_json::from_str::<Value>(&line).unwrap());
        events
            .find(|event| event["event"] == name)
            .expect("it serves")
    };
    let site = event("serving");
    let administrator = event("administrator");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let login = folder.join("login");
    let login = login.to_str().unwrap();
    let (site, email) = (text(&site["site"]), text(&administrator["email"]));
    let passphrase = text(&administrator["passphrase"]);
    run(
        &["login", "--site", &site, "--email", &email],
        &["--login", login],
        &passphrase,
    );
    let room = [
        "room",
        "create",
        "--access",
        "public",
        "--host-gate",
        "false",
        "--json",
    ];
    let room = run(&room, &["--login", login], "");
    let room: Value = serde_json::from_str(&room).unwrap();
    (serving, text(&room["url"]))
}

/// Runs the command to its end with this input; returns what it printed.
fn run(arguments: &[&str], options: &[&str], input: &str) -> String {
    let mut running = Command::new(parvis())
        .args(arguments)
        .args(options)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    running
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = running.wait_with_output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{arguments:?}: {said}");
    said
}

/// The command beside this test's build, which the tests of the workspace build first.
fn parvis() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().and_then(Path::parent).unwrap();
    let parvis = folder.join("parvis");
    let how = "cargo build -p parvis-services builds it";
    assert!(parvis.exists(), "no {}: {how}", parvis.display());
    parvis
}
