//! What tokens bound: sessions without one, the sessions of one participant, answers under way.

mod support;

use std::time::Duration;

use bytes::Bytes;
use parvis_quic::CloseReason;
use parvis_relay::{Config, Limit, Relay, Running};
use parvis_session::{Event, RequestKey, StreamEnd, StreamId};
use parvis_token::{Action, Claims, Grant};
use parvis_wire::{
    AuthToken,
    Draft::{D18, D22},
    FetchObject, FetchOk, Location, Parameters, Priority, Properties, RequestErrorCode,
    SessionErrorCode, SubgroupId,
};

use support::{
    Client,
    call::Call,
    http::order,
    issuer::{Issuer, claims, watch},
    namespace, track,
};

async fn call(relay: &Running, issuer: &Issuer) -> Call {
    let publisher = Client::connect_showing(relay, D22, vec![issuer.alice()]).await;
    let subscriber = Client::connect_showing(relay, D18, vec![issuer.bob()]).await;
    Call::between(publisher, subscriber).await
}

async fn refused(client: &mut Client) -> SessionErrorCode {
    match client.closed().await {
        CloseReason::PeerClosed { code, .. } => code,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn who_shows_no_token_has_to_go() {
    let issuer = Issuer::new();
    let relay = Relay::start(Config {
        auth_deadline: Duration::from_millis(200),
        ..issuer.config(1)
    })
    .unwrap();
    let mut call = call(&relay, &issuer).await;
    let mut hoard = Vec::new();
    for draft in [D18, D22, D18, D22] {
        hoard.push(Client::connect(&relay, draft).await);
    }
    for mut client in hoard {
        assert_eq!(refused(&mut client).await, SessionErrorCode::Unauthorized);
    }
    call.goes_on().await;
    assert_eq!(relay.stats().sessions, 2);
}

#[tokio::test]
async fn who_shows_no_token_leaves_room_for_those_who_have_one() {
    let issuer = Issuer::new();
    let relay = Relay::start(Config {
        max_sessions: 12,
        ..issuer.config(1)
    })
    .unwrap();
    let mut call = call(&relay, &issuer).await;
    let mut hoard = Vec::new();
    for draft in [D18, D22].into_iter().cycle().take(20) {
        hoard.push(Client::connect(&relay, draft).await);
    }
    call.goes_on().await;
    assert_eq!(relay.stats().limit(Limit::Strangers), 17);
    for client in &mut hoard[..17] {
        assert_eq!(refused(client).await, SessionErrorCode::Unauthorized);
    }
    let mut member = Client::connect_showing(&relay, D22, vec![issuer.bob()]).await;
    member.subscribe("camera").await;
    call.goes_on().await;
}

#[tokio::test]
async fn a_participant_has_so_many_sessions() {
    so_many_sessions(1).await;
}

#[tokio::test]
async fn a_participant_has_no_more_sessions_on_more_threads() {
    for _ in 0..5 {
        so_many_sessions(3).await;
    }
}

async fn so_many_sessions(threads: usize) {
    let issuer = Issuer::new();
    let relay = Relay::start(Config {
        max_subject_sessions: 2,
        ..issuer.config(threads)
    })
    .unwrap();
    let mut call = call(&relay, &issuer).await;
    let watch = || Grant::prefix([Action::Subscribe], namespace()).unwrap();
    let mut sessions = Vec::new();
    // Whoever replays a token takes the place of whose it is.
    let token = issuer.token("mallory", vec![watch()]);
    for _ in 0..3 {
        sessions.push(Client::connect_showing(&relay, D22, vec![token.clone()]).await);
    }
    let mut oldest = sessions.remove(0);
    assert_eq!(refused(&mut oldest).await, SessionErrorCode::Unauthorized);
    assert_eq!(relay.stats().limit(Limit::SubjectSessions), 1);
    call.goes_on().await;
    // One that leaves makes room.
    sessions.remove(0).close().await;
    support::until("the session is over", || relay.stats().sessions == 3).await;
    let token = issuer.token("mallory", vec![watch()]);
    sessions.push(Client::connect_showing(&relay, D22, vec![token]).await);
    for session in &mut sessions {
        let wanted = session.subscribe("camera").await;
        session.cancel(wanted).await;
    }
    assert_eq!(relay.stats().limit(Limit::SubjectSessions), 1);
    call.goes_on().await;
}

#[tokio::test]
async fn so_many_tokens_of_one_message_are_looked_at() {
    let issuer = Issuer::new();
    let relay = Relay::start(issuer.config(2)).unwrap();
    let mut call = call(&relay, &issuer).await;
    let token = |number: usize| {
        let mut claims = claims("bob", 3600, vec![watch()]);
        claims.id = Some(number.to_string());
        issuer.sign(&claims)
    };
    let tokens = |count| (0..count).map(token).collect::<Vec<_>>();
    let mut greedy = Client::open(&relay, D22, tokens(5)).await;
    let code = refused(&mut greedy).await;
    assert_eq!(code, SessionErrorCode::MalformedAuthToken);
    call.goes_on().await;
    let mut modest = Client::connect_showing(&relay, D22, tokens(4)).await;
    let parameters = Parameters {
        auth_tokens: tokens(5),
        ..Parameters::default()
    };
    let asked = modest.ask_for("camera", parameters).await;
    let error = modest.rejected(asked).await;
    assert_eq!(error.code, RequestErrorCode::MalformedAuthToken);
    modest.subscribe("camera").await;
    call.goes_on().await;
}

#[tokio::test]
async fn so_many_tokens_of_one_session_are_kept() {
    let issuer = Issuer::new();
    let relay = Relay::start(issuer.config(2)).unwrap();
    let mut call = call(&relay, &issuer).await;
    let bob = claims("bob", 3600, vec![watch()]);
    let sign = |number: usize, seconds: u64| {
        issuer.sign(&Claims {
            id: Some(number.to_string()),
            expires: bob.expires.plus(seconds),
            ..bob.clone()
        })
    };
    let tokens = |numbers: std::ops::Range<usize>| numbers.map(|number| sign(number, 60)).collect();
    let asking = |auth_tokens| Parameters {
        auth_tokens,
        ..Parameters::default()
    };
    let mut hoarder = Client::connect_showing(&relay, D22, tokens(0..4)).await;
    let asked = hoarder.ask_for("camera", asking(tokens(4..8))).await;
    hoarder.accepted(asked).await;
    hoarder.cancel(asked).await;
    let asked = hoarder.ask_for("camera", asking(vec![sign(8, 0)])).await;
    let error = hoarder.rejected(asked).await;
    assert_eq!(error.code, RequestErrorCode::Unauthorized);
    call.goes_on().await;
    // One that is good for longer takes another one's place.
    let asked = hoarder.ask_for("camera", asking(vec![sign(9, 120)])).await;
    hoarder.accepted(asked).await;
    call.goes_on().await;
}

/// The answer to a FETCH that a publisher is in the middle of.
struct Answering {
    publisher: Client,
    stream: StreamId,
    reader: Client,
    fetch: RequestKey,
}

impl Answering {
    /// tokens: of whom reads.
    async fn start(relay: &Running, issuer: &Issuer, tokens: Vec<AuthToken>) -> Self {
        let mut publisher = Client::connect_showing(relay, D22, vec![issuer.alice()]).await;
        publisher.publish_namespace().await;
        let mut reader = Client::connect_showing(relay, D22, tokens).await;
        let wanted = reader.ask_for("camera", Parameters::default()).await;
        publisher.serve_after(Some(Location::new(5, 0))).await;
        reader.accepted(wanted).await;
        let fetch = reader.fetch(track("camera"), 3).await;
        let asked = publisher.fetch_of_the_relay().await;
        let stream = publisher
            .with(move |session, now| {
                let ok = FetchOk {
                    end_of_track: false,
                    end: Location::new(3, 100),
                    parameters: Parameters::default(),
                    track_properties: Properties::EMPTY,
                };
                session.accept_fetch(asked, ok, now).unwrap();
                session.open_fetch(asked, now).unwrap()
            })
            .await;
        let mut answering = Self {
            publisher,
            stream,
            reader,
            fetch,
        };
        answering.send(0).await;
        answering
            .reader
            .wait("an object", |event| {
                matches!(event, Event::FetchObject { .. }).then_some(())
            })
            .await;
        answering
    }

    async fn send(&mut self, id: u64) {
        let stream = self.stream;
        // Refused once the relay has lost interest.
        let _ = self
            .publisher
            .with(move |session, now| {
                let object = FetchObject::Object {
                    location: Location::new(3, id),
                    subgroup: Some(SubgroupId(0)),
                    priority: Priority(128),
                    properties: None,
                    payload_len: 1,
                };
                session.write_fetch_object(stream, &object, Bytes::from_static(b"x"), now)
            })
            .await;
    }

    /// The answer is cut off, and nothing more of it comes.
    async fn ends_cut_off(mut self) {
        let end = self.reader.fetch_end(self.fetch).await;
        assert!(matches!(end, StreamEnd::Reset(_)), "{end:?}");
    }
}

#[tokio::test]
async fn an_answer_under_way_ends_with_its_revoked_token() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "a secret of some length").unwrap();
    let issuer = Issuer::new();
    let relay = Relay::start(Config {
        control: Some("127.0.0.1:0".parse().unwrap()),
        control_secret: Some(secret),
        ..issuer.config(1)
    })
    .unwrap();
    let look = Grant::prefix([Action::Discover], namespace()).unwrap();
    let see = Grant::prefix([Action::Subscribe], namespace()).unwrap();
    let mut seeing = claims("bob", 3600, vec![see]);
    seeing.id = Some("seeing".to_owned());
    let tokens = vec![issuer.token("bob", vec![look]), issuer.sign(&seeing)];
    let answering = Answering::start(&relay, &issuer, tokens).await;
    let control = relay.control_addr().unwrap();
    let secret = Some("Bearer a secret of some length");
    let (status, _) = order(control, "POST /v1/deny", secret, r#"{"jti": "seeing"}"#).await;
    assert_eq!(status, 200);
    answering.ends_cut_off().await;
}

#[tokio::test]
async fn an_answer_under_way_ends_with_its_expired_token() {
    let issuer = Issuer::new();
    let relay = Relay::start(issuer.config(1)).unwrap();
    let look = Grant::prefix([Action::Discover], namespace()).unwrap();
    let see = Grant::prefix([Action::Subscribe], namespace()).unwrap();
    let tokens = vec![
        issuer.token("bob", vec![look]),
        issuer.sign(&claims("bob", 2, vec![see])),
    ];
    Answering::start(&relay, &issuer, tokens)
        .await
        .ends_cut_off()
        .await;
}
