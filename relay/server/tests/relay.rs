//! A relay and its clients over real QUIC on this machine.

mod support;

use std::time::Duration;

use bytes::Bytes;
use parvis_relay::Running;
use parvis_session::{EndReason, Event, IncomingRequest, RequestKey};
use parvis_wire::{
    Draft::{self, D18, D22},
    Location, LocationFilter, Parameters, Properties, Property, PropertyValue, PublishDoneCode,
    RequestErrorCode, TrackNamespace,
};

use support::{Client, payloads, relay, track};

/// A publisher and a subscriber of its track, with the publisher's and the subscriber's request.
async fn joined(relay: &Running, drafts: [Draft; 2]) -> (Client, Client, RequestKey, RequestKey) {
    let mut publisher = Client::connect(relay, drafts[0]).await;
    let mut subscriber = Client::connect(relay, drafts[1]).await;
    publisher.publish_namespace().await;
    let wanted = subscriber.ask_for("camera", Parameters::default()).await;
    let served = publisher.serve().await;
    subscriber.accepted(wanted).await;
    (publisher, subscriber, served, wanted)
}

#[tokio::test]
async fn objects_travel_between_all_drafts() {
    for drafts in [[D22, D22], [D18, D18], [D18, D22], [D22, D18]] {
        let relay = relay(1);
        let (publisher, mut subscriber, served, wanted) = joined(&relay, drafts).await;
        let stream = publisher
            .send(served, 7, &[b"key frame", b"", b"delta"])
            .await;
        publisher.finish(stream).await;

        let objects = subscriber.objects(wanted, 3).await;
        assert_eq!(
            payloads(&objects),
            [&b"key frame"[..], b"", b"delta"],
            "{drafts:?}"
        );
        assert_eq!(objects[2].location, Location::new(7, 2));
        let stats = relay.stats();
        assert_eq!(
            (stats.sessions, stats.objects_in, stats.objects_out),
            (2, 3, 3)
        );
        relay.shutdown(Duration::ZERO).unwrap();
    }
}

#[tokio::test]
async fn large_objects_travel_whole() {
    let relay = relay(1);
    let (publisher, mut subscriber, served, wanted) = joined(&relay, [D22, D22]).await;
    let frame: Bytes = (0..200_000u32).map(|i| (i % 251) as u8).collect();
    let stream = publisher.send(served, 0, &[b"small"]).await;
    publisher.send_more(stream, 1, frame.clone()).await;

    let objects = subscriber.objects(wanted, 2).await;
    assert_eq!(objects[1].payload, frame);
}

#[tokio::test]
async fn every_thread_serves_subscribers_of_one_publisher() {
    let relay = relay(3);
    let mut publisher = Client::connect(&relay, D22).await;
    publisher.publish_namespace().await;
    let mut subscribers = Vec::new();
    // The kernel chooses the thread.
    while relay
        .stats_by_thread()
        .iter()
        .any(|thread| thread.sessions == 0)
    {
        assert!(subscribers.len() < 64, "{:?}", relay.stats_by_thread());
        subscribers.push(Client::connect(&relay, D22).await);
    }
    let mut wanted = Vec::new();
    for subscriber in &mut subscribers {
        wanted.push(subscriber.ask_for("camera", Parameters::default()).await);
    }
    let served = publisher.serve().await;
    for (subscriber, wanted) in subscribers.iter_mut().zip(&wanted) {
        subscriber.accepted(*wanted).await;
    }
    let stream = publisher.send(served, 1, &[b"one", b"two"]).await;
    publisher.finish(stream).await;

    for (subscriber, wanted) in subscribers.iter_mut().zip(&wanted) {
        let objects = subscriber.objects(*wanted, 2).await;
        assert_eq!(payloads(&objects), [&b"one"[..], b"two"]);
    }
    let stats = relay.stats();
    assert_eq!(
        (stats.objects_in, stats.objects_out),
        (2, 2 * subscribers.len() as u64)
    );
    assert_eq!(stats.drops.between_threads(), 0);
}

#[tokio::test]
async fn a_late_subscriber_gets_the_group_under_way_and_one_upstream_subscription_serves_both() {
    let relay = relay(2);
    let (mut publisher, mut early, served, wanted) = joined(&relay, [D22, D22]).await;
    let stream = publisher.send(served, 3, &[b"a", b"b"]).await;
    early.objects(wanted, 2).await;

    let mut late = Client::connect(&relay, D18).await;
    let parameters = Parameters {
        filter: Some(LocationFilter::AbsoluteStart(Location::new(3, 0))),
        ..Parameters::default()
    };
    let wanted = late.ask_for("camera", parameters).await;
    late.accepted(wanted).await;
    publisher
        .send_more(stream, 2, Bytes::from_static(b"c"))
        .await;
    let objects = late.objects(wanted, 3).await;
    assert_eq!(payloads(&objects), [&b"a"[..], b"b", b"c"]);

    // A barrier: had there been a second SUBSCRIBE it would have come before this answer.
    publisher
        .publish_namespace_of(TrackNamespace::new(["parvis", "other"]).unwrap())
        .await;
    assert!(!publisher.has_seen(|event| matches!(
        event,
        Event::Request {
            request: IncomingRequest::Subscribe { .. },
            ..
        }
    )));
}

#[tokio::test]
async fn a_subscriber_hears_that_the_publisher_left() {
    let relay = relay(2);
    let (publisher, mut subscriber, served, wanted) = joined(&relay, [D22, D22]).await;
    let stream = publisher.send(served, 0, &[b"last"]).await;
    publisher.finish(stream).await;
    subscriber.objects(wanted, 1).await;
    publisher.close().await;

    let reason = subscriber.ended(wanted).await;
    assert!(
        matches!(
            reason,
            EndReason::PublishDone {
                code: PublishDoneCode::TrackEnded,
                ..
            }
        ) || matches!(
            reason,
            EndReason::PublishDone {
                code: PublishDoneCode::GoingAway,
                ..
            }
        ) || matches!(
            reason,
            EndReason::PublishDone {
                code: PublishDoneCode::InternalError,
                ..
            }
        ),
        "{reason:?}"
    );
}

#[tokio::test]
async fn the_publisher_hears_that_the_last_subscriber_left() {
    let relay = relay(1);
    let (mut publisher, subscriber, served, _) = joined(&relay, [D22, D18]).await;
    subscriber.close().await;
    publisher.ended(served).await;
}

#[tokio::test]
async fn a_track_that_nobody_publishes_is_refused() {
    let relay = relay(2);
    let mut subscriber = Client::connect(&relay, D22).await;
    let wanted = subscriber.ask_for("camera", Parameters::default()).await;
    let code = subscriber
        .wait("refusal", |event| match event {
            Event::Rejected { key, error } if *key == wanted => Some(error.code),
            _ => None,
        })
        .await;
    assert_eq!(code, RequestErrorCode::DoesNotExist);
}

#[tokio::test]
async fn a_published_track_is_offered_to_those_who_want_all_tracks() {
    let relay = relay(2);
    let mut subscriber = Client::connect(&relay, D22).await;
    subscriber.wants_all().await;
    let mut publisher = Client::connect(&relay, D18).await;
    let published = publisher.offer("chat").await;
    let offered = subscriber.takes_offer("chat").await;
    publisher.wanted(published).await;
    publisher.send(published, 0, &[b"hello"]).await;
    let objects = subscriber.objects(offered, 1).await;
    assert_eq!(payloads(&objects), [b"hello"]);
}

#[tokio::test]
async fn namespaces_are_told_across_threads() {
    let relay = relay(3);
    let mut watchers = Vec::new();
    for draft in [D22, D18, D22, D18] {
        let mut watcher = Client::connect(&relay, draft).await;
        let prefix = TrackNamespace::new(["parvis"]).unwrap();
        let key = watcher
            .with(move |session, now| {
                session.subscribe_namespace(prefix, Parameters::default(), now)
            })
            .await
            .unwrap();
        watcher.accepted(key).await;
        watchers.push(watcher);
    }
    let mut publisher = Client::connect(&relay, D22).await;
    publisher.publish_namespace().await;

    let suffix = TrackNamespace::new(["room", "alice"]).unwrap();
    for watcher in &mut watchers {
        watcher
            .wait("NAMESPACE", |event| match event {
                Event::Namespace { suffix: told, .. } if *told == suffix => Some(()),
                _ => None,
            })
            .await;
    }
    publisher.close().await;
    for watcher in &mut watchers {
        watcher
            .wait("NAMESPACE_DONE", |event| match event {
                Event::NamespaceDone { suffix: told, .. } if *told == suffix => Some(()),
                _ => None,
            })
            .await;
    }
}

#[tokio::test]
async fn a_publisher_of_each_draft_is_asked_for_a_new_group() {
    for draft in Draft::ALL {
        let relay = relay(1);
        let mut publisher = Client::connect(&relay, draft).await;
        let dynamic_groups = Properties::encode(vec![Property {
            kind: 0x30,
            value: PropertyValue::Integer(1),
        }]);
        let offer = publisher.with(move |session, now| {
            session.publish(track("camera"), Parameters::default(), dynamic_groups, now)
        });
        let offered = offer.await.unwrap();
        publisher.accepted(offered).await;
        let mut subscriber = Client::connect(&relay, D22).await;
        let asks = Parameters {
            new_group_request: Some(0),
            ..Parameters::default()
        };
        let wanted = subscriber.ask_for("camera", asks).await;
        subscriber.accepted(wanted).await;
        loop {
            let asked = publisher
                .wait("an update", |event| match event {
                    Event::Updated {
                        key, parameters, ..
                    } if *key == offered => Some(parameters.new_group_request),
                    _ => None,
                })
                .await;
            let answer = publisher.with(move |session, now| {
                session.accept_update(offered, Parameters::default(), now)
            });
            answer.await.unwrap();
            if asked == Some(0) {
                break;
            }
        }
    }
}
