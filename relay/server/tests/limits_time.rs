//! What lasts for so long only: what a track keeps, and a session that is silent.

mod support;

use std::time::Duration;

use bytes::Bytes;
use bytesize::ByteSize;
use parvis_forwarding::DropReason;
use parvis_relay::{Config, Relay};
use parvis_wire::{Draft::D22, Parameters, TrackNamespace};

use support::{Client, call::Call, config};

#[tokio::test]
async fn a_track_keeps_so_much_and_for_so_long() {
    let relay = Relay::start(Config {
        track_cache: ByteSize::kib(128),
        cache_age: Duration::from_millis(500),
        ..config(1)
    })
    .unwrap();
    let mut call = Call::start(&relay).await;
    let mut publisher = Client::connect(&relay, D22).await;
    let flood = TrackNamespace::new(["flood"]).unwrap();
    publisher.publish_namespace_of(flood.clone()).await;
    let mut subscriber = Client::connect(&relay, D22).await;
    let name = parvis_wire::FullTrackName::new(flood, "big".into()).unwrap();
    let asked =
        subscriber.with(move |session, now| session.subscribe(name, Parameters::default(), now));
    let wanted = asked.await.unwrap();
    let served = publisher.serve().await;
    subscriber.accepted(wanted).await;
    for group in 0..8 {
        let stream = publisher.send(served, group, &[b"first"]).await;
        publisher
            .send_more(stream, 1, Bytes::from(vec![0; 70_000]))
            .await;
        publisher.finish(stream).await;
        subscriber.objects(wanted, 2).await;
        let kept = relay.stats().cache_bytes;
        assert!(kept <= 128 << 10, "{kept}");
    }
    let drops = |reason| relay.stats().drops.by_forwarding(reason);
    assert!(drops(DropReason::TrackCacheFull) > 0);
    while drops(DropReason::CacheAge) == 0 {
        call.goes_on().await;
    }
    // What the call sent last is still there.
    let mut late = Client::connect(&relay, D22).await;
    let wanted = late.subscribe("camera").await;
    assert_eq!(late.objects(wanted, 10).await[0].payload, "key");
    call.goes_on().await;
}

#[tokio::test]
async fn one_that_is_silent_has_to_go() {
    let relay = Relay::start(Config {
        idle_timeout: Duration::from_secs(1),
        ..config(2)
    })
    .unwrap();
    let mut call = Call::start(&relay).await;
    let mut silent = Client::connect_with(&relay, D22, |options| {
        options.limits.keep_alive = Duration::from_hours(1);
    })
    .await;
    while relay.stats().sessions == 3 {
        call.goes_on().await;
    }
    silent.closed().await;
    call.goes_on().await;
    assert_eq!(relay.stats().sessions, 2);
}
