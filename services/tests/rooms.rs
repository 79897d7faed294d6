//! `parvis account`, `login`, `room`: against a real service.

mod common;

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{Arc, Mutex},
    time::Duration,
};

use common::{one_line, parvis};
use parvis_http::{Config, Operator, RelayAddress, Running, Service};
use parvis_store::Store;
use parvis_token::Signer;
use serde_json::Value;
use tempfile::TempDir;

const PASSPHRASE: &str = "Abcdefg1.x";

/// A service in this process, and a folder for what its users keep.
struct House {
    runtime: tokio::runtime::Runtime,
    running: Option<Running>,
    site: String,
    root_passphrase: String,
    told: Arc<Mutex<Vec<String>>>,
    folder: TempDir,
}

impl House {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let site = format!("http://{}", listener.local_addr().unwrap());
        let told = Arc::new(Mutex::new(Vec::new()));
        let operator = Operator::new({
            let told = Arc::clone(&told);
            move |text| told.lock().unwrap().push(text.to_owned())
        });
        let (running, root_passphrase) = runtime.block_on(async {
            let store = Store::sqlite(&folder.path().join("parvis.db")).await;
            let relay = RelayAddress {
                url: "moqt://127.0.0.1:4433".to_owned(),
                fingerprint: None,
            };
            let signer = Arc::new(Signer::from_seed(&[7; 32]));
            let mut config = Config::new(site.parse().unwrap(), relay, signer);
            config.operator = operator;
            let service = Service::new(store.unwrap(), config).unwrap();
            let root = service.first_administrator("root@example.org", "Root");
            let root = root.await.unwrap().expect("the store is new");
            (service.start(listener).unwrap(), root.passphrase)
        });
        Self {
            runtime,
            running: Some(running),
            site,
            root_passphrase,
            told,
            folder,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> String {
        fs::write(self.path(name), text).unwrap();
        self.path(name).display().to_string()
    }

    fn command(&self, words: &str, more: &[&str]) -> Command {
        let mut command = parvis(words.split(' ').chain(more.iter().copied()));
        command.env("XDG_CONFIG_HOME", self.folder.path());
        for name in [
            "PARVIS_SITE",
            "PARVIS_LOGIN",
            "PARVIS_APPLICATION_TOKEN_FILE",
            "PARVIS_SITE_CA",
        ] {
            command.env_remove(name);
        }
        command
    }

    /// What it tells scripts.
    fn json(&self, words: &str, more: &[&str]) -> Vec<Value> {
        let output = self.command(words, more).arg("--json").output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        let lines = text(&output.stdout);
        lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// What it tells people.
    fn said(&self, words: &str, more: &[&str]) -> String {
        let output = self.command(words, more).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    }

    fn fails(&self, words: &str, more: &[&str]) -> String {
        let output: Output = self.command(words, more).output().unwrap();
        one_line(&output)
    }

    fn sign_in_as_root(&self) {
        let file = self.write("root", &self.root_passphrase);
        self.json(
            "login --email root@example.org",
            &["--site", &self.site, "--passphrase-file", &file],
        );
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            self.runtime.block_on(running.stop(Duration::from_secs(1)));
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn an_account_is_made_and_makes_a_room() {
    let house = House::start();
    let passphrase = house.write("passphrase", PASSPHRASE);
    let site = house.site.clone();
    let said = house.said(
        "account create --email zoe@example.org --name Zoé",
        &["--site", &site],
    );
    assert!(said.contains("parvis account prove"), "{said}");
    let told = house.told.lock().unwrap().join("\n");
    let code = &told.split("zoe@example.org: ").nth(1).unwrap()[..10];
    let proven = house.json(
        "account prove --email zoe@example.org",
        &["--site", &site, "--passphrase-file", &passphrase, code],
    );
    assert_eq!(proven[0]["event"], "signed-in");
    let login = house.path("parvis/login.json");
    let mode = fs::metadata(&login).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "for its owner's eyes only");

    let room = house.json(
        "room create --title Stand-up --access public",
        &["--host-gate", "false"],
    );
    assert_eq!(room[0]["event"], "room");
    assert_eq!(
        (&room[0]["access"], &room[0]["host_gate"]),
        (&Value::from("public"), &Value::from(false))
    );
    let (code, url) = (
        room[0]["code"].as_str().unwrap(),
        room[0]["url"].as_str().unwrap(),
    );
    let shown = house.said("room show", &[url]);
    assert!(
        shown.contains(code) && shown.contains("Rejoindre la visioconférence"),
        "{shown}"
    );
    // Root is not there, and gets a role all the same.
    let given = house.json("room role", &[code, "root@example.org", "administrator"]);
    assert_eq!(given[0]["role"], "administrator");
    let roles = house.json("room role", &[url]);
    assert_eq!(roles.len(), 2, "{roles:?}");
    let line = house.fails("room role", &[code, "eve@example.org", "member"]);
    assert!(line.contains("NotPresent"), "{line}");
    let line = house.fails("room role", &[code, "zoe@example.org", "guest"]);
    assert!(line.contains("LastOwner"), "{line}");
    let listed = house.said("room list", &[]);
    assert!(
        listed.contains(code) && listed.contains("Stand-up"),
        "{listed}"
    );

    house.json("room delete", &[code]);
    assert_eq!(house.said("room list", &[]).trim(), "No rooms.");
    house.json("logout", &[]);
    assert!(!login.exists());
    let spent = format!(r#"{{"site":"{site}","token":"spent","expires":""}}"#);
    fs::write(&login, spent).unwrap();
    house.json("logout", &[]);
    assert!(!login.exists(), "a login that has expired, too");
    assert!(
        house
            .fails("room list", &[])
            .contains("nobody is signed in")
    );
}

#[test]
fn a_meeting_is_scheduled_and_moved() {
    let house = House::start();
    house.sign_in_as_root();
    let made = house.json(
        "room schedule --title Review --starts-at 2027-03-01T09:00:00+01:00 --lasts 45m",
        &["--invite", "ann@example.org", "--invite", "bob@example.org"],
    );
    assert_eq!(made[0]["starts_at"], "2027-03-01T08:00:00Z");
    assert_eq!(made[0]["invited"].as_array().unwrap().len(), 2);
    assert_eq!(made[1]["event"], "invitations-not-sent");
    let code = made[0]["code"].as_str().unwrap();
    let moved = house.json(
        "room schedule --starts-at 2027-03-02T08:00:00Z",
        &["--room", code],
    );
    assert_eq!(
        (&moved[0]["code"], &moved[0]["lasts"]),
        (&made[0]["code"], &Value::from("45m"))
    );
    assert_eq!(moved[0]["starts_at"], "2027-03-02T08:00:00Z");
    let shown = house.json("room show", &[code]);
    let calendar = shown[0]["invitation"]["calendar"].as_str().unwrap();
    assert!(calendar.contains("DTSTART:20270302T080000Z"), "{calendar}");
}

#[test]
fn a_room_is_for_the_agents_of_an_organisation() {
    let house = House::start();
    house.sign_in_as_root();
    let login = fs::read_to_string(house.path("parvis/login.json")).unwrap();
    let login: Value = serde_json::from_str(&login).unwrap();
    ureq::put(format!("{}/api/v1/organisations/ministry", house.site))
        .header(
            "authorization",
            format!("Bearer {}", login["token"].as_str().unwrap()),
        )
        .header("content-type", "application/json")
        .send(r#"{"name":"The ministry","domains":["example.org"]}"#)
        .unwrap();
    let made = house.json("room create --access trusted --organisation ministry", &[]);
    assert_eq!(made[0]["organisation"], "ministry");
    let code = made[0]["code"].as_str().unwrap();
    let time = "room schedule --starts-at 2027-03-01T09:00:00Z --room";
    let kept = house.json(time, &[code]);
    assert_eq!(kept[0]["organisation"], "ministry");
    let opened = house.json(time, &[code, "--organisation", "all"]);
    assert_eq!(opened[0]["organisation"], Value::Null);
}

#[test]
fn an_application_makes_rooms_with_its_token() {
    let house = House::start();
    house.sign_in_as_root();
    let login = fs::read_to_string(house.path("parvis/login.json")).unwrap();
    let login: Value = serde_json::from_str(&login).unwrap();
    let made: Value = ureq::post(format!("{}/api/v1/applications", house.site))
        .header(
            "authorization",
            format!("Bearer {}", login["token"].as_str().unwrap()),
        )
        .header("content-type", "application/json")
        .send(
            r#"{"name":"Agenda","scopes":["rooms:create","rooms:list"],"domains":["example.org"]}"#,
        )
        .map(|mut answer| answer.body_mut().read_to_string().unwrap())
        .map(|text| serde_json::from_str(&text).unwrap())
        .unwrap();
    let token = house.write("token", made["token"].as_str().unwrap());
    let site = house.site.clone();
    let as_application = ["--site", &site, "--application-token-file", &token];
    let room = house.json(
        "room create --on-behalf-of root@example.org",
        &as_application,
    );
    let listed = house.json("room list --on-behalf-of root@example.org", &as_application);
    assert_eq!(listed[0]["code"], room[0]["code"]);
    let refused = house.fails(
        "room create --on-behalf-of eve@example.net",
        &as_application,
    );
    assert!(
        refused.contains("Forbidden: the application acts for addresses of example.org"),
        "{refused}"
    );
}

#[test]
fn what_goes_wrong_is_told_in_a_line() {
    let house = House::start();
    let (site, closed) = (
        house.site.clone(),
        TcpListener::bind("127.0.0.1:0").unwrap(),
    );
    let nobody = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    let wrong = house.write("wrong", "Wrong-passphrase1");
    let empty = house.write("empty", "");
    let says = |line: &str, part: &str| assert!(line.contains(part), "no {part:?} in {line}");

    says(&house.fails("room list", &[]), "nobody is signed in");
    says(
        &house.fails("login --email a@b.c", &["--passphrase-file", &wrong]),
        "Give --site",
    );
    let email = "login --email root@example.org";
    let at =
        |site: &str, file: &str| house.fails(email, &["--site", site, "--passphrase-file", file]);
    says(
        &at(&site, &wrong),
        "NotSignedIn: the address or the passphrase is wrong",
    );
    says(&at(&site, &empty), "the passphrase is empty");
    says(&at("meet.example", &wrong), "as in https://meet.example");
    says(&at(&nobody, &wrong), "cannot reach the meeting service");
    assert!(
        !house.path("parvis/login.json").exists(),
        "nothing is left of a failure"
    );

    house.sign_in_as_root();
    says(&house.fails("room show", &["zzz"]), "BadCode");
    says(
        &house.fails("room show", &["zzz-zzzz-zzz"]),
        "NotFound: there is no such room",
    );
    says(&house.fails("room create --title", &[" "]), "Empty");
    says(
        &house.fails("room schedule --starts-at tomorrow", &[]),
        "Malformed: a time is as in",
    );
    says(
        &house.fails("room list --site", &["https://other.example"]),
        "not for https://other.example",
    );
    let error = house
        .command("room show", &["zzz", "--json"])
        .output()
        .unwrap();
    let line: Value = serde_json::from_slice(&error.stdout).unwrap();
    assert_eq!(line["event"], "error");
    fs::write(house.path("parvis/login.json"), "{").unwrap();
    says(&house.fails("room list", &[]), "is no login");
    assert!(Path::new(&wrong).exists());
}
