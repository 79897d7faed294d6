//! Objects of the past.

mod support;

use bytes::Bytes;
use bytesize::ByteSize;
use parvis_relay::{Config, Relay, Running};
use parvis_session::{Answer, Event, RequestKey};
use parvis_wire::{
    Draft::{D18, D22},
    FetchObject, FetchOk, Location, LocationFilter, Parameters, Priority, Properties, SubgroupId,
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

async fn fetch(client: &Client, group: u64) -> RequestKey {
    client.fetch(track("camera"), group).await
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

    let request = fetch(&subscriber, 0).await;
    subscriber.accepted(request).await;
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

    let request = fetch(&subscriber, 0).await;
    subscriber.accepted(request).await;
    let payloads = fetched(&mut subscriber, request).await;
    assert_eq!(payloads.len(), 1 + OBJECTS as usize);
    for (id, payload) in payloads.iter().enumerate().skip(1) {
        assert_eq!(*payload, object(id as u64));
    }
}

/// Answers the next FETCH with these objects of one group.
async fn answer_fetch(publisher: &mut Client, group: u64, payloads: Vec<Bytes>) {
    let request = publisher.fetch_of_the_relay().await;
    let answered = publisher.with(move |session, now| {
        let answer = FetchOk {
            end_of_track: false,
            end: Location::new(group, payloads.len() as u64 - 1),
            parameters: Parameters::default(),
            track_properties: Properties::EMPTY,
        };
        session.accept_fetch(request, answer, now).unwrap();
        let stream = session.open_fetch(request, now).unwrap();
        for (id, payload) in payloads.into_iter().enumerate() {
            let object = FetchObject::Object {
                location: Location::new(group, id as u64),
                subgroup: Some(SubgroupId(0)),
                priority: Priority(128),
                properties: None,
                payload_len: payload.len() as u64,
            };
            session
                .write_fetch_object(stream, &object, payload, now)
                .unwrap();
        }
        session.finish_subgroup(stream, now).unwrap();
    });
    answered.await;
}

#[tokio::test]
async fn a_fetch_of_what_is_not_cached_goes_to_the_publisher_of_any_draft() {
    for drafts in [[D22, D22], [D18, D18], [D18, D22], [D22, D18]] {
        let relay = relay(2);
        let mut publisher = Client::connect(&relay, drafts[0]).await;
        let mut reader = Client::connect(&relay, drafts[1]).await;
        publisher.publish_namespace().await;
        let request = fetch(&reader, 3).await;
        let large = Bytes::from(vec![7; 150_000]);
        let payloads = vec![Bytes::from_static(b"small"), large.clone()];
        answer_fetch(&mut publisher, 3, payloads.clone()).await;
        let answer = reader.accepted(request).await;
        assert!(
            matches!(&answer, Answer::Fetch(ok) if ok.end == Location::new(3, 1)),
            "{answer:?}"
        );
        assert_eq!(fetched(&mut reader, request).await, payloads, "{drafts:?}");
    }
}

#[tokio::test]
async fn a_fill_comes_beside_its_subscription() {
    let relay = relay(1);
    let (publisher, mut first, served, wanted) = joined(&relay).await;
    let stream = publisher.send(served, 5, &[b"key frame", b"delta"]).await;
    first.objects(wanted, 2).await;

    let mut late = Client::connect(&relay, D22).await;
    let fill = Parameters {
        filter: Some(LocationFilter::RelativeStart(1)),
        ..Parameters::default()
    };
    let parameters = Parameters {
        filter: Some(LocationFilter::NextObject),
        fill: Some(Box::new(fill)),
        ..Parameters::default()
    };
    let request = late.ask_for("camera", parameters).await;
    late.accepted(request).await;
    let past = fetched(&mut late, request).await;
    assert_eq!(past, [&b"key frame"[..], b"delta"]);
    publisher
        .send_more(stream, 2, Bytes::from_static(b"live"))
        .await;
    let objects = late.objects(request, 1).await;
    assert_eq!(objects[0].payload, &b"live"[..]);
}
