//! The `parvis` binary as a script uses it.
#![allow(dead_code, reason = "each test binary uses a part")]

pub mod site;

use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio},
};

use parvis_relay::{Config, Relay, Running};
use serde_json::Value;

/// The binary with these arguments.
pub fn parvis<S: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_parvis"));
    command.args(arguments).stdin(Stdio::null());
    // The environment of who runs the tests must not matter.
    for name in [
        "PARVIS_URL",
        "PARVIS_LOG",
        "PARVIS_LOG_FORMAT",
        "PARVIS_TOKEN_FILE",
        "PARVIS_SITE",
        "PARVIS_SITE_CA",
        "PARVIS_LOGIN",
        "PARVIS_RELAY_LISTEN",
        "PARVIS_RELAY_CONFIG",
    ] {
        command.env_remove(name);
    }
    command
}

/// Runs it to its end.
pub fn run<S: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = S>) -> Output {
    parvis(arguments).output().expect("the binary runs")
}

/// Runs it to its end, which must be a failure told in one line; returns that line.
pub fn failure<S: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = S>) -> String {
    one_line(&run(arguments))
}

/// The one line in which a failure is told.
pub fn one_line(output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{}: {stderr}", output.status);
    let lines: Vec<&str> = stderr.lines().collect();
    assert_eq!(lines.len(), 1, "{stderr}");
    assert!(stderr.starts_with("parvis: "), "{stderr}");
    stderr.trim_end().to_owned()
}

/// As Ctrl-C does.
pub fn interrupt(child: &Child) {
    signal(child, "-INT");
}

/// Sends a signal, as in `-HUP`.
pub fn signal(child: &Child, signal: &str) {
    let status = Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status()
        .expect("kill runs");
    assert!(status.success());
}

/// A running binary that tells what it does as JSON lines.
pub struct Script {
    pub child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Script {
    pub fn start<S: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = S>) -> Self {
        let mut command = parvis(arguments);
        command
            .arg("--json")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary runs");
        let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        Self { child, lines }
    }

    /// Reads on to the event of that name.
    pub fn event(&mut self, name: &str) -> Value {
        for line in self.lines.by_ref() {
            let line = line.expect("standard output can be read");
            let event: Value = serde_json::from_str(&line).expect("each line is JSON");
            if event["event"] == name {
                return event;
            }
        }
        panic!("no event {name}: {}", self.stderr());
    }

    /// Reads on to an event that fulfils the condition.
    pub fn event_where(&mut self, name: &str, condition: impl Fn(&Value) -> bool) -> Value {
        loop {
            let event = self.event(name);
            if condition(&event) {
                return event;
            }
        }
    }

    /// As Ctrl-C does.
    pub fn interrupt(&self) {
        interrupt(&self.child);
    }

    /// Waits for its end, and returns what it said since.
    pub fn whole(mut self) -> Whole {
        let lines = self.lines.by_ref().map_while(Result::ok);
        let stdout = lines.collect::<Vec<_>>().join("\n");
        let stderr = self.stderr();
        let status = self.child.wait().expect("it ends");
        Whole {
            status,
            stdout,
            stderr,
        }
    }

    /// Waits for a good end.
    pub fn succeeds(mut self) {
        for line in self.lines.by_ref() {
            line.expect("standard output can be read");
        }
        let stderr = self.stderr();
        let status = self.child.wait().expect("it ends");
        assert!(status.success(), "{stderr}");
    }

    fn stderr(&mut self) -> String {
        let mut text = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            stderr
                .read_to_string(&mut text)
                .expect("standard error can be read");
        }
        text
    }
}

/// How a binary ended, and what it said.
pub struct Whole {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Drop for Script {
    fn drop(&mut self) {
        // It has ended already where the test went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A relay in this process, on a free port.
pub fn relay() -> Running {
    let config = Config {
        listen: "127.0.0.1:0".parse().expect("an address"),
        ..Config::default()
    };
    Relay::start(config).expect("the relay starts")
}

/// The options that lead to a room of that relay.
pub fn to(relay: &Running) -> Vec<String> {
    let url = format!("moqt://{}", relay.local_addr());
    let fingerprint = relay.fingerprint().to_string();
    let options = [
        "--room",
        "r",
        "--timeout",
        "30s",
        "--url",
        &url,
        "--fingerprint",
        &fingerprint,
    ];
    options.map(str::to_owned).to_vec()
}

/// The words of a command line, then the options.
pub fn words(words: &str, options: &[String]) -> Vec<String> {
    words
        .split(' ')
        .map(str::to_owned)
        .chain(options.iter().cloned())
        .collect()
}

/// Publishes a small test picture and a tone until it is dropped.
pub fn publisher(relay: &Running, name: &str) -> Script {
    let arguments = words("publish test:320x180@15 --name", &[name.to_owned()]);
    let mut script = Script::start(arguments.into_iter().chain(to(relay)));
    script.event("publishing");
    script
}

/// What `ffprobe` says of a file: codec and number of frames of each stream.
pub fn probe(file: &Path) -> Vec<(String, u64)> {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-count_frames", "-of", "json"])
        .args(["-show_entries", "stream=codec_name,nb_read_frames"])
        .arg(file)
        .output()
        .expect("ffprobe runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && stderr.is_empty(), "{stderr}");
    let found: Value = serde_json::from_slice(&output.stdout).expect("ffprobe gives JSON");
    let streams = found["streams"].as_array().cloned().unwrap_or_default();
    let stream = |stream: &Value| {
        let codec = stream["codec_name"].as_str().unwrap_or_default().to_owned();
        let frames = stream["nb_read_frames"]
            .as_str()
            .and_then(|text| text.parse().ok());
        (codec, frames.unwrap_or(0))
    };
    streams.iter().map(stream).collect()
}

/// The names of what is in a folder, hidden files too.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("the folder can be read");
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        entry
            .expect("an entry can be read")
            .file_name()
            .to_string_lossy()
            .into_owned()
    };
    let mut names: Vec<String> = entries.map(name).collect();
    names.sort();
    names
}
