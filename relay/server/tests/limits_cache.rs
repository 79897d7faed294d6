//! A flood of objects: the cache stays within its bounds, and a quiet catalog stays in it.

mod support;

use std::time::{Duration, Instant};

use bytes::Bytes;
use bytesize::ByteSize;
use parvis_forwarding::DropReason;
use parvis_relay::{Config, Relay};
use parvis_wire::{Draft::D22, FullTrackName, Parameters, TrackName, TrackNamespace};

use support::{Client, call::Call, config};

#[tokio::test]
async fn a_flood_of_tracks_does_not_push_a_catalog_out() {
    flood(3, 1).await;
}

#[tokio::test]
async fn a_flood_of_small_tracks_does_not_push_a_catalog_out() {
    flood(u64::MAX, 1).await;
}

#[tokio::test]
async fn nor_out_of_another_thread() {
    flood(u64::MAX, 2).await;
}

/// large: every so many-th track has a large group.
async fn flood(large: u64, threads: usize) {
    const CACHE: usize = 1 << 20;
    let relay = Relay::start(Config {
        cache: ByteSize::b((threads * CACHE) as u64),
        track_cache: ByteSize::kib(256),
        // One client after the other goes to another thread.
        fill: 1,
        ..config(threads)
    })
    .unwrap();
    let mut call = Call::start(&relay).await;
    // The group that is the call's last one now plays the catalog.
    call.goes_on().await;

    let mut attacker = Client::connect(&relay, D22).await;
    let mut watcher = Client::connect(&relay, D22).await;
    let namespace = TrackNamespace::new(["flood"]).unwrap();
    attacker.publish_namespace_of(namespace.clone()).await;
    for number in 0..60u64 {
        let name = TrackName(Bytes::from(number.to_string()));
        let name = FullTrackName::new(namespace.clone(), name).unwrap();
        let asked =
            watcher.with(move |session, now| session.subscribe(name, Parameters::default(), now));
        let wanted = asked.await.unwrap();
        let served = attacker.serve().await;
        watcher.accepted(wanted).await;
        // Small groups, as catalogs have, on most; a large one on some.
        let size = if number % large == large - 1 {
            100_000
        } else {
            20_000
        };
        let stream = attacker.send(served, 0, &[b"first"]).await;
        attacker
            .send_more(stream, 1, Bytes::from(vec![0; size]))
            .await;
        let mut reader = watcher.stream(wanted).await;
        watcher.object(&mut reader).await;
        watcher.object(&mut reader).await;
        let stats = relay.stats();
        assert!(stats.cache_bytes <= threads * CACHE, "{stats:?}");
    }
    assert!(relay.stats().drops.by_forwarding(DropReason::CacheFull) > 0);

    // On each thread.
    let mut late = Vec::new();
    for _ in 0..threads {
        late.push(Client::connect(&relay, D22).await);
    }
    for late in &mut late {
        let wanted = late.subscribe("camera").await;
        assert_eq!(late.objects(wanted, 10).await[0].payload, "key");
    }
    call.goes_on().await;
}

#[tokio::test]
async fn a_catalog_may_be_as_large_as_one_says() {
    for (most, stays) in [(ByteSize::kib(1), false), (ByteSize::kib(64), true)] {
        let relay = Relay::start(Config {
            max_catalog: most,
            cache_age: Duration::from_millis(200),
            ..config(2)
        })
        .unwrap();
        let mut call = Call::start(&relay).await;
        let mut publisher = Client::connect(&relay, D22).await;
        let mut watcher = Client::connect(&relay, D22).await;
        let namespace = TrackNamespace::new(["large"]).unwrap();
        publisher.publish_namespace_of(namespace.clone()).await;
        let name = FullTrackName::new(namespace, TrackName("catalog".into())).unwrap();
        let asked =
            watcher.with(move |session, now| session.subscribe(name, Parameters::default(), now));
        let wanted = asked.await.unwrap();
        let served = publisher.serve().await;
        watcher.accepted(wanted).await;
        let stream = publisher.send(served, 0, &[b"first"]).await;
        publisher
            .send_more(stream, 1, Bytes::from(vec![0; 10_000]))
            .await;
        let mut reader = watcher.stream(wanted).await;
        watcher.object(&mut reader).await;
        watcher.object(&mut reader).await;
        let before = relay.stats().cache_bytes;
        // Several times the age; the call's groups are small and stay either way.
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(1) {
            call.goes_on().await;
        }
        let gone = relay.stats().drops.by_forwarding(DropReason::CacheAge) > 0;
        assert_eq!(gone, !stays, "{most} {before}");
        call.goes_on().await;
    }
}
