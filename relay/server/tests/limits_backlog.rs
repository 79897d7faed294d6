//! What waits inside the relay for one session has an end: updates that are not answered yet, streams
//! that are not over, and an answer to FETCH that nobody reads. A call beside it stays whole.

mod support;

use std::time::Duration;

use bytes::Bytes;
use parvis_quic::CloseReason;
use parvis_relay::{Config, Limit, Relay, Running};
use parvis_session::{Event, RequestKey};
use parvis_wire::{
    Draft::{self, D18, D22},
    FetchRange, FullTrackName, GroupId, Location, Parameters, Priority, RequestErrorCode,
    SessionErrorCode, TrackName, TrackNamespace,
};

use support::{Client, call::Call, config};

fn other(name: &'static str) -> FullTrackName {
    let namespace = TrackNamespace::new(["other"]).unwrap();
    FullTrackName::new(namespace, TrackName(name.into())).unwrap()
}

/// A publisher of a track beside the call, and one who subscribes to it.
async fn beside(relay: &Running, mut subscriber: Client) -> (Client, Client, [RequestKey; 2]) {
    let mut publisher = Client::connect(relay, D22).await;
    publisher
        .publish_namespace_of(other("x").namespace().clone())
        .await;
    let asked =
        subscriber.with(|session, now| session.subscribe(other("x"), Parameters::default(), now));
    let wanted = asked.await.unwrap();
    let served = publisher.serve().await;
    subscriber.accepted(wanted).await;
    (publisher, subscriber, [served, wanted])
}

/// Sends more updates of a subscription at once than may wait for their answers.
async fn updates_at_once(draft: Draft) -> (Running, Call, Client, RequestKey) {
    let relay = Relay::start(config(2)).unwrap();
    let mut call = Call::start(&relay).await;
    let mut attacker = Client::connect(&relay, draft).await;
    let wanted = attacker.subscribe("camera").await;
    attacker
        .with(move |session, now| {
            for number in 0..20 {
                let parameters = Parameters {
                    subscriber_priority: Some(Priority(number)),
                    ..Parameters::default()
                };
                session.update(wanted, parameters, now).unwrap();
            }
        })
        .await;
    call.goes_on().await;
    (relay, call, attacker, wanted)
}

#[tokio::test]
async fn updates_that_wait_in_draft_18() {
    let (relay, mut call, mut attacker, wanted) = updates_at_once(D18).await;
    let error = attacker
        .wait("refusal of an update", |event| match event {
            Event::UpdateRejected { key, error } if *key == wanted => Some(error.clone()),
            _ => None,
        })
        .await;
    assert_eq!(error.code, RequestErrorCode::ExcessiveLoad);
    assert!(relay.stats().limit(Limit::PendingUpdates) > 0);
    call.goes_on().await;
}

#[tokio::test]
async fn updates_that_wait_in_draft_22() {
    let (relay, mut call, mut attacker, _) = updates_at_once(D22).await;
    let reason = attacker.closed().await;
    let CloseReason::PeerClosed { code, .. } = reason else {
        panic!("not closed by the relay: {reason}");
    };
    assert_eq!(code, SessionErrorCode::TooManyRequestUpdates);
    assert_eq!(relay.stats().limit(Limit::PendingUpdates), 1);
    call.goes_on().await;
}

#[tokio::test]
async fn streams_that_are_not_over() {
    let relay = Relay::start(Config {
        queue_age: Duration::from_mins(1),
        ..config(2)
    })
    .unwrap();
    let mut call = Call::start(&relay).await;
    let deaf = Client::connect_with(&relay, D22, |options| {
        // One stream is the relay's control stream.
        options.limits.max_uni_streams = 2;
        options.events = 1;
    })
    .await;
    let (publisher, _deaf, [served, _]) = beside(&relay, deaf).await;
    for group in 0..1100 {
        let stream = publisher.send(served, group, &[b"x"]).await;
        publisher.finish(stream).await;
        if group % 100 == 0 {
            call.goes_on().await;
        }
    }
    while relay.stats().limit(Limit::SendStreams) == 0 {
        call.goes_on().await;
    }
    call.goes_on().await;
}

#[tokio::test]
async fn answers_to_fetch_that_nobody_reads() {
    let relay = Relay::start(config(2)).unwrap();
    let mut call = Call::start(&relay).await;
    let good = Client::connect(&relay, D22).await;
    let (publisher, mut good, [served, wanted]) = beside(&relay, good).await;
    let stream = publisher.send(served, 0, &[b"first"]).await;
    let mut reader = good.stream(wanted).await;
    good.object(&mut reader).await;
    for id in 1..=100 {
        let payload = Bytes::from(vec![id as u8; 60_000]);
        publisher.send_more(stream, id, payload).await;
        good.object(&mut reader).await;
        if id % 10 == 0 {
            call.goes_on().await;
        }
    }
    publisher.finish(stream).await;
    let deaf = Client::connect_narrow(&relay, D22).await;
    // Six megabytes each, of which thirty-two may wait.
    for _ in 0..8 {
        let range = FetchRange::Standalone {
            track: other("x"),
            start: Location::new(0, 0),
            end: (GroupId(0), None),
        };
        deaf.with(move |session, now| session.fetch(range, Parameters::default(), now))
            .await
            .unwrap();
        call.goes_on().await;
    }
    while relay.stats().limit(Limit::FetchBacklog) == 0 {
        call.goes_on().await;
    }
    call.goes_on().await;
}
