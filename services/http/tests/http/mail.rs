//! Mail by way of a real SMTP server.

use std::time::Duration;

use parvis_http::{Config, MailServer};
use serde_json::{Value, json};

use crate::{
    server::{PASSPHRASE, Server},
    tools::{Telling, python, script},
};

struct Post {
    server: Telling,
    port: u64,
}

impl Post {
    fn open() -> Self {
        let mut command = python("python");
        command.arg(script("smtp.py"));
        let mut server = Telling::start(command);
        let port = server.next()["port"].as_u64().unwrap();
        Self { server, port }
    }

    fn configure(&self) -> impl FnOnce(&mut Config) + use<> {
        let url = format!("smtp://127.0.0.1:{}", self.port);
        move |config| {
            config.mail = Some(MailServer {
                url,
                from: "Parvis <parvis@meet.example>".to_owned(),
                retry: Duration::from_millis(50),
            });
        }
    }
}

fn part<'a>(mail: &'a Value, kind: &str) -> &'a Value {
    let parts = mail["parts"].as_array().unwrap();
    let found = parts.iter().find(|part| part["type"] == kind);
    found.unwrap_or_else(|| panic!("no {kind} in {mail}"))
}

/// Lines of a calendar, put together again. RFC 5545, 3.1.
fn lines(calendar: &str) -> Vec<String> {
    calendar
        .replace("\r\n ", "")
        .split("\r\n")
        .map(str::to_owned)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_comes_by_mail() {
    let mut post = Post::open();
    let server = Server::with(post.configure()).await;
    let new = json!({ "email": "zoe@example.org", "name": "Zoé" });
    let answer = server.guest().post("/api/v1/accounts", &new).await.ok();
    let proof = &answer["proof"];
    assert_eq!(
        answer,
        json!({ "proof": proof, "code": "mail", "minutes": 15 })
    );
    let mail = post.server.next();
    assert_eq!(mail["from"], "parvis@meet.example");
    assert_eq!(mail["to"], json!(["zoe@example.org"]));
    let text = part(&mail, "text/plain")["text"].as_str().unwrap();
    let code: String = text.chars().filter(char::is_ascii_digit).take(10).collect();
    assert!(mail["subject"].as_str().unwrap().contains(&code), "{mail}");
    let email = "zoe@example.org";
    let proof = json!({ "proof": proof, "email": email, "code": code, "passphrase": PASSPHRASE });
    let login = server
        .guest()
        .post("/api/v1/accounts/proof", &proof)
        .await
        .ok();
    assert_eq!(login["account"]["name"], "Zoé");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_a_change_and_a_cancellation() {
    let mut post = Post::open();
    let server = Server::with(post.configure()).await;
    let root = server.root().await;
    let new = json!({
        "title": "Réunion; budget, 2027", "starts_at": "2027-03-01T09:00:00+01:00", "lasts": "45m",
        "invite": ["Ann@example.org"],
    });
    let room = root.post("/api/v1/rooms", &new).await.ok();
    assert_eq!(room["invited"], json!(["ann@example.org"]));
    let (code, url) = (
        room["code"].as_str().unwrap(),
        room["url"].as_str().unwrap(),
    );
    let path = format!("/api/v1/rooms/{code}");

    let mail = post.server.next();
    assert_eq!(mail["to"], json!(["ann@example.org"]));
    assert_eq!(mail["subject"], "Invitation : Réunion; budget, 2027");
    assert_eq!(mail["reply_to"], "root@example.org");
    assert!(
        part(&mail, "text/plain")["text"]
            .as_str()
            .unwrap()
            .contains(url),
        "{mail}"
    );
    let shown = part(&mail, "text/calendar");
    assert_eq!(shown["method"], "REQUEST");
    assert_eq!(part(&mail, "application/ics")["filename"], "invite.ics");
    let first = lines(shown["text"].as_str().unwrap());
    for line in [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "METHOD:REQUEST",
        "DTSTART:20270301T080000Z",
        "DTEND:20270301T084500Z",
        "SEQUENCE:0",
        "STATUS:CONFIRMED",
        "SUMMARY:Réunion\\; budget\\, 2027",
        "ORGANIZER;CN=\"Root\":mailto:root@example.org",
        &format!("UID:{}@127.0.0.1", room["id"].as_str().unwrap()),
    ] {
        assert!(
            first.iter().any(|found| found == line),
            "no {line} in {first:#?}"
        );
    }
    let attendee = first
        .iter()
        .find(|line| line.starts_with("ATTENDEE;"))
        .unwrap();
    assert!(attendee.ends_with(":mailto:ann@example.org"), "{attendee}");
    assert!(
        first.iter().all(|line| !line.contains('\n')),
        "lines end by CRLF"
    );

    let change = json!({ "starts_at": "2027-03-02T08:00:00Z", "invite": ["ann@example.org", "bob@example.org"] });
    root.send("PATCH", &path, &change).await.ok();
    let mut to = Vec::new();
    for _ in 0..2 {
        let mail = post.server.next();
        to.push(mail["to"][0].as_str().unwrap().to_owned());
        let moved = lines(part(&mail, "text/calendar")["text"].as_str().unwrap());
        assert!(moved.contains(&"SEQUENCE:1".to_owned()), "{moved:#?}");
        assert!(
            moved.contains(&"DTSTART:20270302T080000Z".to_owned()),
            "{moved:#?}"
        );
    }
    to.sort();
    assert_eq!(to, ["ann@example.org", "bob@example.org"]);

    let without = json!({ "invite": ["ann@example.org"] });
    root.send("PATCH", &path, &without).await.ok();
    let mail = post.server.next();
    assert_eq!(mail["to"], json!(["bob@example.org"]));
    assert_eq!(part(&mail, "text/calendar")["method"], "CANCEL");

    let timeless = json!({ "starts_at": null });
    root.send("PATCH", &path, &timeless).await.ok();
    let mail = post.server.next();
    assert_eq!(mail["to"], json!(["ann@example.org"]));
    let gone = lines(part(&mail, "text/calendar")["text"].as_str().unwrap());
    for line in [
        "METHOD:CANCEL",
        "SEQUENCE:3",
        "DTSTART:20270302T080000Z",
        "STATUS:CANCELLED",
    ] {
        assert!(gone.contains(&line.to_owned()), "no {line} in {gone:#?}");
    }
    let again = json!({ "starts_at": "2027-03-03T08:00:00Z" });
    root.send("PATCH", &path, &again).await.ok();
    let mail = post.server.next();
    assert_eq!(part(&mail, "text/calendar")["method"], "REQUEST");

    assert_eq!(root.order("DELETE", &path).await.status, 204);
    let mail = post.server.next();
    assert_eq!(mail["to"], json!(["ann@example.org"]));
    let gone = lines(part(&mail, "text/calendar")["text"].as_str().unwrap());
    assert!(gone.contains(&"METHOD:CANCEL".to_owned()), "{gone:#?}");
    assert!(gone.contains(&"STATUS:CANCELLED".to_owned()), "{gone:#?}");
    assert!(gone.contains(&"SEQUENCE:5".to_owned()), "{gone:#?}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_is_tried_again_and_a_bad_address_stops_no_other() {
    let mut post = Post::open();
    let server = Server::with(post.configure()).await;
    let root = server.root().await;
    let invite = [
        "nobody@example.org",
        "busy-2@example.org",
        "ann@example.org",
    ];
    let new = json!({ "title": "Stand-up", "invite": invite });
    root.post("/api/v1/rooms", &new).await.ok();
    let (mut refused, mut got) = (0, Vec::new());
    while got.len() < 2 {
        let told = post.server.next();
        if told["refused"].is_string() {
            refused += 1;
        } else {
            got.push(told);
        }
    }
    let mut to: Vec<&str> = got
        .iter()
        .map(|mail| mail["to"][0].as_str().unwrap())
        .collect();
    to.sort_unstable();
    assert_eq!(to, ["ann@example.org", "busy-2@example.org"]);
    assert_eq!(refused, 2);
    assert_ne!(got[0]["id"], got[1]["id"]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_waits_for_a_server_that_is_away() {
    let mut post = Post::open();
    let server = Server::with(|config| {
        post.configure()(config);
        config.mail.as_mut().unwrap().url = "smtp://127.0.0.1:1".to_owned();
    })
    .await;
    let new = json!({ "title": "Stand-up", "invite": ["ann@example.org"] });
    let room = server.root().await.post("/api/v1/rooms", &new).await.ok();
    server.running.stop(Duration::from_secs(5)).await;

    // The next process finds it in the outbox.
    let mut config = Config::new(
        server.site.parse().unwrap(),
        parvis_http::RelayAddress {
            url: "moqt://127.0.0.1:4433".to_owned(),
            fingerprint: None,
        },
        std::sync::Arc::new(parvis_token::Signer::from_seed(&[7; 32])),
    );
    post.configure()(&mut config);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let service = parvis_http::Service::new(server.store.clone(), config).unwrap();
    let running = service.start(listener).unwrap();
    let mail = post.server.next();
    let text = part(&mail, "text/plain")["text"].as_str().unwrap();
    assert!(text.contains(room["code"].as_str().unwrap()), "{text}");
    running.stop(Duration::from_secs(5)).await;
    server.store.close().await;
}
