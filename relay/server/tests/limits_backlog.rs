//! What waits inside the relay for one session has an end: updates that are not answered yet, streams
//! that are not over, and an answer to FETCH that nobody reads. A call beside it stays whole.

mod support;

use std::time::Duration;

use bytes::Bytes;
use bytesize::ByteSize;
use parvis_quic::CloseReason;
use parvis_relay::{Config, Limit, Relay, Running};
use parvis_session::{DatagramOptions, DropReason, Event, IncomingRequest, RequestKey};
use parvis_wire::{
    Draft::{self, D18, D22},
    FetchRange, FullTrackName, GroupId, Location, ObjectStatus, Parameters, Priority, Properties,
    RequestError, RequestErrorCode, SessionErrorCode, TrackName, TrackNamespace,
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

/// A group of many small objects, every so many-th id, cached.
async fn many_small(relay: &Running, count: u64, step: u64) -> (Client, Client) {
    let good = Client::connect(relay, D18).await;
    let (publisher, mut good, [served, wanted]) = beside(relay, good).await;
    let stream = publisher.send(served, 0, &[b"first"]).await;
    let mut reader = good.stream(wanted).await;
    good.object(&mut reader).await;
    for id in 1..count {
        publisher
            .send_more(stream, step * id, Bytes::from_static(b"x"))
            .await;
        if id % 100 == 99 {
            good.object(&mut reader).await;
            for _ in 1..100.min(id) {
                good.object(&mut reader).await;
            }
        }
    }
    (publisher, good)
}

fn whole_group() -> FetchRange {
    FetchRange::Standalone {
        track: other("x"),
        start: Location::new(0, 0),
        end: (GroupId(0), None),
    }
}

#[tokio::test]
async fn answers_of_many_small_objects_that_nobody_reads() {
    let relay = Relay::start(Config {
        fetch_queue: ByteSize::mib(1),
        session_queue: ByteSize::kib(16),
        ..config(2)
    })
    .unwrap();
    let mut call = Call::start(&relay).await;
    let _members = many_small(&relay, 2000, 1).await;
    call.goes_on().await;
    let deaf = Client::connect_narrow(&relay, D22).await;
    // Of two thousand bytes each, but of far more memory.
    for _ in 0..10 {
        deaf.with(|session, now| session.fetch(whole_group(), Parameters::default(), now))
            .await
            .unwrap();
        call.goes_on().await;
    }
    while relay.stats().limit(Limit::FetchBacklog) == 0 {
        call.goes_on().await;
    }
    call.goes_on().await;
}

#[tokio::test]
async fn a_long_past_that_is_full_of_gaps() {
    let relay = Relay::start(config(2)).unwrap();
    let mut call = Call::start(&relay).await;
    let (mut publisher, mut reader) = many_small(&relay, 4000, 2).await;
    let fetch = reader
        .with(|session, now| session.fetch(whole_group(), Parameters::default(), now))
        .await
        .unwrap();
    // It knows of no objects in the gaps.
    let asked = publisher
        .wait("FETCH", |event| match event {
            Event::Request {
                key,
                request: IncomingRequest::Fetch { .. },
            } => Some(*key),
            _ => None,
        })
        .await;
    let error = RequestError {
        code: RequestErrorCode::NotSupported,
        retry_interval: 0,
        reason: String::new(),
        redirect: None,
    };
    publisher
        .with(move |session, now| session.reject(asked, error, now).unwrap())
        .await;
    call.goes_on().await;
    let is_end = |event: &Event| matches!(event, Event::FetchEnd { key, .. } if *key == fetch);
    reader
        .wait("the end", |event| is_end(event).then_some(()))
        .await;
    call.goes_on().await;
}

#[tokio::test]
async fn bytes_that_are_not_acknowledged() {
    let relay = Relay::start(Config {
        send_window: ByteSize::kib(64),
        session_queue: ByteSize::kib(256),
        ..config(2)
    })
    .unwrap();
    let mut call = Call::start(&relay).await;
    let deaf = Client::connect_narrow(&relay, D22).await;
    let (publisher, _deaf, [served, _]) = beside(&relay, deaf).await;
    for group in 0..20 {
        let stream = publisher.send(served, group, &[b"x"]).await;
        publisher
            .try_send_more(stream, 1, Bytes::from(vec![0; 60_000]))
            .await;
        call.goes_on().await;
    }
    // Beyond both, the oldest groups go.
    let dropped = || relay.stats().drops.by_session(DropReason::SessionBytes);
    while dropped() == 0 {
        call.goes_on().await;
    }
    call.goes_on().await;
}

#[tokio::test]
async fn datagrams_that_wait_or_do_not_fit() {
    let relay = Relay::start(Config {
        datagram_queue: ByteSize::kib(1),
        ..config(2)
    })
    .unwrap();
    let mut call = Call::start(&relay).await;
    let modest = Client::connect(&relay, D22).await;
    let (publisher, _modest, [served, _]) = beside(&relay, modest).await;
    let sends = |first: u64, count: u64, size: usize| {
        publisher.with(move |session, now| {
            for object in first..first + count {
                let datagram = DatagramOptions {
                    location: Location::new(0, object),
                    priority: None,
                    end_of_group: false,
                    properties: Properties::EMPTY,
                    status: ObjectStatus::Normal,
                    payload: Bytes::from(vec![1; size]),
                };
                let _ = session.send_datagram(served, datagram, now);
            }
        })
    };
    let dropped = |reason| relay.stats().drops.by_session(reason);
    let mut next = 0;
    while dropped(DropReason::DatagramBytes) == 0 {
        sends(next, 200, 900).await;
        next += 200;
        call.goes_on().await;
    }
    call.goes_on().await;
}
