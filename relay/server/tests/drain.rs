//! A relay that is stopped while meetings go on.

mod support;

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use parvis_relay::{Config, ConfigError, Relay, Running};
use parvis_session::Event;
use parvis_wire::{
    Draft::{self, D18, D22},
    Location, Parameters, RequestErrorCode,
};

use support::{Client, config, payloads, relay};

/// Longer than any test takes.
const LONG: Duration = Duration::from_mins(5);

/// Where the relay asks the session to move to.
async fn goaway(client: &mut Client) -> String {
    client
        .wait("GOAWAY", |event| match event {
            Event::GoAway { key: None, uri, .. } => Some(uri.clone()),
            _ => None,
        })
        .await
}

async fn rejected(client: &mut Client, name: &'static str) -> RequestErrorCode {
    let request = client.ask_for(name, Parameters::default()).await;
    client
        .wait("an error", |event| match event {
            Event::Rejected { key, error } if *key == request => Some(error.code),
            _ => None,
        })
        .await
}

/// Waits for a relay that stops by itself, away from the runtime's threads.
async fn join(relay: Running) {
    tokio::task::spawn_blocking(|| relay.join())
        .await
        .unwrap()
        .unwrap();
}

async fn media_goes_on(draft: Draft) {
    let relay = relay(2);
    let mut publisher = Client::connect(&relay, draft).await;
    let mut subscriber = Client::connect(&relay, draft).await;
    publisher.publish_namespace().await;
    let wanted = subscriber.ask_for("camera", Parameters::default()).await;
    let served = publisher.serve().await;
    subscriber.accepted(wanted).await;

    relay.stopper().stop(LONG);
    // One that keeps asking although it was told not to.
    let early = subscriber.ask_for("screen", Parameters::default()).await;
    assert_eq!(goaway(&mut publisher).await, "");
    assert_eq!(goaway(&mut subscriber).await, "");
    let stream = publisher.send(served, 0, &[b"first"]).await;
    publisher
        .send_more(stream, 1, Bytes::from_static(b"second"))
        .await;
    let objects = subscriber.objects(wanted, 2).await;
    assert_eq!(payloads(&objects), [&b"first"[..], b"second"]);
    let code = subscriber
        .wait("an error", |event| match event {
            Event::Rejected { key, error } if *key == early => Some(error.code),
            _ => None,
        })
        .await;
    let codes = [RequestErrorCode::GoingAway, RequestErrorCode::DoesNotExist];
    assert!(codes.contains(&code), "{code:?}");

    // The publisher hears at once that nobody is left.
    subscriber.close().await;
    publisher.ended(served).await;
    publisher.close().await;
    join(relay).await;
}

#[tokio::test]
async fn media_goes_on_while_a_relay_drains_in_draft_22() {
    media_goes_on(D22).await;
}

#[tokio::test]
async fn media_goes_on_while_a_relay_drains_in_draft_18() {
    media_goes_on(D18).await;
}

#[tokio::test]
async fn newcomers_to_a_draining_relay_are_refused() {
    let relay = relay(2);
    let mut client = Client::connect(&relay, D22).await;
    relay.stopper().stop(LONG);
    goaway(&mut client).await;

    // The other thread may hear of it a little later.
    let error = loop {
        match Client::try_connect(&relay, D22).await {
            Ok(mut early) => drop(goaway(&mut early).await),
            Err(error) => break error,
        }
    };
    assert!(error.contains("refused"), "{error}");
    client.close().await;
    join(relay).await;
}

#[tokio::test]
async fn a_draining_relay_points_everybody_elsewhere() {
    let to = "moqt://other.example:4433/";
    let relay = Relay::start(Config {
        drain_to: Some(to.to_owned()),
        ..config(2)
    })
    .unwrap();
    let mut client = Client::connect(&relay, D18).await;
    relay.stopper().stop(LONG);
    assert_eq!(goaway(&mut client).await, to);

    let mut newcomer = Client::connect(&relay, D22).await;
    assert_eq!(goaway(&mut newcomer).await, to);
    newcomer.close().await;
    client.close().await;
    join(relay).await;
}

#[test]
fn a_place_to_move_to_is_a_url() {
    let wrong = Config {
        drain_to: Some("elsewhere".to_owned()),
        ..config(1)
    };
    let error = wrong.check().unwrap_err();
    assert!(matches!(
        error,
        ConfigError::Url {
            name: "drain-to",
            ..
        }
    ));
}

fn successor(listen: SocketAddr, threads: usize) -> Running {
    Relay::start(Config {
        listen,
        hand_over: true,
        ..config(threads)
    })
    .unwrap()
}

async fn hands_over(threads: usize) {
    let old = successor("127.0.0.1:0".parse().unwrap(), threads);
    let mut publisher = Client::connect(&old, D22).await;
    let mut subscriber = Client::connect(&old, D22).await;
    publisher.publish_namespace().await;
    let wanted = subscriber.ask_for("camera", Parameters::default()).await;
    let served = publisher.serve().await;
    subscriber.accepted(wanted).await;

    old.stopper().stop(LONG);
    goaway(&mut publisher).await;
    goaway(&mut subscriber).await;
    // A thread may serve none of the two and leave the port only when it is gone.
    let new = successor(old.local_addr(), threads);
    let mut newcomers = Vec::new();
    for group in 0..8 {
        newcomers.push(Client::connect(&new, D22).await);
        let stream = publisher.send(served, group, &[b"first"]).await;
        publisher.finish(stream).await;
        let objects = subscriber.objects(wanted, 1).await;
        assert_eq!(objects[0].location.group.0, group);
    }
    assert_eq!(new.stats().sessions, 8);
    assert_eq!(old.stats().sessions, 2);
    subscriber.close().await;
    publisher.close().await;
    join(old).await;
}

#[tokio::test]
async fn a_successor_takes_the_port_while_media_goes_on() {
    hands_over(1).await;
}

#[tokio::test]
async fn a_successor_takes_the_port_of_several_threads() {
    hands_over(3).await;
}

#[tokio::test]
async fn a_client_that_says_it_leaves_is_asked_for_nothing_new() {
    let relay = relay(2);
    let mut leaving = Client::connect(&relay, D22).await;
    let mut other = Client::connect(&relay, D22).await;
    let mut subscriber = Client::connect(&relay, D22).await;
    leaving.publish_namespace().await;
    let wanted = subscriber.ask_for("camera", Parameters::default()).await;
    let served = leaving.serve().await;
    subscriber.accepted(wanted).await;
    leaving
        .with(|session, now| session.goaway("", 60_000, now))
        .await
        .unwrap();
    // The first may overtake the GOAWAY, and is refused by the client itself then.
    let mut codes = Vec::new();
    while codes.len() < 2 {
        codes.push(rejected(&mut leaving, "nobody has it").await);
    }
    assert_eq!(codes[1], RequestErrorCode::DoesNotExist, "{codes:?}");
    let stream = leaving.send(served, 0, &[b"last"]).await;
    leaving.finish(stream).await;
    let objects = subscriber.objects(wanted, 1).await;
    assert_eq!(payloads(&objects), [b"last"]);

    other.publish_namespace().await;
    let taken_over = other.serve_after(Some(Location::new(0, 0))).await;
    leaving.ended(served).await;
    let stream = other.send(taken_over, 1, &[b"next"]).await;
    other.finish(stream).await;
    let objects = subscriber.objects(wanted, 1).await;
    assert_eq!(payloads(&objects), [b"next"]);
}

#[tokio::test]
async fn a_successor_takes_over_the_pages_too() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let http = free.local_addr().unwrap();
    drop(free);
    let config = move |listen| Config {
        listen,
        http: Some(http),
        hand_over: true,
        ..config(2)
    };
    let old = Relay::start(config("127.0.0.1:0".parse().unwrap())).unwrap();
    let mut client = Client::connect(&old, D22).await;
    old.stopper().stop(LONG);
    let listen = old.local_addr();
    let new = tokio::task::spawn_blocking(move || Relay::start(config(listen)).unwrap());
    let new = new.await.unwrap();
    assert_eq!(new.http_addr(), Some(http));
    assert_eq!(support::http::page(http, "/readyz").await.0, 200);
    goaway(&mut client).await;
    client.close().await;
    join(old).await;
}
