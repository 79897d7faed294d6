//! What waits inside the relay for one session has an end: updates that are not answered yet, streams
//! that are not over, and an answer to FETCH that nobody reads. A call beside it stays whole.

mod support;

use std::time::Duration;

use bytes::Bytes;
use bytesize::ByteSize;
use parvis_quic::{CloseReason, Limits};
use parvis_relay::{Config, Limit, Relay, Running};
use parvis_session::{DatagramOptions, DropReason, Event, RequestKey, Session, StreamEnd};
use parvis_wire::{
    Draft::{self, D18, D22},
    FullTrackName, Location, ObjectStatus, Parameters, Priority, Properties, RequestError,
    RequestErrorCode, SessionErrorCode, TrackName, TrackNamespace,
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
        deaf.fetch(other("x"), 0).await;
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
        deaf.fetch(other("x"), 0).await;
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
    let fetch = reader.fetch(other("x"), 0).await;
    // It knows of no objects in the gaps.
    let asked = publisher.fetch_of_the_relay().await;
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
    assert_eq!(reader.fetch_end(fetch).await, StreamEnd::Finished);
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
async fn datagrams_that_wait() {
    let config = Config {
        datagram_queue: ByteSize::kib(1),
        ..config(2)
    };
    let modest = Limits::default();
    datagrams_are_dropped(config, modest, DropReason::DatagramBytes).await;
}

#[tokio::test]
async fn datagrams_that_do_not_fit() {
    let modest = Limits {
        datagram_receive_buffer: 600,
        ..Limits::default()
    };
    datagrams_are_dropped(config(2), modest, DropReason::DatagramTooLarge).await;
}

/// Sends datagrams until one is dropped for that reason.
async fn datagrams_are_dropped(config: Config, subscriber: Limits, reason: DropReason) {
    let relay = Relay::start(config).unwrap();
    let mut call = Call::start(&relay).await;
    let subscriber = Client::connect_with(&relay, D22, |options| options.limits = subscriber);
    let subscriber = subscriber.await;
    let (publisher, _subscriber, [served, _]) = beside(&relay, subscriber).await;
    let mut next = 0;
    while relay.stats().drops.by_session(reason) == 0 {
        let send = move |session: &mut Session, now| {
            for object in next..next + 200 {
                let datagram = DatagramOptions {
                    location: Location::new(0, object),
                    priority: None,
                    end_of_group: false,
                    properties: Properties::EMPTY,
                    status: ObjectStatus::Normal,
                    payload: Bytes::from(vec![1; 900]),
                };
                // Refused once the relay has lost interest.
                let _ = session.send_datagram(served, datagram, now);
            }
        };
        publisher.with(send).await;
        next += 200;
        call.goes_on().await;
    }
    call.goes_on().await;
}
