//! What a participant may have, it may have once, by however many sessions it comes; a call beside it
//! stays whole.

mod support;

use parvis_quic::CloseReason;
use parvis_relay::{Config, Limit, Relay, Running};
use parvis_session::{Event, RequestKey};
use parvis_wire::{
    AuthToken,
    Draft::{D18, D22},
    FullTrackName, Parameters, RequestErrorCode, SessionErrorCode, TrackName, TrackNamespace,
};

use support::{
    Client,
    call::Call,
    issuer::{self, Issuer},
    namespace,
};

async fn start(config: Config, issuer: &Issuer) -> (Running, Call) {
    let relay = Relay::start(config).unwrap();
    let publisher = Client::connect_showing(&relay, D22, vec![issuer.alice()]).await;
    let subscriber = Client::connect_showing(&relay, D18, vec![issuer.bob()]).await;
    let call = Call::between(publisher, subscriber).await;
    (relay, call)
}

/// The token of one who may see the room and publish beside it.
fn mallory(issuer: &Issuer) -> Vec<AuthToken> {
    vec![issuer.token("mallory", vec![issuer::watch(), issuer::publish(own())])]
}

fn own() -> TrackNamespace {
    TrackNamespace::new(["parvis", "room", "mallory"]).unwrap()
}

fn nobody() -> TrackNamespace {
    TrackNamespace::new(["parvis", "room", "nobody"]).unwrap()
}

async fn is_too_many(client: &mut Client, request: RequestKey) {
    let error = client.rejected(request).await;
    assert_eq!(error.code, RequestErrorCode::ExcessiveLoad, "{error:?}");
}

/// Asks for a track that is never answered for; the relay passes it on.
async fn takes(client: &mut Client, name: &'static str) -> RequestKey {
    let asked = client.ask_for(name, Parameters::default()).await;
    // The answer to what is asked behind it says that it was dealt with.
    let behind = client.with(|session, now| {
        let name = FullTrackName::new(nobody(), TrackName("camera".into())).unwrap();
        session.track_status(name, Parameters::default(), now)
    });
    let behind = behind.await.unwrap();
    client.rejected(behind).await;
    let refused = |event: &Event| matches!(event, Event::Rejected { key, .. } if *key == asked);
    assert!(!client.has_seen(refused), "{name}");
    asked
}

#[tokio::test]
async fn subscriptions_of_all_its_sessions() {
    let issuer = Issuer::new();
    for threads in [1, 3] {
        let config = Config {
            max_subscriptions: 3,
            ..issuer.config(threads)
        };
        let (relay, mut call) = start(config, &issuer).await;
        let mut old = Client::connect_showing(&relay, D22, mallory(&issuer)).await;
        let first = takes(&mut old, "a").await;
        takes(&mut old, "b").await;
        let mut new = Client::connect_showing(&relay, D18, mallory(&issuer)).await;
        takes(&mut new, "c").await;
        call.goes_on().await;

        // The older session does not get more at the cost of the newer.
        let fourth = old.ask_for("d", Parameters::default()).await;
        is_too_many(&mut old, fourth).await;
        assert_eq!(relay.stats().limit(Limit::Subscriptions), 1);
        call.goes_on().await;

        // What it gives back it may have again.
        old.cancel(first).await;
        takes(&mut old, "a").await;
        assert_eq!(relay.stats().limit(Limit::Subscriptions), 1);
        // One more, and the older has to go: this one may well be its successor.
        takes(&mut new, "d").await;
        let CloseReason::PeerClosed { code, .. } = old.closed().await else {
            panic!("not closed by the relay");
        };
        assert_eq!(code, SessionErrorCode::Unauthorized);
        call.goes_on().await;
        new.ask_for("e", Parameters::default()).await;
        let sixth = new.ask_for("f", Parameters::default()).await;
        is_too_many(&mut new, sixth).await;
        assert_eq!(relay.stats().limit(Limit::Subscriptions), 3);
        call.goes_on().await;
    }
}

#[tokio::test]
async fn tracks_and_namespaces_of_all_its_sessions() {
    let issuer = Issuer::new();
    let config = Config {
        max_namespaces: 1,
        max_prefixes: 1,
        max_tracks: 1,
        ..issuer.config(2)
    };
    let (relay, mut call) = start(config, &issuer).await;
    let mut old = Client::connect_showing(&relay, D22, mallory(&issuer)).await;
    let mut new = Client::connect_showing(&relay, D22, mallory(&issuer)).await;
    // The newer takes everything there is.
    new.publish_namespace_of(own()).await;
    let prefix = new
        .with(|session, now| session.subscribe_namespace(namespace(), Parameters::default(), now));
    let prefix = prefix.await.unwrap();
    new.accepted(prefix).await;
    let offered = publish(&new).await;
    new.accepted(offered).await;

    let again = publish(&old).await;
    is_too_many(&mut old, again).await;
    let asked = old.with(|session, now| {
        let published = session.publish_namespace(own(), Parameters::default(), now);
        let prefix = session.subscribe_namespace(namespace(), Parameters::default(), now);
        [published, prefix]
    });
    for request in asked.await {
        is_too_many(&mut old, request.unwrap()).await;
    }
    call.goes_on().await;
    let stats = relay.stats();
    for limit in [Limit::Tracks, Limit::Namespaces, Limit::Prefixes] {
        assert_eq!(stats.limit(limit), 1, "{limit:?}");
    }
    call.goes_on().await;
}

async fn publish(client: &Client) -> RequestKey {
    let name = FullTrackName::new(own(), TrackName("camera".into())).unwrap();
    let published = client.with(move |session, now| {
        let properties = parvis_wire::Properties::EMPTY;
        session.publish(name, Parameters::default(), properties, now)
    });
    published.await.unwrap()
}

#[tokio::test]
async fn requests_a_second_of_all_its_sessions() {
    let issuer = Issuer::new();
    let config = Config {
        max_requests: 2,
        ..issuer.config(2)
    };
    let (relay, mut call) = start(config, &issuer).await;
    let mut sessions = Vec::new();
    for draft in [D18, D22, D18, D22] {
        sessions.push(Client::connect_showing(&relay, draft, mallory(&issuer)).await);
    }
    let start = std::time::Instant::now();
    let mut granted = 0;
    let mut refused = 0;
    for round in 0..8 {
        for session in &mut sessions {
            let name = FullTrackName::new(nobody(), TrackName("camera".into())).unwrap();
            let asked = session
                .with(move |session, now| session.track_status(name, Parameters::default(), now));
            let request = asked.await.unwrap();
            let error = session.rejected(request).await;
            if error.code == RequestErrorCode::ExcessiveLoad {
                assert!((2..=502).contains(&error.retry_interval), "{error:?}");
                refused += 1;
            } else {
                granted += 1;
            }
        }
        if round % 2 == 0 {
            call.goes_on().await;
        }
    }
    // Four seconds' worth at once, and what the time brought since.
    let most = 8 + 2 * start.elapsed().as_secs() + 2;
    assert!((8..=most).contains(&granted), "{granted} of {most}");
    assert_eq!(granted + refused, 32);
    assert_eq!(relay.stats().limit(Limit::Requests), refused);
    call.goes_on().await;
}
