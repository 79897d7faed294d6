//! The pages for operators.

#![expect(clippy::float_cmp, reason = "counters are whole numbers")]

mod support;

use std::{net::TcpListener, time::Duration};

use parvis_relay::{Config, Relay, Running};
use parvis_session::Event;
use parvis_wire::{
    Draft::{D18, D22},
    FullTrackName, Parameters, RequestErrorCode, TrackName, TrackNamespace,
};

use support::{
    Client, config,
    http::{metrics, order, page},
};
use tokio::{io::AsyncReadExt, net::TcpStream};

fn relay(threads: usize) -> Running {
    Relay::start(Config {
        http: Some("127.0.0.1:0".parse().unwrap()),
        ..config(threads)
    })
    .unwrap()
}

#[tokio::test]
async fn what_a_relay_did_is_in_its_metrics() {
    let relay = relay(2);
    let http = relay.http_addr().unwrap();
    let idle = metrics(http).await;
    assert_eq!((idle["sessions"], idle["objects_received_total"]), (0., 0.));

    let mut publisher = Client::connect(&relay, D22).await;
    let mut subscriber = Client::connect(&relay, D18).await;
    publisher.publish_namespace().await;
    let wanted = subscriber.ask_for("camera", Parameters::default()).await;
    let served = publisher.serve().await;
    subscriber.accepted(wanted).await;
    let stream = publisher.send(served, 7, &[b"key frame", b"delta"]).await;
    publisher.finish(stream).await;
    subscriber.objects(wanted, 2).await;
    let namespace = TrackNamespace::new(["elsewhere"]).unwrap();
    let unknown = FullTrackName::new(namespace, TrackName("x".into())).unwrap();
    let refused = subscriber
        .with(move |session, now| session.subscribe(unknown, Parameters::default(), now))
        .await
        .unwrap();
    let error = subscriber.rejected(refused).await;
    assert_eq!(error.code, RequestErrorCode::DoesNotExist);

    let now = metrics(http).await;
    let expected = [
        ("sessions", 2.),
        ("sessions_opened_total", 2.),
        ("objects_received_total", 2.),
        ("objects_sent_total", 2.),
        ("requests_refused_total{code=\"does_not_exist\"}", 1.),
        ("requests_refused_total{code=\"excessive_load\"}", 0.),
        ("drops_total{reason=\"queue_age\"}", 0.),
        ("limits_hit_total{limit=\"sessions\"}", 0.),
        ("handshakes_failed_total{reason=\"tls\"}", 0.),
        // Of each session once.
        ("session_rtt_seconds_count", 2.),
        ("session_rtt_seconds_bucket{le=\"+Inf\"}", 2.),
        ("session_queue_age_seconds_count", 2.),
        ("queued_bytes", 0.),
    ];
    for (name, value) in expected {
        assert_eq!(now[name], value, "{name}");
    }
    // Each object has a header of two bytes or more.
    assert!(now["received_bytes_total"] >= 18., "{now:?}");
    assert!(now["sent_bytes_total"] >= 18., "{now:?}");
    assert!(now["cache_bytes"] > 14., "{now:?}");
    assert!(now["session_rtt_seconds_sum"] > 0., "{now:?}");

    publisher.close().await;
    subscriber.close().await;
    let mut ended = metrics(http).await;
    while ended["sessions"] > 0. {
        ended = metrics(http).await;
    }
    assert_eq!(ended["sessions_closed_total{by=\"peer\"}"], 2.);
}

#[tokio::test]
async fn a_newcomer_who_does_not_trust_the_certificate_is_a_failed_handshake() {
    let relay = relay(1);
    let http = relay.http_addr().unwrap();
    let (_, other) = parvis_quic::tls::ServerTls::self_signed(&["localhost"]).unwrap();
    let error = Client::connect_trusting(&relay, other).await.unwrap_err();
    assert!(error.contains("not trusted"), "{error}");
    let name = "handshakes_failed_total{reason=\"certificate_rejected\"}";
    let mut seen = metrics(http).await;
    while seen[name] < 1. {
        seen = metrics(http).await;
    }
    assert_eq!(seen["sessions_opened_total"], 0.);
}

#[tokio::test]
async fn a_relay_is_ready_until_it_drains_and_refuses_newcomers_then() {
    let relay = relay(2);
    let http = relay.http_addr().unwrap();
    assert_eq!(page(http, "/healthz").await, (200, "healthy\n".to_owned()));
    assert_eq!(page(http, "/readyz").await, (200, "ready\n".to_owned()));
    assert_eq!(page(http, "/secrets").await.0, 404);

    let mut first = Client::connect(&relay, D22).await;
    relay.stopper().stop(Duration::from_mins(1));
    first
        .wait("GOAWAY", |event| {
            matches!(event, Event::GoAway { .. }).then_some(())
        })
        .await;
    let draining = (503, "draining\n".to_owned());
    assert_eq!(page(http, "/readyz").await, draining);
    assert_eq!(page(http, "/healthz").await.0, 200);
    // The other thread may still have to hear of it, or be over already.
    let error = loop {
        match Client::try_connect(&relay, D22).await {
            Err(error) => break error,
            Ok(client) => client.close().await,
        }
    };
    assert!(error.contains("refused"), "{error}");
    assert!(metrics(http).await["limits_hit_total{limit=\"draining\"}"] >= 1.);

    first.close().await;
    tokio::task::spawn_blocking(|| relay.join())
        .await
        .unwrap()
        .unwrap();
    assert!(TcpStream::connect(http).await.is_err());
}

#[test]
fn an_address_in_use_is_refused() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let http = other.local_addr().unwrap();
    let error = Relay::start(Config {
        http: Some(http),
        ..config(1)
    })
    .unwrap_err();
    let expected = format!("cannot listen on {http} for HTTP: ");
    assert!(error.to_string().starts_with(&expected), "{error}");
}

#[test]
fn without_an_address_there_are_no_pages() {
    assert_eq!(support::relay(1).http_addr(), None);
}

#[tokio::test]
async fn connections_that_ask_nothing_are_cut_and_keep_no_order_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "a secret of some length\n").unwrap();
    let relay = Relay::start(Config {
        http: Some("127.0.0.1:0".parse().unwrap()),
        control: Some("127.0.0.1:0".parse().unwrap()),
        control_secret: Some(secret),
        ..config(1)
    })
    .unwrap();
    let http = relay.http_addr().unwrap();
    let mut idle = Vec::new();
    for _ in 0..200 {
        idle.push(TcpStream::connect(http).await.unwrap());
    }
    let control = relay.control_addr().unwrap();
    let authorization = Some("Bearer a secret of some length");
    let (status, sessions) = order(control, "GET /v1/sessions", authorization, "").await;
    assert_eq!(
        (status, sessions.contains("sessions")),
        (200, true),
        "{sessions}"
    );
    // Behind those that were there first, some seconds later.
    assert_eq!(page(http, "/healthz").await.0, 200);
    for mut stream in idle.drain(..64) {
        let mut rest = Vec::new();
        assert_eq!(stream.read_to_end(&mut rest).await.unwrap_or(0), 0);
    }
}
