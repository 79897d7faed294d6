//! What one session may not exceed: it is told so, and a call beside it stays whole.

mod support;

use std::time::Instant;

use bytes::Bytes;
use bytesize::ByteSize;
use parvis_relay::{Config, Limit, Relay};
use parvis_session::{ApiMisuse, Event, RequestKey, Session};
use parvis_wire::{
    Draft, FilterSubject, FullTrackName, Parameters, Priority, Properties, RangeFilter,
    RequestErrorCode, TrackName, TrackNamespace,
};

use support::{Client, call::Call, config, http::metrics, track};

fn greedy(number: u64) -> TrackNamespace {
    TrackNamespace::new([b"greedy".to_vec(), number.to_string().into_bytes()]).unwrap()
}

type Ask = fn(&mut Session, u64, Instant) -> Result<RequestKey, ApiMisuse>;

/// Makes four requests, of which the fourth is too many.
async fn assert_limit(limit: Limit, config: Config, ask: Ask) {
    for draft in Draft::ALL {
        let relay = Relay::start(config.clone()).unwrap();
        let mut call = Call::start(&relay).await;
        let mut attacker = Client::connect(&relay, draft).await;
        let mut requests = Vec::new();
        for number in 0..4 {
            let asked = attacker.with(move |session, now| ask(session, number, now));
            requests.push(asked.await.unwrap());
            call.goes_on().await;
        }
        let error = attacker.rejected(requests[3]).await;
        assert_eq!(error.code, RequestErrorCode::ExcessiveLoad, "{draft:?}");
        call.goes_on().await;
        let stats = relay.stats();
        assert_eq!(stats.limit(limit), 1, "{draft:?}");
        assert_eq!(stats.refused(RequestErrorCode::ExcessiveLoad), 1);

        // When one is over there is room for another.
        attacker.cancel(requests[0]).await;
        loop {
            let asked = attacker.with(move |session, now| ask(session, 9, now));
            let again = asked.await.unwrap();
            // The answer to what is asked behind it says that it was dealt with.
            let last = attacker
                .with(|session, now| session.track_status(nowhere(), Parameters::default(), now))
                .await
                .unwrap();
            attacker.rejected(last).await;
            let refused =
                |event: &Event| matches!(event, Event::Rejected { key, .. } if *key == again);
            if !attacker.has_seen(refused) {
                break;
            }
        }
        call.goes_on().await;
    }
}

fn nowhere() -> FullTrackName {
    let namespace = TrackNamespace::new(["nowhere"]).unwrap();
    FullTrackName::new(namespace, TrackName("x".into())).unwrap()
}

#[tokio::test]
async fn subscriptions() {
    let config = Config {
        max_subscriptions: 3,
        ..config(2)
    };
    assert_limit(Limit::Subscriptions, config, |session, number, now| {
        let name = ["a", "b", "c", "d"].get(number as usize).unwrap_or(&"e");
        session.subscribe(track(name), Parameters::default(), now)
    })
    .await;
}

#[tokio::test]
async fn published_tracks() {
    let config = Config {
        max_tracks: 3,
        ..config(2)
    };
    assert_limit(Limit::Tracks, config, |session, number, now| {
        let name = FullTrackName::new(greedy(number), TrackName("x".into())).unwrap();
        session.publish(name, Parameters::default(), Properties::EMPTY, now)
    })
    .await;
}

#[tokio::test]
async fn namespaces() {
    let config = Config {
        max_namespaces: 3,
        ..config(2)
    };
    assert_limit(Limit::Namespaces, config, |session, number, now| {
        session.publish_namespace(greedy(number), Parameters::default(), now)
    })
    .await;
}

#[tokio::test]
async fn prefixes() {
    let config = Config {
        max_prefixes: 3,
        ..config(2)
    };
    assert_limit(Limit::Prefixes, config, |session, number, now| {
        session.subscribe_namespace(greedy(number), Parameters::default(), now)
    })
    .await;
}

#[tokio::test]
async fn requests_a_second() {
    for draft in Draft::ALL {
        let relay = Relay::start(Config {
            max_requests: 2,
            ..config(2)
        })
        .unwrap();
        let mut call = Call::start(&relay).await;
        let mut attacker = Client::connect(&relay, draft).await;
        let mut codes = Vec::new();
        for number in 0..40 {
            let asked = attacker
                .with(|session, now| session.track_status(nowhere(), Parameters::default(), now));
            let request = asked.await.unwrap();
            let error = attacker.rejected(request).await;
            if error.code == RequestErrorCode::ExcessiveLoad {
                assert!((2..=502).contains(&error.retry_interval), "{error:?}");
            }
            codes.push(error.code);
            if number % 4 == 0 {
                call.goes_on().await;
            }
        }
        // Four seconds' worth came at once.
        let refused = |code: &RequestErrorCode| *code == RequestErrorCode::ExcessiveLoad;
        assert!(!codes[..8].iter().any(refused), "{codes:?}");
        let count = codes.iter().filter(|code| refused(code)).count() as u64;
        assert!(count > 0, "{codes:?}");
        let stats = relay.stats();
        assert_eq!(stats.limit(Limit::Requests), count);
        assert_eq!(stats.refused(RequestErrorCode::ExcessiveLoad), count);
    }
}

#[tokio::test]
async fn updates_a_second() {
    for draft in Draft::ALL {
        let relay = Relay::start(Config {
            max_requests: 2,
            ..config(2)
        })
        .unwrap();
        let mut call = Call::start(&relay).await;
        let mut attacker = Client::connect(&relay, draft).await;
        let wanted = attacker.subscribe("camera").await;
        // The subscription was one of eight that may come at once.
        let mut updates = 0;
        loop {
            let parameters = Parameters {
                subscriber_priority: Some(Priority(updates)),
                ..Parameters::default()
            };
            let sent = attacker.with(move |session, now| session.update(wanted, parameters, now));
            sent.await.unwrap();
            let error = attacker
                .wait("answer to an update", |event| match event {
                    Event::UpdateAccepted { key, .. } if *key == wanted => Some(None),
                    Event::UpdateRejected { key, error } if *key == wanted => {
                        Some(Some(error.code))
                    }
                    _ => None,
                })
                .await;
            if let Some(code) = error {
                assert_eq!(code, RequestErrorCode::ExcessiveLoad);
                break;
            }
            updates += 1;
            assert!(updates < 200, "{draft:?}");
        }
        assert!(updates >= 7, "{updates} {draft:?}");
        assert_eq!(relay.stats().limit(Limit::Requests), 1);
        call.goes_on().await;
    }
}

#[tokio::test]
async fn streams_that_are_never_finished() {
    const STREAMS: u64 = 10;
    let relay = Relay::start(Config {
        max_streams: STREAMS as u32,
        ..config(2)
    })
    .unwrap();
    let mut call = Call::start(&relay).await;
    let mut attacker = Client::connect(&relay, Draft::D22).await;
    let mut watcher = Client::connect(&relay, Draft::D22).await;
    attacker.publish_namespace_of(greedy(1)).await;
    let name = FullTrackName::new(greedy(1), TrackName("x".into())).unwrap();
    let asked =
        watcher.with(move |session, now| session.subscribe(name, Parameters::default(), now));
    let wanted = asked.await.unwrap();
    let served = attacker.serve().await;
    watcher.accepted(wanted).await;
    let mut opened = Vec::new();
    for group in 0..2 * STREAMS {
        opened.push(attacker.send(served, group, &[b"x"]).await);
    }
    // The control stream is one of them.
    let mut groups = Vec::new();
    for _ in 0..STREAMS - 1 {
        groups.push(watcher.objects(wanted, 1).await[0].location.group.0);
    }
    groups.sort_unstable();
    assert_eq!(groups, (0..STREAMS - 1).collect::<Vec<_>>());
    call.goes_on().await;
    // Ten objects are the call's.
    assert_eq!(relay.stats().objects_in, STREAMS - 1 + 10);

    // What is finished makes room, in portions of more than an eighth.
    attacker.finish(opened[0]).await;
    attacker.finish(opened[1]).await;
    for _ in 0..2 {
        let group = watcher.objects(wanted, 1).await[0].location.group.0;
        assert!((STREAMS - 1..STREAMS + 1).contains(&group), "{group}");
    }
    call.goes_on().await;
}

#[tokio::test]
async fn ranges_of_filters() {
    let relay = Relay::start(config(2)).unwrap();
    let mut call = Call::start(&relay).await;
    let mut attacker = Client::connect(&relay, Draft::D22).await;
    let mut error = None;
    for count in [64, 65] {
        let filter = RangeFilter {
            set: 0,
            subject: FilterSubject::Object,
            ranges: (0..count).map(|n| (4 * n, 4 * n + 1)).collect(),
        };
        let parameters = Parameters {
            range_filters: vec![filter.encode()],
            ..Parameters::default()
        };
        let asked = attacker.ask_for("camera", parameters).await;
        if count == 64 {
            attacker.accepted(asked).await;
        } else {
            error = Some(attacker.rejected(asked).await.code);
        }
        call.goes_on().await;
    }
    assert_eq!(error, Some(RequestErrorCode::InvalidFilter));
    assert_eq!(relay.stats().refused(RequestErrorCode::InvalidFilter), 1);
}

#[tokio::test]
async fn bytes_of_a_stream() {
    bytes_that_wait(ByteSize::kib(64), ByteSize::mib(8), "stream_window").await;
}

#[tokio::test]
async fn bytes_of_a_session() {
    bytes_that_wait(ByteSize::kib(512), ByteSize::kib(64), "receive_window").await;
}

async fn bytes_that_wait(stream_window: ByteSize, receive_window: ByteSize, limit: &str) {
    let relay = Relay::start(Config {
        stream_window,
        receive_window,
        http: Some("127.0.0.1:0".parse().unwrap()),
        ..config(2)
    })
    .unwrap();
    let mut call = Call::start(&relay).await;
    let mut attacker = Client::connect(&relay, Draft::D22).await;
    attacker.publish_namespace_of(greedy(1)).await;
    let mut watcher = Client::connect(&relay, Draft::D22).await;
    let name = FullTrackName::new(greedy(1), TrackName("x".into())).unwrap();
    let asked =
        watcher.with(move |session, now| session.subscribe(name, Parameters::default(), now));
    let wanted = asked.await.unwrap();
    let served = attacker.serve().await;
    watcher.accepted(wanted).await;
    // Five windows at once: the sender has to wait, and says so.
    let stream = attacker.send(served, 0, &[b"first"]).await;
    let mut reader = watcher.stream(wanted).await;
    watcher.object(&mut reader).await;
    let payload = Bytes::from(vec![7; 320 << 10]);
    attacker.send_more(stream, 1, payload.clone()).await;
    call.goes_on().await;
    assert_eq!(watcher.object(&mut reader).await.payload, payload);
    let metrics = metrics(relay.http_addr().unwrap()).await;
    let hits = metrics[&format!("limits_hit_total{{limit=\"{limit}\"}}")];
    assert!(hits > 0.0, "{limit}");
    call.goes_on().await;
}
