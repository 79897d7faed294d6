//! What tokens let a client do at a relay, over real QUIC.

mod support;

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    thread,
};

use parvis_quic::CloseReason;
use parvis_relay::{Relay, Running};
use parvis_session::{EndReason, Event, IncomingRequest, RequestKey};
use parvis_token::{Action, Claims, Grant, Signer};
use parvis_wire::{
    AuthToken,
    Draft::{self, D18, D22},
    FetchRange, FullTrackName, GroupId, Location, Parameters, Properties, PublishDoneCode,
    RequestErrorCode, SessionErrorCode, TrackNamespace,
};

use support::{
    Client,
    issuer::{Issuer, claims, now, publish, token, watch},
    namespace, payloads, track,
};

const UNAUTHORIZED: RequestErrorCode = RequestErrorCode::Unauthorized;

fn fields(fields: &[&'static str]) -> TrackNamespace {
    TrackNamespace::new(fields.iter().copied()).unwrap()
}

fn camera(of: &[&'static str]) -> FullTrackName {
    FullTrackName::new(fields(of), "camera".into()).unwrap()
}

fn with(tokens: Vec<AuthToken>) -> Parameters {
    Parameters {
        auth_tokens: tokens,
        ..Parameters::default()
    }
}

/// A request, as a table has it.
#[derive(Debug, Clone, Copy)]
enum Try {
    PublishNamespace(&'static [&'static str]),
    Publish(&'static [&'static str]),
    Subscribe(&'static [&'static str]),
    Fetch(&'static [&'static str]),
    TrackStatus(&'static [&'static str]),
    SubscribeNamespace(&'static [&'static str]),
    SubscribeTracks(&'static [&'static str]),
}

impl Try {
    async fn ask(self, client: &Client, parameters: Parameters) -> RequestKey {
        client
            .with(move |session, now| match self {
                Self::PublishNamespace(n) => session.publish_namespace(fields(n), parameters, now),
                Self::Publish(n) => session.publish(camera(n), parameters, Properties::EMPTY, now),
                Self::Subscribe(n) => session.subscribe(camera(n), parameters, now),
                Self::Fetch(n) => {
                    let range = match session.draft() {
                        D18 => FetchRange::Standalone {
                            track: camera(n),
                            start: Location::new(0, 0),
                            end: (GroupId(1), None),
                        },
                        D22 => FetchRange::Filtered { track: camera(n) },
                    };
                    session.fetch(range, parameters, now)
                }
                Self::TrackStatus(n) => session.track_status(camera(n), parameters, now),
                Self::SubscribeNamespace(n) => {
                    session.subscribe_namespace(fields(n), parameters, now)
                }
                Self::SubscribeTracks(n) => session.subscribe_tracks(fields(n), parameters, now),
            })
            .await
            .unwrap()
    }

    /// The code it is rejected with; `None`: accepted.
    async fn code(self, client: &mut Client, parameters: Parameters) -> Option<RequestErrorCode> {
        let request = self.ask(client, parameters).await;
        client
            .wait("answer", |event| match event {
                Event::Accepted { key, .. } if *key == request => Some(None),
                Event::Rejected { key, error } if *key == request => Some(Some(error.code)),
                _ => None,
            })
            .await
    }
}

const ALICE: &[&str] = &["parvis", "room", "alice"];
const ROOM: &[&str] = &["parvis", "room"];
const LONGER: &[&str] = &["parvis", "room", "alice", "x"];
const BOB: &[&str] = &["parvis", "room", "bob"];
const CASE: &[&str] = &["parvis", "room", "Alice"];
const OTHER: &[&str] = &["parvis", "other", "alice"];
const LONGER_BYTES: &[&str] = &["parvis", "rooms", "alice"];
const ALL: &[&str] = &["parvis"];

#[tokio::test]
async fn each_request_needs_its_own_grant() {
    let issuer = Issuer::new();
    let relay = Relay::start(issuer.config(1)).unwrap();
    let lobby = Grant::exact([Action::Subscribe], fields(&["parvis", "lobby", "room"])).unwrap();
    // Who publishes is looked for and not found: the guard let the request through.
    let nobody = Some(RequestErrorCode::DoesNotExist);
    let no = Some(UNAUTHORIZED);
    let alice = issuer.alice();
    let bob = issuer.bob();
    let sender = issuer.token("sender", vec![publish(namespace())]);
    let waiter = issuer.token("waiter", vec![lobby]);
    let cases: &[(&AuthToken, Try, Option<RequestErrorCode>)] = &[
        (&alice, Try::PublishNamespace(ALICE), None),
        (&alice, Try::PublishNamespace(BOB), no),
        (&alice, Try::PublishNamespace(LONGER), no),
        (&alice, Try::PublishNamespace(ROOM), no),
        (&alice, Try::PublishNamespace(CASE), no),
        (&alice, Try::PublishNamespace(OTHER), no),
        (&alice, Try::Publish(ALICE), None),
        (&alice, Try::Publish(BOB), no),
        (&alice, Try::Publish(LONGER), no),
        (&alice, Try::Publish(ROOM), no),
        (&alice, Try::Subscribe(BOB), nobody),
        (&alice, Try::Subscribe(OTHER), no),
        (&alice, Try::Subscribe(LONGER_BYTES), no),
        (&bob, Try::Subscribe(BOB), nobody),
        (&bob, Try::TrackStatus(BOB), nobody),
        (&bob, Try::TrackStatus(OTHER), no),
        (&bob, Try::Fetch(BOB), nobody),
        (&bob, Try::Fetch(OTHER), no),
        (&bob, Try::Fetch(LONGER_BYTES), no),
        (&bob, Try::Publish(BOB), no),
        (&bob, Try::PublishNamespace(BOB), no),
        (&bob, Try::SubscribeNamespace(ROOM), None),
        (&bob, Try::SubscribeNamespace(ALL), no),
        (&bob, Try::SubscribeNamespace(&[]), no),
        (&bob, Try::SubscribeNamespace(LONGER_BYTES), no),
        (&bob, Try::SubscribeTracks(BOB), None),
        (&bob, Try::SubscribeTracks(ALL), no),
        (&bob, Try::SubscribeTracks(&[]), no),
        (&sender, Try::Subscribe(ALICE), no),
        (&sender, Try::Fetch(ALICE), no),
        (&sender, Try::TrackStatus(ALICE), no),
        (&sender, Try::SubscribeNamespace(ALICE), no),
        (&sender, Try::SubscribeTracks(ALICE), no),
        (
            &waiter,
            Try::Subscribe(&["parvis", "lobby", "room"]),
            nobody,
        ),
        (&waiter, Try::Subscribe(ALICE), no),
        (&waiter, Try::Fetch(ALICE), no),
        (&waiter, Try::SubscribeNamespace(ROOM), no),
        (
            &waiter,
            Try::SubscribeTracks(&["parvis", "lobby", "room"]),
            no,
        ),
    ];
    for draft in Draft::ALL {
        for (token, request, expected) in cases {
            let mut client = Client::connect_showing(&relay, draft, vec![(*token).clone()]).await;
            let code = request.code(&mut client, Parameters::default()).await;
            assert_eq!(code, *expected, "{draft:?} {request:?}");
            client.close().await;
        }
    }
}

/// The code that a session with this token is closed with.
async fn closed_with(relay: &Running, draft: Draft, token: AuthToken) -> SessionErrorCode {
    match Client::open(relay, draft, vec![token]).await.closed().await {
        CloseReason::PeerClosed { code, .. } => code,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_bad_token_ends_the_session_with_its_code() {
    let issuer = Issuer::new();
    let relay = Relay::start(parvis_relay::Config {
        auth_issuer: Some("us".to_owned()),
        auth_audience: Some("relay".to_owned()),
        ..issuer.config(1)
    })
    .unwrap();
    let good = Claims {
        issuer: Some("us".to_owned()),
        audience: vec!["relay".to_owned()],
        ..claims("alice", 3600, vec![watch()])
    };
    let with = |change: &dyn Fn(&mut Claims)| {
        let mut claims = good.clone();
        change(&mut claims);
        issuer.sign(&claims)
    };
    let stranger = Signer::from_seed(&[8; 32]).sign(&good).unwrap();
    let short = Grant::prefix([Action::Subscribe], fields(ALL)).unwrap();
    let cases = [
        (token("none.of.it"), SessionErrorCode::MalformedAuthToken),
        (token(""), SessionErrorCode::MalformedAuthToken),
        (
            token(&"x".repeat(9000)),
            SessionErrorCode::MalformedAuthToken,
        ),
        (
            with(&|c| c.expires = now()),
            SessionErrorCode::ExpiredAuthToken,
        ),
        (
            with(&|c| c.not_before = Some(now().plus(60))),
            SessionErrorCode::Unauthorized,
        ),
        (
            with(&|c| c.issuer = Some("them".to_owned())),
            SessionErrorCode::Unauthorized,
        ),
        (
            with(&|c| c.audience = vec!["mail".to_owned()]),
            SessionErrorCode::Unauthorized,
        ),
        (
            with(&|c| c.grants = vec![short.clone()]),
            SessionErrorCode::Unauthorized,
        ),
        (token(&stranger), SessionErrorCode::Unauthorized),
    ];
    for draft in Draft::ALL {
        for (token, code) in &cases {
            assert_eq!(closed_with(&relay, draft, token.clone()).await, *code);
        }
        Client::connect_showing(&relay, draft, vec![issuer.sign(&good)]).await;
    }
    assert_eq!(relay.stats().namespaces, 0);
}

#[tokio::test]
async fn a_request_brings_its_own_token() {
    let issuer = Issuer::new();
    let relay = Relay::start(issuer.config(1)).unwrap();
    for draft in Draft::ALL {
        let mut client = Client::connect_showing(&relay, draft, Vec::new()).await;
        let request = Try::PublishNamespace(ALICE);
        let without = request.code(&mut client, Parameters::default()).await;
        assert_eq!(without, Some(UNAUTHORIZED));
        let bad = request.code(&mut client, with(vec![token("bad")])).await;
        assert_eq!(bad, Some(RequestErrorCode::MalformedAuthToken));
        let late = issuer.sign(&claims("alice", 0, vec![publish(namespace())]));
        let late = request.code(&mut client, with(vec![late])).await;
        assert_eq!(late, Some(RequestErrorCode::ExpiredAuthToken));

        let AuthToken::UseValue { kind, value } = issuer.alice() else {
            panic!("a value");
        };
        let register = AuthToken::Register {
            alias: 1,
            kind,
            value,
        };
        let good = request.code(&mut client, with(vec![register])).await;
        assert_eq!(good, None);
        let again = with(vec![AuthToken::UseAlias { alias: 1 }]);
        assert_eq!(Try::Publish(ALICE).code(&mut client, again).await, None);
        client.close().await;
    }
}

#[tokio::test]
async fn a_session_is_one_participant() {
    let issuer = Issuer::new();
    let relay = Relay::start(issuer.config(1)).unwrap();
    let mut client = Client::connect_showing(&relay, D22, vec![issuer.bob()]).await;
    let code = Try::Publish(ALICE)
        .code(&mut client, with(vec![issuer.alice()]))
        .await;
    assert_eq!(code, Some(UNAUTHORIZED));
}

#[tokio::test]
async fn each_subscriber_of_a_shared_track_is_authorised_by_itself() {
    let issuer = Issuer::new();
    let relay = Relay::start(issuer.config(2)).unwrap();
    let mut publisher = Client::connect_showing(&relay, D22, vec![issuer.alice()]).await;
    publisher.publish_namespace().await;
    let mut bob = Client::connect_showing(&relay, D18, vec![issuer.bob()]).await;
    let wanted = bob.ask_for("camera", Parameters::default()).await;
    let served = publisher.serve().await;
    bob.accepted(wanted).await;
    publisher.send(served, 0, &[b"private"]).await;
    let objects = bob.objects(wanted, 1).await;
    assert_eq!(payloads(&objects), [b"private"]);

    let elsewhere = Grant::prefix([Action::Subscribe], fields(&["parvis", "other"])).unwrap();
    for tokens in [Vec::new(), vec![issuer.token("eve", vec![elsewhere])]] {
        for draft in Draft::ALL {
            let mut eve = Client::connect_showing(&relay, draft, tokens.clone()).await;
            for request in [
                Try::Subscribe(ALICE),
                Try::Fetch(ALICE),
                Try::TrackStatus(ALICE),
            ] {
                let code = request.code(&mut eve, Parameters::default()).await;
                assert_eq!(code, Some(UNAUTHORIZED), "{request:?}");
            }
            assert!(!eve.has_seen(|event| matches!(event, Event::Object { .. })));
        }
    }
}

#[tokio::test]
async fn the_end_of_its_token_ends_a_session_and_what_it_publishes() {
    let issuer = Issuer::new();
    let relay = Relay::start(issuer.config(1)).unwrap();
    let brief = issuer.sign(&claims("alice", 2, vec![publish(namespace())]));
    let mut publisher = Client::connect_showing(&relay, D22, vec![brief]).await;
    publisher.publish_namespace().await;
    let mut bob = Client::connect_showing(&relay, D22, vec![issuer.bob()]).await;
    let wanted = bob.ask_for("camera", Parameters::default()).await;
    let served = publisher.serve().await;
    bob.accepted(wanted).await;
    publisher.send(served, 0, &[b"early"]).await;
    bob.objects(wanted, 1).await;

    let reason = publisher.closed().await;
    let expired = SessionErrorCode::ExpiredAuthToken;
    assert!(
        matches!(&reason, CloseReason::PeerClosed { code, .. } if *code == expired),
        "{reason}"
    );
    let ended = bob.ended(wanted).await;
    assert!(matches!(ended, EndReason::PublishDone { .. }), "{ended:?}");
}

#[tokio::test]
async fn a_new_token_outlives_the_old_one() {
    let issuer = Issuer::new();
    let relay = Relay::start(issuer.config(1)).unwrap();
    for draft in Draft::ALL {
        let brief = claims("alice", 2, vec![publish(namespace()), watch()]);
        let old = issuer.sign(&brief);
        let mut publisher = Client::connect_showing(&relay, draft, vec![old.clone()]).await;
        publisher.publish_namespace().await;
        let mut bob = Client::connect_showing(&relay, draft, vec![issuer.bob()]).await;
        let wanted = bob.ask_for("camera", Parameters::default()).await;
        let served = publisher.serve().await;
        bob.accepted(wanted).await;
        // Another session with the old token shows when it is void.
        let mut other = Client::connect_showing(&relay, draft, vec![old]).await;
        let refreshed = Try::SubscribeNamespace(ROOM);
        let key = refreshed.ask(&publisher, Parameters::default()).await;
        publisher.accepted(key).await;
        let update = with(vec![issuer.alice()]);
        publisher
            .with(move |session, now| session.update(key, update, now))
            .await
            .unwrap();
        publisher
            .wait("update's answer", |event| match event {
                Event::UpdateAccepted { key: of, .. } if *of == key => Some(()),
                _ => None,
            })
            .await;

        other.closed().await;
        publisher.send(served, 0, &[b"still here"]).await;
        let objects = bob.objects(wanted, 1).await;
        assert_eq!(payloads(&objects), [b"still here"]);
    }
}

#[tokio::test]
async fn what_only_an_expired_token_granted_ends_alone() {
    let issuer = Issuer::new();
    let relay = Relay::start(issuer.config(1)).unwrap();
    for draft in Draft::ALL {
        let mut publisher = Client::connect_showing(&relay, draft, vec![issuer.alice()]).await;
        publisher.publish_namespace().await;
        let room = fields(ROOM);
        let look = Grant::prefix([Action::Discover], room.clone()).unwrap();
        let see = Grant::prefix([Action::Subscribe], room).unwrap();
        let tokens = vec![
            issuer.token("bob", vec![look]),
            issuer.sign(&claims("bob", 2, vec![see])),
        ];
        let mut bob = Client::connect_showing(&relay, draft, tokens).await;
        let names = Try::SubscribeNamespace(ROOM);
        let names = names.ask(&bob, Parameters::default()).await;
        bob.accepted(names).await;
        let wanted = bob.ask_for("camera", Parameters::default()).await;
        let served = publisher.serve().await;
        bob.accepted(wanted).await;

        let EndReason::PublishDone { code, .. } = bob.ended(wanted).await else {
            panic!("no PUBLISH_DONE");
        };
        assert_eq!(code, PublishDoneCode::Unauthorized);
        // The publisher hears that nobody watches any more, and Bob still sees who comes.
        publisher.ended(served).await;
        let code = Try::Subscribe(ALICE)
            .code(&mut bob, Parameters::default())
            .await;
        assert_eq!(code, Some(UNAUTHORIZED));
        publisher.close().await;
        bob.wait("NAMESPACE_DONE", |event| {
            matches!(event, Event::NamespaceDone { .. }).then_some(())
        })
        .await;
        bob.close().await;
    }
}

#[tokio::test]
async fn a_prefix_is_not_moved_to_where_no_grant_is() {
    let issuer = Issuer::new();
    let relay = Relay::start(issuer.config(1)).unwrap();
    for request in [Try::SubscribeNamespace(BOB), Try::SubscribeTracks(BOB)] {
        for (prefix, allowed) in [(ROOM, true), (ALL, false), (OTHER, false)] {
            let mut bob = Client::connect_showing(&relay, D22, vec![issuer.bob()]).await;
            let key = request.ask(&bob, Parameters::default()).await;
            bob.accepted(key).await;
            let update = Parameters {
                namespace_prefix: Some(fields(prefix)),
                ..Parameters::default()
            };
            bob.with(move |session, now| session.update(key, update, now))
                .await
                .unwrap();
            let code = bob
                .wait("update's answer", |event| match event {
                    Event::UpdateAccepted { key: of, .. } if *of == key => Some(None),
                    Event::UpdateRejected { key: of, error } if *of == key => {
                        Some(Some(error.code))
                    }
                    _ => None,
                })
                .await;
            assert_eq!(
                code,
                (!allowed).then_some(UNAUTHORIZED),
                "{request:?} {prefix:?}"
            );
        }
    }
}

#[tokio::test]
async fn an_offered_track_is_offered_to_those_who_may_have_it() {
    let issuer = Issuer::new();
    let relay = Relay::start(issuer.config(2)).unwrap();
    let mut bob = Client::connect_showing(&relay, D22, vec![issuer.bob()]).await;
    let all = Try::SubscribeTracks(ROOM)
        .ask(&bob, Parameters::default())
        .await;
    bob.accepted(all).await;
    let publisher = Client::connect_showing(&relay, D22, vec![issuer.alice()]).await;
    Try::Publish(ALICE)
        .ask(&publisher, Parameters::default())
        .await;
    let offered = bob
        .wait("PUBLISH", |event| match event {
            Event::Request {
                request:
                    IncomingRequest::Publish {
                        track, parameters, ..
                    },
                ..
            } => Some((track.clone(), parameters.auth_tokens.clone())),
            _ => None,
        })
        .await;
    assert_eq!(offered, (track("camera"), Vec::new()));
}

#[tokio::test]
async fn new_keys_are_taken_and_bad_ones_leave_the_old() {
    let issuer = Issuer::new();
    let relay = Relay::start(issuer.config(2)).unwrap();
    let next = Signer::from_seed(&[4; 32]);
    let new = token(&next.sign(&claims("carol", 3600, vec![watch()])).unwrap());
    assert_eq!(
        closed_with(&relay, D22, new.clone()).await,
        SessionErrorCode::Unauthorized
    );

    fs::write(issuer.keys(), "{\"keys\": [").unwrap();
    relay.keys_reload().unwrap().reload();
    Client::connect_showing(&relay, D22, vec![issuer.bob()]).await;

    fs::write(issuer.keys(), Signer::key_set_of([&issuer.signer, &next])).unwrap();
    relay.keys_reload().unwrap().reload();
    // The keys are read by a thread of their own: until then the new token is refused.
    for attempt in 0.. {
        let mut client = Client::open(&relay, D22, vec![new.clone()]).await;
        let request = Try::SubscribeNamespace(ROOM);
        let request = request.ask(&client, Parameters::default()).await;
        if client.answer_or_close(request).await.is_ok() {
            break;
        }
        assert!(attempt < 1000, "the new keys are not taken");
    }
    Client::connect_showing(&relay, D22, vec![issuer.bob()]).await;
}

#[tokio::test]
async fn keys_come_over_http_from_this_machine() {
    let issuer = Issuer::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/keys.json", listener.local_addr().unwrap());
    let body = issuer.signer.key_set();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            request.push(byte[0]);
        }
        let len = body.len();
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Length: {len}\r\nConnection: close\r\n\r\n{body}"
        )
        .unwrap();
        String::from_utf8(request).unwrap()
    });
    let relay = Relay::start(parvis_relay::Config {
        auth_keys: Some(url),
        ..issuer.config(1)
    })
    .unwrap();
    let request = server.join().unwrap();
    assert!(
        request.starts_with("GET /keys.json HTTP/1.1\r\n"),
        "{request}"
    );
    let mut bob = Client::connect_showing(&relay, D22, vec![issuer.bob()]).await;
    let code = Try::SubscribeNamespace(ROOM).code(&mut bob, Parameters::default());
    assert_eq!(code.await, None);
}

#[test]
fn keys_that_cannot_be_had_are_refused_in_one_line() {
    let issuer = Issuer::new();
    let start = |keys: &str| {
        Relay::start(parvis_relay::Config {
            auth_keys: Some(keys.to_owned()),
            ..support::config(1)
        })
        .unwrap_err()
        .to_string()
    };
    fs::write(issuer.keys(), "{}").unwrap();
    let file = issuer.keys().display().to_string();
    let cases = [
        (
            start("/nowhere/keys.json"),
            "cannot read the keys /nowhere/keys.json: ",
        ),
        (start(&file), "cannot use the keys "),
        (
            start("http://id.example/keys"),
            "http://id.example/keys: keys come over https",
        ),
        (
            start("http://127.0.0.1:1/keys"),
            "cannot get the keys http://127.0.0.1:1/keys: ",
        ),
    ];
    for (error, expected) in cases {
        assert!(error.starts_with(expected), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}
