//! A PostgreSQL server of a test's own: a new cluster in a temporary folder, on a Unix socket and a free
//! port of loopback, gone when it is dropped. PostgreSQL refuses to run as root, so root runs it as the user
//! `postgres`, whom the Debian package makes.

use std::{
    fs,
    net::TcpListener,
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, Output},
};

use nix::unistd::{Uid, User};
use tempfile::TempDir;

/// How a server is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// In order.
    Fast,
    /// As in a crash: what is not in the log is lost.
    Immediate,
}

/// A running server.
#[derive(Debug)]
pub struct Cluster {
    folder: TempDir,
    programs: PathBuf,
    user: Option<User>,
    port: u16,
}

impl Cluster {
    /// Makes a cluster and starts its server.
    pub fn start() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("parvis-postgres-")
            .tempdir_in("/tmp")
            .expect("a temporary folder");
        let user = Uid::effective().is_root().then(|| {
            User::from_name("postgres")
                .expect("the users can be read")
                .expect("the package postgresql makes the user postgres")
        });
        if let Some(user) = &user {
            let (uid, gid) = (user.uid.as_raw(), user.gid.as_raw());
            chown(folder.path(), Some(uid), Some(gid)).expect("root gives folders away");
        }
        let cluster = Self {
            programs: programs(),
            folder,
            user,
            port: free_port(),
        };
        let data = cluster.data();
        cluster.run("initdb", |command| {
            command
                .args(["--username=parvis", "--auth=trust", "--encoding=UTF8"])
                .args(["--locale=C", "--no-sync", "--pgdata"])
                .arg(&data);
        });
        cluster.resume();
        cluster
    }

    /// Where clients connect to.
    pub fn url(&self) -> String {
        format!("postgres://parvis@127.0.0.1:{}/postgres", self.port)
    }

    /// Makes an empty database in it; returns where clients connect to.
    pub fn database(&self, name: &str) -> String {
        let port = self.port.to_string();
        self.run("createdb", |command| {
            command.args(["-h", "127.0.0.1", "-U", "parvis", "-p", &port, name]);
        });
        format!("postgres://parvis@127.0.0.1:{}/{name}", self.port)
    }

    /// Stops the server; its data stay.
    pub fn stop(&self, how: Stop) {
        let mode = match how {
            Stop::Fast => "fast",
            Stop::Immediate => "immediate",
        };
        let data = self.data();
        self.run("pg_ctl", |command| {
            command.args(["stop", "--mode", mode, "--wait", "--pgdata"]);
            command.arg(&data);
        });
    }

    /// Starts the server again.
    pub fn resume(&self) {
        let data = self.data();
        let log = self.folder.path().join("log");
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories={}",
            self.port,
            self.folder.path().display()
        );
        self.run("pg_ctl", |command| {
            command.args(["start", "--wait", "--timeout", "60", "--pgdata"]);
            command.arg(&data).arg("--log").arg(&log);
            command.args(["--options", &options]);
        });
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn run(&self, program: &str, arguments: impl FnOnce(&mut Command)) {
        let Output { status, stderr, .. } = self.try_run(program, arguments);
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let stderr = String::from_utf8_lossy(&stderr);
        assert!(status.success(), "{program}: {stderr}\n{log}");
    }

    fn try_run(&self, program: &str, arguments: impl FnOnce(&mut Command)) -> Output {
        let mut command = Command::new(self.programs.join(program));
        command.current_dir(self.folder.path());
        arguments(&mut command);
        if let Some(user) = &self.user {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        // The server inherits no pipe that somebody would wait for.
        let errors = self.folder.path().join(format!("{program}.errors"));
        let file = fs::File::create(&errors).expect("a file in our own folder");
        let copy = file.try_clone().expect("a file can be shared");
        let status = command.stdout(copy).stderr(file).status();
        let status = status.unwrap_or_else(|error| panic!("{program} does not run: {error}"));
        Output {
            status,
            stdout: Vec::new(),
            stderr: fs::read(errors).unwrap_or_default(),
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // It has been stopped already where a test did so.
        let data = self.data();
        self.try_run("pg_ctl", |command| {
            command.args(["stop", "--mode", "immediate", "--wait", "--pgdata"]);
            command.arg(&data);
        });
    }
}

/// The newest installed version's, which Debian keeps out of the path.
fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").map(|entries| {
        let folders = entries.flatten().map(|entry| entry.path());
        let number = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
        folders.max_by_key(|path| number(path))
    });
    let newest = versions.ok().flatten();
    newest
        .expect("PostgreSQL is installed; scripts/packages.sh --tests does it")
        .join("bin")
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    listener.local_addr().expect("it is bound").port()
}
