//! A site whose certificate an authority of its own signed.

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
};

use common::{Script, parvis};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tempfile::TempDir;

/// What such a site has.
struct Papers {
    folder: TempDir,
}

impl Papers {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut ca = CertificateParams::new(Vec::new()).unwrap();
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let authority = ca.self_signed(&key).unwrap();
        let issuer = Issuer::new(ca, key);
        let own = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        let leaf = leaf.signed_by(&own, &issuer).unwrap();
        let papers = Self { folder };
        for (name, pem) in [
            ("ca.pem", authority.pem()),
            ("cert.pem", leaf.pem()),
            ("key.pem", own.serialize_pem()),
        ] {
            fs::write(papers.file(name), pem).unwrap();
        }
        papers
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn serve(&self) -> (Script, String, String) {
        let mut serving = Script::start([
            Path::new("serve"),
            Path::new("--drain=1s"),
            Path::new("--listen=127.0.0.1:0"),
            Path::new("--relay-listen=127.0.0.1:0"),
            Path::new("--data"),
            &self.file("data"),
            Path::new("--cert"),
            &self.file("cert.pem"),
            Path::new("--key"),
            &self.file("key.pem"),
        ]);
        let site = serving.event("serving")["site"]
            .as_str()
            .unwrap()
            .to_owned();
        let administrator = serving.event("administrator");
        let passphrase = administrator["passphrase"].as_str().unwrap().to_owned();
        (serving, site, passphrase)
    }

    /// Runs a command that knows the authority.
    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = parvis(arguments);
        command.env("PARVIS_SITE_CA", self.file("ca.pem"));
        command.env("PARVIS_LOGIN", self.file("login.json"));
        command.env("XDG_CONFIG_HOME", self.folder.path());
        command.arg("--json").output().unwrap()
    }
}

fn good(output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn every_command_trusts_the_authority_that_it_is_given() {
    let papers = Papers::new();
    let (serving, site, passphrase) = papers.serve();
    fs::write(papers.file("passphrase"), passphrase).unwrap();
    let file = papers.file("passphrase").display().to_string();
    let email = "admin@localhost.localdomain";
    let login = [
        "login",
        "--site",
        &site,
        "--email",
        email,
        "--passphrase-file",
        &file,
    ];
    good(&papers.run(&login));
    let room = good(&papers.run(&["room", "create"]));
    let room: serde_json::Value = serde_json::from_str(room.lines().next().unwrap()).unwrap();
    let link = room["url"].as_str().unwrap();

    fs::write(papers.file("script"), "wait connected\nsay hello\n").unwrap();
    let script = papers.file("script").display().to_string();
    let relay = ["--ca", &papers.file("ca.pem").display().to_string()].map(str::to_owned);
    let join = ["join", link, "--name", "Zoe", "--script", &script];
    let said = good(&papers.run(&join));
    assert!(said.contains("\"connected\""), "{said}");
    let check = ["check", link];
    good(&papers.run(&check));
    good(&papers.run(&[&check[..], &[&relay[0], &relay[1]]].concat()));

    // Without it nobody is asked for anything.
    let mut stranger = parvis(join);
    stranger.env("XDG_CONFIG_HOME", papers.folder.path().join("nobody"));
    let stranger = stranger.output().unwrap();
    let stderr = String::from_utf8_lossy(&stranger.stderr);
    assert_eq!(stranger.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("does not help"), "{stderr}");
    let none = papers.file("none.pem").display().to_string();
    let mut wrong = parvis(join);
    wrong.args(["--guest", "--site-ca", &none]);
    let wrong = wrong.output().unwrap();
    let stderr = String::from_utf8_lossy(&wrong.stderr);
    assert!(stderr.contains("none.pem"), "{stderr}");
    serving.interrupt();
    serving.succeeds();
}
