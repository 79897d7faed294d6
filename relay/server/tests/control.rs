//! What an operator does to sessions and tracks while they run, over real QUIC.

mod support;

use std::{
    fs,
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::Bytes;
use parvis_quic::CloseReason;
use parvis_relay::{Config, Relay, Running, StartError};
use parvis_session::{EndReason, Event, RequestKey, StreamEnd, StreamId};
use parvis_token::Claims;
use parvis_wire::{
    AuthToken,
    Draft::{self, D18, D22},
    Parameters, PublishDoneCode, RequestErrorCode, SessionErrorCode,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use support::{
    Client,
    http::order,
    issuer::{Issuer, claims, now, publish, watch},
    namespace,
};

const SECRET: &str = "a secret of some length";
const REVOKED: SessionErrorCode = SessionErrorCode::Unauthorized;

/// A relay that asks for tokens and takes orders.
struct Operated {
    relay: Running,
    issuer: Issuer,
    control: SocketAddr,
    _folder: TempDir,
}

impl Operated {
    fn new(threads: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let issuer = Issuer::new();
        let secret = folder.path().join("secret");
        fs::write(&secret, format!("{SECRET}\n")).unwrap();
        let relay = Relay::start(Config {
            control: Some("127.0.0.1:0".parse().unwrap()),
            control_secret: Some(secret),
            ..issuer.config(threads)
        })
        .unwrap();
        let control = relay.control_addr().unwrap();
        Self {
            relay,
            issuer,
            control,
            _folder: folder,
        }
    }

    /// Gives an order that is obeyed; returns the answer.
    async fn order(&self, request: &str, body: &Value) -> Value {
        let secret = format!("Bearer {SECRET}");
        let (status, answer) = order(self.control, request, Some(&secret), &body.to_string()).await;
        assert!((200..300).contains(&status), "{request}: {status} {answer}");
        serde_json::from_str(&answer).unwrap_or_default()
    }

    async fn client(&self, draft: Draft, token: AuthToken) -> Client {
        Client::connect_showing(&self.relay, draft, vec![token]).await
    }

    /// The code that a session with this token is closed with.
    async fn refused(&self, draft: Draft, token: AuthToken) -> SessionErrorCode {
        let mut client = Client::open(&self.relay, draft, vec![token]).await;
        code(&client.closed().await)
    }
}

fn code(reason: &CloseReason) -> SessionErrorCode {
    match reason {
        CloseReason::PeerClosed { code, .. } => *code,
        other => panic!("{other}"),
    }
}

/// Alice sends Bob her camera; an object has arrived.
struct Call {
    alice: Client,
    bob: Client,
    served: RequestKey,
    wanted: RequestKey,
    stream: StreamId,
    next: u64,
}

impl Call {
    async fn new(operated: &Operated, draft: Draft) -> Self {
        let mut alice = operated.client(draft, operated.issuer.alice()).await;
        alice.publish_namespace().await;
        let mut bob = operated.client(draft, operated.issuer.bob()).await;
        let wanted = bob.ask_for("camera", Parameters::default()).await;
        let served = alice.serve().await;
        bob.accepted(wanted).await;
        let stream = alice.send(served, 0, &[b"first"]).await;
        bob.objects(wanted, 1).await;
        Self {
            alice,
            bob,
            served,
            wanted,
            stream,
            next: 1,
        }
    }

    /// Alice goes on sending as fast as anybody takes it until Bob's subscription or session is
    /// over; returns how long that took, and how Bob's subscription ended.
    async fn run_out(&mut self) -> (Duration, Option<EndReason>) {
        let since = Instant::now();
        let mut last = since;
        loop {
            // Refused once nobody wants it or the session is over.
            self.alice
                .try_send_more(self.stream, self.next, Bytes::from_static(b"more"))
                .await;
            self.next += 1;
            let wanted = self.wanted;
            match self.bob.next_or_idle(Duration::from_millis(5)).await {
                Some(Ok(Event::Object { .. })) => last = Instant::now(),
                Some(Ok(Event::Ended { key, reason })) if key == wanted => {
                    return (last - since, Some(reason));
                }
                Some(Err(reason)) => {
                    assert_eq!(code(&reason), REVOKED);
                    return (last - since, None);
                }
                Some(Ok(_)) | None => {}
            }
            assert!(since.elapsed() < Duration::from_secs(10), "media flows on");
        }
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_denied_publisher_is_silent_within_a_second_and_does_not_come_back() {
    for draft in Draft::ALL {
        let operated = Operated::new(2);
        let mut call = Call::new(&operated, draft).await;
        let answer = operated
            .order("POST /v1/deny", &json!({ "sub": "alice" }))
            .await;
        assert_eq!(answer["ended"], 1);
        let (silent, ended) = call.run_out().await;
        assert!(silent < SECOND, "{silent:?}");
        assert!(
            matches!(ended, Some(EndReason::PublishDone { .. })),
            "{ended:?}"
        );
        assert_eq!(code(&call.alice.closed().await), REVOKED);

        // The same token, and a new one of the same participant.
        assert_eq!(
            operated.refused(draft, operated.issuer.alice()).await,
            REVOKED
        );
        let new = operated.issuer.token("alice", vec![publish(namespace())]);
        assert_eq!(operated.refused(draft, new).await, REVOKED);
        // Nor as the token of a request.
        let mut hidden = Client::connect_showing(&operated.relay, draft, Vec::new()).await;
        let parameters = Parameters {
            auth_tokens: vec![operated.issuer.alice()],
            ..Parameters::default()
        };
        let request = hidden.ask_for("camera", parameters).await;
        let error = hidden.rejected(request).await;
        assert_eq!(error.code, RequestErrorCode::Unauthorized);

        let answer = operated
            .order("POST /v1/allow", &json!({ "sub": "alice" }))
            .await;
        assert_eq!(answer["lifted"], true);
        operated.client(draft, operated.issuer.alice()).await;
    }
}

#[tokio::test]
async fn a_denied_subscriber_gets_nothing_after_a_second() {
    for draft in Draft::ALL {
        let operated = Operated::new(2);
        let mut call = Call::new(&operated, draft).await;
        operated
            .order("POST /v1/deny", &json!({ "sub": "bob" }))
            .await;
        let (silent, ended) = call.run_out().await;
        assert!(silent < SECOND, "{silent:?}");
        assert_eq!(ended, None, "the whole session is over");
        // Alice stays, and hears that nobody watches.
        call.alice.ended(call.served).await;
        assert_eq!(
            operated.refused(draft, operated.issuer.bob()).await,
            REVOKED
        );
    }
}

#[tokio::test]
async fn a_stopped_track_is_silent_within_a_second_until_it_is_allowed() {
    let track = json!({ "namespace": ["parvis", "room", "alice"], "track": "camera" });
    for draft in Draft::ALL {
        let operated = Operated::new(2);
        let mut call = Call::new(&operated, draft).await;
        operated.order("POST /v1/tracks/stop", &track).await;
        let (silent, ended) = call.run_out().await;
        assert!(silent < SECOND, "{silent:?}");
        let Some(EndReason::PublishDone { code, .. }) = ended else {
            panic!("{ended:?}");
        };
        assert_eq!(code, PublishDoneCode::Unauthorized);
        call.alice.ended(call.served).await;
        for name in ["camera", "microphone"] {
            let request = call.bob.ask_for(name, Parameters::default()).await;
            if name == "camera" {
                let error = call.bob.rejected(request).await;
                assert_eq!(error.code, RequestErrorCode::Unauthorized);
            } else {
                call.alice.serve().await;
                call.bob.accepted(request).await;
            }
        }

        operated.order("POST /v1/tracks/allow", &track).await;
        let wanted = call.bob.ask_for("camera", Parameters::default()).await;
        let served = call.alice.serve().await;
        call.bob.accepted(wanted).await;
        call.alice.send(served, 1, &[b"again"]).await;
        let objects = call.bob.objects(wanted, 1).await;
        assert_eq!(objects[0].payload, "again");
    }
}

#[tokio::test]
async fn a_demoted_participant_comes_back_with_its_new_token_only() {
    let operated = Operated::new(1);
    let old = operated.issuer.sign(&Claims {
        issued_at: Some(parvis_token::UnixTime(now().0 - 10)),
        ..claims("zoe", 3600, vec![publish(namespace()), watch()])
    });
    let mut before = operated.client(D22, old.clone()).await;
    let demote = json!({ "sub": "zoe", "only_issued_before": true });
    operated.order("POST /v1/deny", &demote).await;
    assert_eq!(code(&before.closed().await), REVOKED);
    let new = operated.issuer.sign(&Claims {
        issued_at: Some(now().plus(1)),
        ..claims("zoe", 3600, vec![watch()])
    });
    let mut demoted = operated.client(D22, new).await;
    // The old token does not raise her again.
    let parameters = Parameters {
        auth_tokens: vec![old.clone()],
        ..Parameters::default()
    };
    let request = demoted
        .with(|session, now| session.publish_namespace(namespace(), parameters, now))
        .await
        .unwrap();
    let error = demoted.rejected(request).await;
    assert_eq!(error.code, RequestErrorCode::Unauthorized);
    assert_eq!(operated.refused(D18, old).await, REVOKED);
}

#[tokio::test]
async fn a_token_is_denied_by_its_name_and_for_a_time() {
    let operated = Operated::new(2);
    let mut alice = operated.client(D22, operated.issuer.alice()).await;
    let past = json!({ "jti": "token of alice", "until": now().0 - 1 });
    let answer = operated.order("POST /v1/deny", &past).await;
    assert_eq!(answer["ended"], 0);
    let answer = operated
        .order("POST /v1/deny", &json!({ "jti": "token of alice" }))
        .await;
    assert_eq!(answer["ended"], 1);
    assert_eq!(code(&alice.closed().await), REVOKED);
    assert_eq!(
        operated.refused(D22, operated.issuer.alice()).await,
        REVOKED
    );
    operated.client(D22, operated.issuer.bob()).await;
}

#[tokio::test]
async fn sessions_are_listed_with_their_participants() {
    let operated = Operated::new(2);
    let _clients = [
        operated.client(D22, operated.issuer.alice()).await,
        operated.client(D18, operated.issuer.bob()).await,
    ];
    let answer = operated.order("GET /v1/sessions", &json!({})).await;
    let mut found: Vec<_> = answer["sessions"].as_array().unwrap().clone();
    found.sort_by_key(|session| session["sub"].to_string());
    let subjects: Vec<&Value> = found.iter().map(|session| &session["sub"]).collect();
    assert_eq!(subjects, ["alice", "bob"]);
    assert_eq!(found[0]["jti"], json!(["token of alice"]));
    assert_eq!(found[1]["draft"], 18);
    let remote = found[0]["remote"].as_str().unwrap();
    assert!(remote.starts_with("127.0.0.1:"), "{remote}");
}

#[tokio::test]
async fn orders_are_taken_from_who_knows_the_secret_only() {
    let operated = Operated::new(1);
    let mut alice = operated.client(D22, operated.issuer.alice()).await;
    let body = json!({ "sub": "alice" }).to_string();
    let longer = format!("Bearer {SECRET}x");
    let shorter = format!("Bearer {}", &SECRET[..SECRET.len() - 1]);
    let basic = format!("Basic {SECRET}");
    for given in [
        None,
        Some("Bearer "),
        Some("Bearer wrong"),
        Some(longer.as_str()),
        Some(shorter.as_str()),
        Some(basic.as_str()),
        Some(SECRET),
    ] {
        for request in ["POST /v1/deny", "GET /v1/sessions", "GET /nothing"] {
            let (status, _) = order(operated.control, request, given, &body).await;
            assert_eq!(status, 401, "{request} {given:?}");
        }
    }
    alice.publish_namespace().await;
}

#[tokio::test]
async fn orders_that_make_no_sense_are_refused() {
    let operated = Operated::new(1);
    let secret = format!("Bearer {SECRET}");
    let empty_field = json!({ "namespace": [""], "track": "t" });
    let long = json!({ "sub": "x".repeat(100_000) });
    let cases = [
        ("POST /v1/deny", json!({}), 400),
        ("POST /v1/deny", json!({ "sub": "a", "jti": "b" }), 400),
        ("POST /v1/deny", json!({ "sub": "a", "for": 1 }), 422),
        ("POST /v1/deny", json!({ "sub": 7 }), 422),
        ("POST /v1/deny", json!([]), 400),
        ("POST /v1/deny", long, 413),
        ("POST /v1/allow", json!({}), 400),
        ("POST /v1/tracks/stop", json!({ "track": "t" }), 422),
        ("POST /v1/tracks/stop", empty_field, 400),
        ("GET /v1/deny", json!({ "sub": "a" }), 405),
        ("POST /v2/deny", json!({ "sub": "a" }), 404),
    ];
    for (request, body, expected) in cases {
        let body = body.to_string();
        let (status, answer) = order(operated.control, request, Some(&secret), &body).await;
        assert_eq!(status, expected, "{request} {answer}");
    }
}

#[test]
fn a_secret_that_is_none_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    let start = || {
        Relay::start(Config {
            control: Some("127.0.0.1:0".parse().unwrap()),
            control_secret: Some(secret.clone()),
            ..support::config(1)
        })
    };
    assert!(matches!(start(), Err(StartError::Secret { .. })));
    fs::write(&secret, "  short \n").unwrap();
    let error = start().unwrap_err().to_string();
    assert!(error.contains("at least 16 characters"), "{error}");
}

/// An answer to FETCH that is whole at the relay, and that its reader has read a little of.
async fn unread_answer(operated: &Operated) -> (Client, Client, RequestKey) {
    let mut alice = operated.client(D22, operated.issuer.alice()).await;
    alice.publish_namespace().await;
    let token = operated.issuer.bob();
    let mut bob = Client::connect_with(&operated.relay, D22, |options| {
        options.session.auth_tokens = vec![token];
        options.limits.connection_window = 64 << 10;
        options.limits.stream_window = 32 << 10;
        options.events = 1;
    })
    .await;
    let wanted = bob.ask_for("camera", Parameters::default()).await;
    let served = alice.serve().await;
    bob.accepted(wanted).await;
    let stream = alice.send(served, 0, &[b"first"]).await;
    let mut reader = bob.stream(wanted).await;
    bob.object(&mut reader).await;
    for id in 1..100 {
        alice
            .send_more(stream, id, Bytes::from(vec![1; 60_000]))
            .await;
        bob.object(&mut reader).await;
    }
    alice.finish(stream).await;
    let fetch = bob.fetch(support::track("camera"), 0).await;
    bob.accepted(fetch).await;
    (alice, bob, fetch)
}

#[tokio::test]
async fn an_answer_that_waits_is_taken_back_with_its_track() {
    let operated = Operated::new(2);
    let (_alice, mut bob, fetch) = unread_answer(&operated).await;
    let track = json!({ "namespace": ["parvis", "room", "alice"], "track": "camera" });
    operated.order("POST /v1/tracks/stop", &track).await;
    assert!(matches!(bob.fetch_end(fetch).await, StreamEnd::Reset(_)));
}

#[tokio::test]
async fn an_answer_that_waits_is_taken_back_with_its_publisher() {
    let operated = Operated::new(2);
    let (_alice, mut bob, fetch) = unread_answer(&operated).await;
    operated
        .order("POST /v1/deny", &json!({ "sub": "alice" }))
        .await;
    assert!(matches!(bob.fetch_end(fetch).await, StreamEnd::Reset(_)));
}
