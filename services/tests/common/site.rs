//! `parvis serve`, accounts and participants, each a process of its own.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Script, parvis, signal};

/// How long a process may take that has more to do than another test.
const PATIENCE: Duration = Duration::from_mins(1);
const PASSPHRASE: &str = "correct horse battery staple";

/// A meeting service that runs, with an administrator and a folder of its own.
pub struct Site {
    pub url: String,
    /// Where the relay is.
    pub relay: String,
    /// Of the relay's certificate.
    pub fingerprint: String,
    pub folder: TempDir,
    process: Child,
    operator: mpsc::Receiver<String>,
    events: mpsc::Receiver<String>,
}

impl Site {
    /// Starts one.
    pub fn start() -> Self {
        Self::start_with(&["--drain", "1s"])
    }

    /// Starts one with these options.
    pub fn start_with(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let any = "127.0.0.1:0";
        let (process, events, operator) = serve(folder.path(), any, any, options);
        let mut site = Self {
            url: String::new(),
            relay: String::new(),
            fingerprint: String::new(),
            folder,
            process,
            operator,
            events,
        };
        site.is_serving();
        let administrator = site.event("administrator");
        let login = json!({
            "email": administrator["email"],
            "passphrase": administrator["passphrase"],
        });
        let login = site.post("/api/v1/login", &login, None);
        site.keep("administrator", &login);
        site
    }

    fn is_serving(&mut self) {
        let serving = self.event("serving");
        let text = |field: &str| serving[field].as_str().unwrap().to_owned();
        self.url = text("site");
        self.relay = text("relay");
        self.fingerprint = text("fingerprint");
    }

    /// Ends it without a word.
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Starts it again with what it has stored, at the same addresses.
    pub fn start_again(&mut self) {
        let address = |url: &str| url.split_once("://").unwrap().1.to_owned();
        let (listen, relay) = (address(&self.url), address(&self.relay));
        let options = ["--drain", "1s"];
        let (process, events, operator) = serve(self.folder.path(), &listen, &relay, &options);
        (self.process, self.events, self.operator) = (process, events, operator);
        self.is_serving();
    }

    /// A file of its data folder.
    pub fn data(&self, name: &str) -> PathBuf {
        self.folder.path().join("data").join(name)
    }

    /// Has it read its certificate again.
    pub fn reload(&self) {
        signal(&self.process, "-HUP");
    }

    /// The fingerprint of the relay's certificate that a guest's ticket names.
    pub fn fingerprint_for(&self, link: &str, name: &str) -> String {
        let code = link.rsplit('/').next().unwrap();
        let body = json!({ "name": name, "device": "device" });
        let ticket = self.post(&format!("/api/v1/rooms/{code}/join"), &body, None);
        ticket["relay"]["fingerprint"].as_str().unwrap().to_owned()
    }

    /// Asks it to stop, and waits until it says that it does.
    pub fn drain(&self) {
        signal(&self.process, "-TERM");
        self.event("draining");
    }

    /// The session token of an account.
    pub fn token(&self, account: &str) -> String {
        let saved = fs::read_to_string(self.login(account)).unwrap();
        let saved: Value = serde_json::from_str(&saved).unwrap();
        saved["token"].as_str().unwrap().to_owned()
    }

    fn event(&self, name: &str) -> Value {
        loop {
            let line = self.events.recv_timeout(PATIENCE).expect("it serves");
            let event: Value = serde_json::from_str(&line).unwrap();
            if event["event"] == name {
                return event;
            }
        }
    }

    /// Makes an account, proves it, and keeps its login.
    pub fn account(&self, name: &str, email: &str) {
        let body = json!({ "email": email, "name": name });
        let sent = self.post("/api/v1/accounts", &body, None);
        let code = loop {
            let line = self.operator.recv_timeout(PATIENCE).expect("a code comes");
            if let Some((_, rest)) = line.split_once(&format!("proves {email}: ")) {
                break rest[..10].to_owned();
            }
        };
        let proof = &sent["proof"];
        let body =
            json!({ "proof": proof, "email": email, "code": code, "passphrase": PASSPHRASE });
        let login = self.post("/api/v1/accounts/proof", &body, None);
        self.keep(name, &login);
    }

    fn keep(&self, name: &str, login: &Value) {
        let saved = json!({
            "site": self.url,
            "token": login["token"],
            "expires": login["expires"],
        });
        fs::write(self.login(name), saved.to_string()).unwrap();
    }

    /// The file with somebody's login.
    pub fn login(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.json"))
    }

    /// Makes a room of somebody; returns its link.
    pub fn room(&self, owner: &str) -> String {
        let token = self.token(owner);
        let room = self.post("/api/v1/rooms", &json!({}), Some(&token));
        room["url"].as_str().unwrap().to_owned()
    }

    fn post(&self, path: &str, body: &Value, token: Option<&str>) -> Value {
        let mut asking = ureq::post(format!("{}{path}", self.url));
        if let Some(token) = token {
            asking = asking.header("Authorization", format!("Bearer {token}"));
        }
        let mut answer = asking.send_json(body).unwrap();
        answer.body_mut().read_json().unwrap()
    }

    /// The arguments of a guest.
    pub fn guest(link: &str, name: &str) -> Vec<String> {
        let device: Vec<String> = name.bytes().map(|byte| format!("{byte:02x}")).collect();
        let device = device.concat();
        let fixed = ["join", link, "--name", name, "--device", &device, "--guest"];
        fixed.map(str::to_owned).to_vec()
    }

    /// The arguments of somebody with an account.
    pub fn agent(&self, link: &str, name: &str, account: &str) -> Vec<String> {
        let login = self.login(account).display().to_string();
        let mut arguments = Self::guest(link, name);
        arguments.retain(|argument| argument != "--guest");
        arguments.extend(["--login".to_owned(), login]);
        arguments
    }

    /// Writes a script of somebody; returns the arguments that follow it.
    pub fn script(&self, name: &str, lines: &str) -> Vec<String> {
        let file = self.folder.path().join(format!("{name}.script"));
        fs::write(&file, lines).unwrap();
        let file = file.display().to_string();
        vec![
            "--script".to_owned(),
            file,
            "--wait".to_owned(),
            "60s".to_owned(),
        ]
    }

    /// Stops it in good order.
    pub fn stop(self) {
        signal(&self.process, "-INT");
        self.ends();
    }

    /// Waits for its end, in good order.
    pub fn ends(mut self) {
        let status = self.process.wait().unwrap();
        let said: Vec<String> = self.operator.iter().collect();
        assert!(status.success(), "{said:?}");
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // It has ended already where the test went well.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

type Lines = mpsc::Receiver<String>;

fn serve(folder: &Path, listen: &str, relay: &str, options: &[&str]) -> (Child, Lines, Lines) {
    let mut process = parvis(["serve", "--json", "--data"])
        .arg(folder.join("data"))
        .args(["--listen", listen, "--relay-listen", relay])
        .args(options)
        // What it says to its own relay goes by no proxy: this one leads nowhere.
        .env("HTTP_PROXY", "http://127.0.0.1:9")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let events = lines(process.stdout.take().unwrap());
    let operator = lines(process.stderr.take().unwrap());
    (process, events, operator)
}

/// The lines that something writes, as they come.
fn lines(from: impl std::io::Read + Send + 'static) -> mpsc::Receiver<String> {
    let (tell, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            if tell.send(line).is_err() {
                break;
            }
        }
    });
    lines
}

/// Somebody who takes part, and what it said so far.
pub struct Person {
    name: String,
    script: Script,
}

impl Person {
    /// Comes.
    pub fn joins(name: &str, arguments: &[Vec<String>]) -> Self {
        Self {
            name: name.to_owned(),
            script: Script::start(arguments.concat()),
        }
    }

    /// Waits until the meeting is somewhere on its way.
    pub fn is(&mut self, field: &str, value: &str) {
        self.script
            .event_where("phase", |phase| phase[field] == value);
    }

    /// Waits until its script is over; returns what went wrong.
    pub fn failure(self) -> Option<String> {
        let said = self.script.whole();
        let events: Vec<&str> = said.stdout.lines().rev().take(5).collect();
        let told = format!("{}: {}{}", self.name, said.stderr, events.join("\n"));
        (!said.status.success()).then_some(told)
    }
}
