//! A `parvis serve` of a test's own, and people in its meetings.
#![allow(
    dead_code,
    unused_imports,
    unused_macros,
    reason = "each test binary uses a part"
)]

pub mod media;
pub mod threads;

use std::{
    fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{Arc, mpsc},
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use parvis_ffi::{
    JoinOptions, Meeting, MeetingEvent, MeetingEvents, MeetingState, ParvisError, Phase, Tickets,
    Trust,
};
use ring::signature::Ed25519KeyPair;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::timeout;

/// How long anything may take.
pub const PATIENCE: Duration = Duration::from_mins(1);
const PASSPHRASE: &str = "correct horse battery staple";

/// A meeting service whose ports and folder stay the same when it is started again.
pub struct Site {
    pub url: String,
    /// The session token of the first administrator.
    pub administrator: String,
    folder: TempDir,
    /// Where the relay listens.
    relay: String,
    process: Child,
    operator: mpsc::Receiver<String>,
}

impl Site {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let any = "127.0.0.1:0";
        let (process, events, operator) = serve(&folder, any, any);
        let serving = event(&events, &operator, "serving");
        let text = |field: &str| serving[field].as_str().unwrap().to_owned();
        let said = event(&events, &operator, "administrator");
        let mut site = Self {
            url: text("site"),
            administrator: String::new(),
            folder,
            relay: text("relay"),
            process,
            operator,
        };
        let login = json!({ "email": said["email"], "passphrase": said["passphrase"] });
        let login = site.post("/api/v1/login", &login, None);
        login["token"]
            .as_str()
            .unwrap()
            .clone_into(&mut site.administrator);
        site
    }

    /// As a crash: nobody is told.
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Starts it again after [`Site::kill`].
    pub fn start_again(&mut self) {
        let address = |url: &str| url.split_once("://").unwrap().1.to_owned();
        let (listen, relay) = (address(&self.url), address(&self.relay));
        let (process, events, operator) = serve(&self.folder, &listen, &relay);
        event(&events, &operator, "serving");
        (self.process, self.operator) = (process, operator);
    }

    /// Makes an account and proves its address; returns its session token.
    pub fn account(&self, name: &str, email: &str) -> String {
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
        login["token"].as_str().unwrap().to_owned()
    }

    /// Makes a room of the administrator's; returns its link.
    pub fn room(&self) -> String {
        let room = self.post("/api/v1/rooms", &json!({}), Some(&self.administrator));
        room["url"].as_str().unwrap().to_owned()
    }

    /// Asks for a ticket as the library does.
    pub fn ticket(&self, link: &str, name: &str) -> Value {
        let code = link.rsplit('/').next().unwrap();
        let body = json!({ "name": name, "device": "device" });
        self.post(&format!("/api/v1/rooms/{code}/join"), &body, None)
    }

    /// The same token, signed by the service's own key anew, that expires so many seconds from now.
    pub fn expiring(&self, token: &str, seconds: i64) -> String {
        let jwk = fs::read(self.folder.path().join("data/issuer.key")).unwrap();
        let jwk: Value = serde_json::from_slice(&jwk).unwrap();
        let seed = URL_SAFE_NO_PAD.decode(jwk["d"].as_str().unwrap()).unwrap();
        let key = Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
        let (header, rest) = token.split_once('.').unwrap();
        let (claims, _) = rest.split_once('.').unwrap();
        let mut claims: Value =
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let expires = now.as_secs().checked_add_signed(seconds).unwrap();
        claims["exp"] = expires.into();
        for begins in ["iat", "nbf"] {
            if claims.get(begins).is_some() {
                claims[begins] = now.as_secs().min(expires - 60).into();
            }
        }
        let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let signature = URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    fn post(&self, path: &str, body: &Value, token: Option<&str>) -> Value {
        let mut asking = ureq::post(format!("{}{path}", self.url));
        if let Some(token) = token {
            asking = asking.header("Authorization", format!("Bearer {token}"));
        }
        let mut answer = asking.send_json(body).unwrap();
        answer.body_mut().read_json().unwrap()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // It has ended already where the test ended it.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn serve(
    folder: &TempDir,
    listen: &str,
    relay: &str,
) -> (Child, mpsc::Receiver<String>, mpsc::Receiver<String>) {
    let mut process = Command::new(binary())
        .args(["serve", "--json", "--drain", "1s", "--data"])
        .arg(folder.path().join("data"))
        .args(["--listen", listen, "--relay-listen", relay])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let events = lines(process.stdout.take().unwrap());
    let operator = lines(process.stderr.take().unwrap());
    (process, events, operator)
}

/// The command beside this test's build, which the tests of the workspace build first.
fn binary() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().and_then(|deps| deps.parent()).unwrap();
    let binary = folder.join("parvis");
    let how = "cargo build -p parvis-services builds it";
    assert!(binary.exists(), "no {}: {how}", binary.display());
    binary
}

/// Waits for an event of the service; where it ends instead, says what it has said to its operator.
fn event(events: &mpsc::Receiver<String>, operator: &mpsc::Receiver<String>, name: &str) -> Value {
    loop {
        let Ok(line) = events.recv_timeout(PATIENCE) else {
            let rest = std::iter::from_fn(|| operator.recv_timeout(Duration::from_secs(1)).ok());
            panic!("no {name}: {:?}", rest.collect::<Vec<_>>());
        };
        let event: Value = serde_json::from_str(&line).unwrap();
        if event["event"] == name {
            return event;
        }
    }
}

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

/// How somebody joins in these tests.
pub fn options(name: &str) -> JoinOptions {
    JoinOptions {
        name: name.to_owned(),
        device: format!("{:x?}", name.as_bytes()).replace(' ', ""),
        site: None,
        // A relay that is started again has made up another certificate.
        trust: Some(Trust::Anyone),
        authority: None,
        connect_timeout_ms: 5_000,
        reconnect_ms: 120_000,
        step_down: true,
        command_timeout_ms: 30_000,
        drafts: Vec::new(),
    }
}

/// Somebody in a meeting.
pub struct Person {
    pub meeting: Arc<Meeting>,
    pub id: String,
    events: Arc<MeetingEvents>,
}

impl Person {
    pub async fn joins(link: &str, name: &str, tickets: Tickets) -> Self {
        let meeting = Self::tries(link, name, tickets).await.unwrap();
        Self {
            id: meeting.state().unwrap().me,
            events: meeting.events(),
            meeting,
        }
    }

    pub async fn tries(
        link: &str,
        name: &str,
        tickets: Tickets,
    ) -> Result<Arc<Meeting>, ParvisError> {
        Meeting::join(link.to_owned(), options(name), Arc::new(tickets), None).await
    }

    /// Waits until what is known is so.
    pub async fn knows(&self, what: &str, holds: impl Fn(&MeetingState) -> bool) -> MeetingState {
        let states = self.meeting.states();
        let waiting = async {
            while let Some(state) = states.next().await {
                if holds(&state) {
                    return state;
                }
            }
            panic!("{} waits {what}, and it is over", self.id)
        };
        let Ok(state) = timeout(PATIENCE, waiting).await else {
            panic!("{} waits {what}: {:?}", self.id, self.meeting.state())
        };
        state
    }

    pub async fn is_in(&self) -> MeetingState {
        self.knows("to be in", |state| state.phase == Phase::Connected)
            .await
    }

    /// Reads on to an event that is wanted.
    pub async fn sees<T>(&self, what: &str, wanted: impl Fn(MeetingEvent) -> Option<T>) -> T {
        let waiting = async {
            while let Some(event) = self.events.next().await {
                if let Some(found) = wanted(event) {
                    return found;
                }
            }
            panic!("{} waits to see {what}, and it is over", self.id)
        };
        let Ok(found) = timeout(PATIENCE, waiting).await else {
            panic!(
                "{} waits to see {what}: {:?}",
                self.id,
                self.meeting.state()
            )
        };
        found
    }
}
