//! Relays that are each other's upstream.

mod support;

use std::{
    collections::BTreeSet,
    net::{SocketAddr, UdpSocket},
    time::Duration,
};

use parvis_relay::{Config, Relay, Running};
use parvis_session::{Event, IncomingRequest, RequestKey};
use parvis_wire::{
    Draft::{self, D18, D22},
    FullTrackName, Location, Parameters, TrackNamespace,
};
use tokio::time::timeout;

use support::{Client, config, namespace, payloads};

fn url(addr: SocketAddr) -> String {
    format!("moqt://{addr}/")
}

/// A relay that others may chain to.
fn first() -> Running {
    Relay::start(Config {
        accept_relays: true,
        ..config(2)
    })
    .unwrap()
}

fn below(upstream: &Running, draft: Draft) -> Config {
    Config {
        accept_relays: true,
        upstream: Some(url(upstream.local_addr())),
        upstream_fingerprint: Some(upstream.fingerprint().to_string()),
        upstream_draft: Some(draft.number().into()),
        ..config(2)
    }
}

/// Asks who publishes, and waits until the relay knows of the publisher.
async fn sees_publisher(client: &mut Client) {
    let request = client
        .with(|session, now| session.subscribe_namespace(namespace(), Parameters::default(), now))
        .await
        .unwrap();
    client
        .wait("the namespace", |event| match event {
            Event::Namespace { key, .. } if *key == request => Some(()),
            _ => None,
        })
        .await;
}

fn asks(event: &Event) -> bool {
    matches!(
        event,
        Event::Request {
            request: IncomingRequest::Subscribe { .. },
            ..
        }
    )
}

/// What comes at one end is had once at the other, by everybody there.
async fn passes(from: &Running, to: &Running, by: Draft) {
    let mut publisher = Client::connect(from, by).await;
    let mut subscribers = Vec::new();
    publisher.publish_namespace().await;
    for _ in 0..3 {
        let mut subscriber = Client::connect(to, by).await;
        sees_publisher(&mut subscriber).await;
        subscribers.push(subscriber);
    }
    let mut wanted = Vec::new();
    for subscriber in &mut subscribers {
        wanted.push(subscriber.ask_for("camera", Parameters::default()).await);
    }
    let served = publisher.serve().await;
    for (subscriber, wanted) in subscribers.iter_mut().zip(&wanted) {
        subscriber.accepted(*wanted).await;
    }
    for group in 0..3 {
        let stream = publisher.send(served, group, &[b"one", b"two"]).await;
        publisher.finish(stream).await;
        for (subscriber, wanted) in subscribers.iter_mut().zip(&wanted) {
            let objects = subscriber.objects(*wanted, 2).await;
            assert_eq!(objects[0].location, Location::new(group, 0));
            assert_eq!(payloads(&objects), [b"one", b"two"]);
        }
    }
    // An answer that comes later shows that nothing else came before.
    sees_nothing_more(&mut publisher, &mut subscribers).await;
    publisher.close().await;
}

async fn sees_nothing_more(publisher: &mut Client, subscribers: &mut [Client]) {
    for client in subscribers.iter_mut().chain([publisher]) {
        let nowhere = TrackNamespace::new(["nowhere"]).unwrap();
        let track = FullTrackName::new(nowhere, "camera".to_owned().into()).unwrap();
        let request = client
            .with(|session, now| session.subscribe(track, Parameters::default(), now))
            .await
            .unwrap();
        client
            .wait("an error", |event| match event {
                Event::Rejected { key, .. } if *key == request => Some(()),
                _ => None,
            })
            .await;
        assert!(!client.has_seen(|event| matches!(event, Event::Subgroup { .. })));
    }
}

async fn a_line(draft: Draft) {
    let a = first();
    let b = Relay::start(below(&a, draft)).unwrap();
    let c = Relay::start(below(&b, draft)).unwrap();
    passes(&a, &c, draft).await;
    passes(&c, &a, draft).await;
    passes(&b, &c, draft).await;
    passes(&b, &a, draft).await;
}

#[tokio::test]
async fn objects_pass_a_line_of_relays_once_in_draft_22() {
    a_line(D22).await;
}

#[tokio::test]
async fn objects_pass_a_line_of_relays_once_in_draft_18() {
    a_line(D18).await;
}

/// What is offered at one end is taken at the other.
async fn offers_pass(from: &Running, to: &Running) {
    let mut early = Client::connect(to, D22).await;
    early.wants_all().await;
    let mut publisher = Client::connect(from, D22).await;
    let published = publisher.offer("chat").await;
    let taken = early.takes_offer("chat").await;
    let mut late = Client::connect(to, D22).await;
    late.wants_all().await;
    let also_taken = late.takes_offer("chat").await;
    publisher.wanted(published).await;
    let stream = publisher.send(published, 0, &[b"hello"]).await;
    publisher.finish(stream).await;
    assert_eq!(payloads(&early.objects(taken, 1).await), [b"hello"]);
    assert_eq!(payloads(&late.objects(also_taken, 1).await), [b"hello"]);
    publisher.close().await;
    early.ended(taken).await;
}

#[tokio::test]
async fn offers_pass_a_line_of_relays() {
    let a = first();
    let b = Relay::start(below(&a, D22)).unwrap();
    let c = Relay::start(below(&b, D22)).unwrap();
    offers_pass(&a, &c).await;
    offers_pass(&c, &a).await;
    offers_pass(&b, &c).await;
    offers_pass(&b, &a).await;
}

#[tokio::test]
async fn a_relay_that_does_not_accept_relays_serves_one_as_a_client() {
    let a = Relay::start(config(2)).unwrap();
    let b = Relay::start(below(&a, D22)).unwrap();
    passes(&a, &b, D22).await;
    passes(&b, &a, D18).await;
}

/// Ports that were free a moment ago.
fn free_ports<const N: usize>() -> [SocketAddr; N] {
    let sockets = [(); N].map(|()| UdpSocket::bind("127.0.0.1:0").unwrap());
    sockets.map(|socket| socket.local_addr().unwrap())
}

/// The same certificate for all: each must know the next one's before that one runs.
struct Certificate {
    folder: tempfile::TempDir,
    fingerprint: String,
}

impl Certificate {
    fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("cert.pem"), made.cert.pem()).unwrap();
        std::fs::write(
            folder.path().join("key.pem"),
            made.signing_key.serialize_pem(),
        )
        .unwrap();
        let mut certificate = Self {
            folder,
            fingerprint: String::new(),
        };
        let relay = Relay::start(certificate.config("127.0.0.1:0".parse().unwrap(), None)).unwrap();
        certificate.fingerprint = relay.fingerprint().to_string();
        certificate
    }

    fn config(&self, listen: SocketAddr, upstream: Option<SocketAddr>) -> Config {
        Config {
            listen,
            cert: Some(self.folder.path().join("cert.pem")),
            key: Some(self.folder.path().join("key.pem")),
            accept_relays: true,
            upstream: upstream.map(url),
            upstream_fingerprint: Some(self.fingerprint.clone()),
            ..config(2)
        }
    }
}

#[tokio::test]
async fn objects_pass_a_ring_of_relays_once() {
    let certificate = Certificate::new();
    let ports = free_ports::<3>();
    let ring: Vec<Running> = (0..3)
        .map(|index| {
            let next = ports[(index + 1) % 3];
            Relay::start(certificate.config(ports[index], Some(next))).unwrap()
        })
        .collect();
    passes(&ring[0], &ring[1], D22).await;
    passes(&ring[0], &ring[2], D22).await;
    passes(&ring[1], &ring[0], D22).await;
    offers_pass(&ring[0], &ring[1]).await;
    offers_pass(&ring[1], &ring[0]).await;
}

/// Relays that do not accept each other, each below the next one.
async fn assert_no_ring<const N: usize>() {
    let certificate = Certificate::new();
    let ports = free_ports::<N>();
    let ring: Vec<Running> = (0..N)
        .map(|index| {
            let next = ports[(index + 1) % N];
            Relay::start(Config {
                accept_relays: false,
                ..certificate.config(ports[index], Some(next))
            })
            .unwrap()
        })
        .collect();
    let mut publisher = Client::connect(&ring[0], D22).await;
    publisher.publish_namespace().await;
    // Each link is tried again and again, and refused.
    while ring.iter().any(|relay| relay.stats().sessions_opened < 4) {
        tokio::task::yield_now().await;
    }
    for (index, relay) in ring.iter().enumerate() {
        assert_eq!(relay.stats().namespaces, usize::from(index == 0));
    }
    publisher.close().await;
    for relay in &ring {
        while relay.stats().namespaces > 0 {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn relays_that_do_not_accept_each_other_make_no_ring() {
    assert_no_ring::<1>().await;
    assert_no_ring::<2>().await;
    assert_no_ring::<3>().await;
}

#[tokio::test]
async fn a_subscriber_outlives_the_relay_in_the_middle() {
    let certificate = Certificate::new();
    let ports = free_ports::<3>();
    let start = |index: usize| {
        let upstream = index.checked_sub(1).map(|above| ports[above]);
        Relay::start(certificate.config(ports[index], upstream)).unwrap()
    };
    let (a, b, c) = (start(0), start(1), start(2));
    let mut publisher = Client::connect(&a, D22).await;
    let mut near = Client::connect(&a, D22).await;
    let mut far = Client::connect(&c, D22).await;
    publisher.publish_namespace().await;
    sees_publisher(&mut far).await;
    let here = near.ask_for("camera", Parameters::default()).await;
    let served = publisher.serve().await;
    near.accepted(here).await;
    let there = far.subscribe("camera").await;
    let stream = publisher.send(served, 0, &[b"before"]).await;
    publisher.finish(stream).await;
    assert_eq!(payloads(&far.objects(there, 1).await), [b"before"]);

    drop(b);
    let _b = start(1);
    let mut sent = BTreeSet::new();
    let found = loop {
        let group = sent.len() as u64 + 1;
        sent.insert(group);
        assert!(group < 1000, "nothing comes through");
        let stream = publisher.send(served, group, &[b"after"]).await;
        publisher.finish(stream).await;
        if let Some(group) = next_group(&mut far, there).await {
            break group;
        }
    };
    assert!(sent.contains(&found), "{found}");
    assert!(!publisher.has_seen(asks), "it is asked once for all");
    assert!(!far.has_seen(|event| matches!(event, Event::Ended { key, .. } if *key == there)));
}

/// The group of a subscription's next stream, if one comes soon.
async fn next_group(client: &mut Client, request: RequestKey) -> Option<u64> {
    let stream = client.wait("a stream", |event| match event {
        Event::Subgroup { key, header, .. } if *key == request => Some(header.group.0),
        _ => None,
    });
    timeout(Duration::from_millis(100), stream).await.ok()
}
