//! Objects of the past.

mod support;

use bytes::Bytes;
use bytesize::ByteSize;
use parvis_relay::{Config, Relay, Running};
use parvis_session::{Event, RequestKey};
use parvis_wire::{
    Draft::{D18, D22},
    FetchObject, FetchRange, GroupId, Location, Parameters,
};

use support::{Client, config, relay, track};

/// A publisher and a subscriber of its track, with the publisher's and the subscriber's request.
async fn joined(relay: &Running) -> (Client, Client, RequestKey, RequestKey) {
    let mut publisher = Client::connect(relay, D22).await;
    let mut subscriber = Client::connect(relay, D18).await;
    publisher.publish_namespace().await;
    let wanted = subscriber.ask_for("camera", Parameters::default()).await;
    let served = publisher.serve().await;
    subscriber.accepted(wanted).await;
    (publisher, subscriber, served, wanted)
}

async fn fetch(client: &mut Client, group: u64) -> RequestKey {
    let range = FetchRange::Standalone {
        track: track("camera"),
        start: Location::new(group, 0),
        end: (GroupId(group), None),
    };
    let fetch = client
        .with(move |session, now| session.fetch(range, Parameters::default(), now))
        .await
        .unwrap();
    client.accepted(fetch).await;
    fetch
}

/// The payloads of the objects of a fetch, up to its end.
async fn fetched(client: &mut Client, request: RequestKey) -> Vec<Bytes> {
    let mut payloads = Vec::<Vec<u8>>::new();
    loop {
        let event = client
            .wait("fetched object", |event| {
                let of_fetch = matches!(
                    event,
                    Event::FetchObject { .. } | Event::ObjectData { .. } | Event::FetchEnd { .. }
                );
                of_fetch.then(|| event.clone())
            })
            .await;
        match event {
            Event::FetchObject {
                object: FetchObject::Object { .. },
                payload,
                ..
            } => {
                payloads.push(payload.to_vec());
            }
            Event::ObjectData { data, .. } => {
                payloads.last_mut().unwrap().extend_from_slice(&data);
            }
            Event::FetchEnd { key, .. } if key == request => {
                return payloads.into_iter().map(Bytes::from).collect();
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_fetch_brings_what_is_cached() {
    let relay = relay(1);
    let (publisher, mut subscriber, served, wanted) = joined(&relay).await;
    let stream = publisher.send(served, 0, &[b"a", b"b"]).await;
    publisher.finish(stream).await;
    subscriber.objects(wanted, 2).await;

    let request = fetch(&mut subscriber, 0).await;
    assert_eq!(fetched(&mut subscriber, request).await, [&b"a"[..], b"b"]);
}

#[tokio::test]
async fn a_fetch_larger_than_the_queue_comes_whole() {
    const OBJECTS: u64 = 64;
    let queue = ByteSize::kib(64);
    let relay = Relay::start(Config { queue, ..config(1) }).unwrap();
    let (publisher, mut subscriber, served, wanted) = joined(&relay).await;
    let object = |id: u64| Bytes::from(vec![id as u8; 30_000]);
    let stream = publisher.send(served, 0, &[b"first"]).await;
    let mut reader = subscriber.stream(wanted).await;
    subscriber.object(&mut reader).await;
    for id in 1..=OBJECTS {
        publisher.send_more(stream, id, object(id)).await;
        subscriber.object(&mut reader).await;
    }
    publisher.finish(stream).await;

    let request = fetch(&mut subscriber, 0).await;
    let payloads = fetched(&mut subscriber, request).await;
    assert_eq!(payloads.len(), 1 + OBJECTS as usize);
    for (id, payload) in payloads.iter().enumerate().skip(1) {
        assert_eq!(*payload, object(id as u64));
    }
}
