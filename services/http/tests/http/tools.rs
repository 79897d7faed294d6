//! Programs of others that the tests run: `make services-tools` installs them.

use std::{
    env,
    io::{BufRead, BufReader, Lines},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};

use serde_json::Value;

/// Where they are.
fn folder() -> PathBuf {
    let cache = env::var_os("PARVIS_CACHE").map(PathBuf::from);
    let xdg = || env::var_os("XDG_CACHE_HOME").map(|cache| Path::new(&cache).join("parvis"));
    let home = || env::var_os("HOME").map(|home| Path::new(&home).join(".cache/parvis"));
    let cache = cache.or_else(xdg).or_else(home).expect("a cache");
    let folder = cache.join("services-tools");
    assert!(
        folder.join("installed").exists(),
        "no {}: `make services-tools` installs it",
        folder.display()
    );
    folder
}

/// A program of the Python environment.
pub fn python(program: &str) -> Command {
    let mut command = Command::new(folder().join("python/bin").join(program));
    command.stdin(Stdio::null());
    command
}

/// A script of ours that runs in node beside the npm packages.
pub fn node(script: &str) -> Command {
    let folder = folder().join("node");
    let mut command = Command::new("node");
    command.arg(folder.join(script)).current_dir(&folder);
    command
}

/// A script of ours beside this file.
pub fn script(name: &str) -> PathBuf {
    // Of the clone that runs: another one may have built this.
    Path::new(&env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs it"))
        .join("tests/peers")
        .join(name)
}

/// A program that tells what it does as JSON lines, and ends with this.
pub struct Telling {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Telling {
    pub fn start(mut command: Command) -> Self {
        // It ends when its standard input does: also if the tests are killed.
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        Self { child, lines }
    }

    /// What it tells next.
    pub fn next(&mut self) -> Value {
        let line = self.lines.next().expect("it tells more").unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line}: {error}"))
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
