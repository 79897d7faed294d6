//! Subscribers that do not read: nobody else is delayed, and what waits for them is bounded.

mod support;

use std::time::Duration;

use bytes::Bytes;
use bytesize::ByteSize;
use parvis_relay::{Config, Limit, Relay};
use parvis_session::DropReason;
use parvis_wire::{
    Draft::{D18, D22},
    LocationFilter, Parameters,
};

use support::{Client, config, http::metrics};

const KIB: usize = 1 << 10;

#[tokio::test]
async fn one_that_reads_nothing_delays_nobody_and_loses_its_subscription() {
    let relay = Relay::start(Config {
        queue: ByteSize::kib(64),
        queue_age: Duration::from_millis(100),
        too_far_behind: Duration::from_millis(300),
        http: Some("127.0.0.1:0".parse().unwrap()),
        ..config(1)
    })
    .unwrap();
    let mut publisher = Client::connect(&relay, D22).await;
    let mut good = Client::connect(&relay, D18).await;
    let mut deaf = Client::connect_narrow(&relay, D22).await;
    publisher.publish_namespace().await;
    let wanted = good.ask_for("camera", Parameters::default()).await;
    let served = publisher.serve().await;
    good.accepted(wanted).await;
    deaf.subscribe("camera").await;

    let mut group = 0;
    while relay.stats().limit(Limit::TooFarBehind) == 0 {
        let stream = publisher.send(served, group, &[b"key"]).await;
        let mut reader = good.stream(wanted).await;
        good.object(&mut reader).await;
        for id in 1..6 {
            let payload = Bytes::from(vec![id as u8; 8 * KIB]);
            publisher.send_more(stream, id, payload.clone()).await;
            let object = good.object(&mut reader).await;
            assert_eq!(object.location.group.0, group);
            assert_eq!((object.location.object.0, object.payload), (id, payload));
        }
        publisher.finish(stream).await;
        group += 1;
        let now = metrics(relay.http_addr().unwrap()).await;
        assert!(
            now["queued_bytes"] <= (64 + 16) as f64 * KIB as f64,
            "{now:?}"
        );
        assert!(now["queue_oldest_age_seconds"] < 1., "{now:?}");
    }
    let stats = relay.stats();
    let dropped = [DropReason::QueueAge, DropReason::SubscriptionBytes];
    assert!(
        dropped
            .map(|reason| stats.drops.by_session(reason))
            .iter()
            .sum::<u64>()
            > 0
    );
    assert_eq!(stats.sessions, 3);
    assert_eq!(stats.objects_in, group * 6);
}

#[tokio::test]
async fn one_that_joins_and_reads_nothing_is_replayed_no_more_than_its_queue() {
    const QUEUE: usize = 128 * KIB;
    let relay = Relay::start(Config {
        queue: ByteSize::b(QUEUE as u64),
        queue_age: Duration::from_mins(1),
        http: Some("127.0.0.1:0".parse().unwrap()),
        ..config(1)
    })
    .unwrap();
    let mut publisher = Client::connect(&relay, D22).await;
    let mut good = Client::connect(&relay, D22).await;
    publisher.publish_namespace().await;
    let wanted = good.ask_for("camera", Parameters::default()).await;
    let served = publisher.serve().await;
    good.accepted(wanted).await;
    // One mebibyte in two groups.
    for group in 0..2 {
        let stream = publisher.send(served, group, &[b"key"]).await;
        let mut reader = good.stream(wanted).await;
        good.object(&mut reader).await;
        for id in 1..17 {
            let payload = Bytes::from(vec![id as u8; 32 * KIB]);
            publisher.send_more(stream, id, payload).await;
            good.object(&mut reader).await;
        }
    }
    assert!(relay.stats().cache_bytes > 8 * QUEUE);

    let mut joiners = Vec::new();
    for _ in 0..4 {
        let mut deaf = Client::connect_narrow(&relay, D22).await;
        let everything = Parameters {
            filter: Some(LocationFilter::RelativeStart(9)),
            ..Parameters::default()
        };
        let asked = deaf.ask_for("camera", everything).await;
        deaf.accepted(asked).await;
        joiners.push(deaf);
    }
    let now = metrics(relay.http_addr().unwrap()).await;
    // An object is queued before the oldest group goes for it.
    let most = (joiners.len() * (QUEUE + 32 * KIB)) as f64;
    assert!(now["queued_bytes"] <= most, "{now:?}");
    assert!(
        now["drops_total{reason=\"subscription_bytes\"}"] > 0.,
        "{now:?}"
    );

    let stream = publisher.send(served, 2, &[b"still", b"here"]).await;
    publisher.finish(stream).await;
    assert_eq!(good.objects(wanted, 2).await[1].payload, "here");
}

#[tokio::test]
async fn one_that_reads_nothing_of_many_tracks_has_no_more_waiting_than_a_session_may() {
    const QUEUE: usize = 128 * KIB;
    let relay = Relay::start(Config {
        queue: ByteSize::b(QUEUE as u64),
        session_queue: ByteSize::b(QUEUE as u64),
        queue_age: Duration::from_mins(1),
        http: Some("127.0.0.1:0".parse().unwrap()),
        ..config(1)
    })
    .unwrap();
    let mut publisher = Client::connect(&relay, D22).await;
    let mut good = Client::connect(&relay, D18).await;
    let mut deaf = Client::connect_narrow(&relay, D22).await;
    publisher.publish_namespace().await;
    let mut tracks = Vec::new();
    for name in ["camera", "screen", "microphone", "chat"] {
        let wanted = good.ask_for(name, Parameters::default()).await;
        let served = publisher.serve().await;
        good.accepted(wanted).await;
        deaf.subscribe(name).await;
        tracks.push((served, wanted));
    }
    let mut group = 0;
    while relay.stats().drops.by_session(DropReason::SessionBytes) == 0 {
        assert!(group < 50, "nothing is dropped");
        for (served, wanted) in &tracks {
            let stream = publisher.send(*served, group, &[b"key"]).await;
            let mut reader = good.stream(*wanted).await;
            good.object(&mut reader).await;
            let payload = Bytes::from(vec![7; 8 * KIB]);
            publisher.send_more(stream, 1, payload.clone()).await;
            assert_eq!(good.object(&mut reader).await.payload, payload);
            publisher.finish(stream).await;
        }
        group += 1;
        let now = metrics(relay.http_addr().unwrap()).await;
        // An object is queued before the oldest group goes for it.
        assert!(now["queued_bytes"] <= (QUEUE + 16 * KIB) as f64, "{now:?}");
    }
    assert_eq!(relay.stats().sessions, 3);
}
