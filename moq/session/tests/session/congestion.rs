//! What happens when the network is slower than the publisher.

use std::time::Duration;

use bytes::Bytes;
use parvis_session::{
    Config, DropReason, EndReason, Event, Limits, Role, SendLimits, SendRefused, StreamEnd,
};
use parvis_simnet::LinkOptions;
use parvis_wire::{Draft, Parameters, Priority, ResetCode};

use crate::{
    pair::Pair,
    support::{MS, Received, group, header, open, received, subscribe},
};

fn priority(priority: u8) -> Parameters {
    Parameters {
        subscriber_priority: Some(Priority(priority)),
        ..Parameters::default()
    }
}

/// A pair whose server may have `window` bytes in flight.
fn congested(draft: Draft, send: SendLimits, window: usize) -> Pair {
    let limits = Limits {
        send,
        ..Limits::default()
    };
    let client = Config {
        draft,
        ..Config::default()
    };
    let server = Config {
        role: Role::Server,
        draft,
        limits,
        ..Config::default()
    };
    let options = LinkOptions {
        delay: 10 * MS,
        ..LinkOptions::default()
    };
    let mut pair = Pair::with(client, server, options, 3);
    pair.run(30 * MS);
    pair.client.events();
    pair.server.events();
    pair.server.window = Some(window);
    pair
}

fn object(pair: &mut Pair, stream: parvis_session::StreamId, id: u64, len: usize) -> bool {
    let now = pair.now;
    let payload = Bytes::from(vec![id as u8; len]);
    let written = pair
        .server
        .session
        .write_object(stream, &header(id, &payload), payload, now);
    pair.settle();
    match written {
        Ok(()) => true,
        Err(SendRefused::StreamGone(_)) => false,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn the_most_important_is_delivered_first() {
    for draft in Draft::ALL {
        let mut pair = congested(draft, SendLimits::default(), usize::MAX);
        let keys = [50, 10, 30].map(|p| {
            let name = ["b", "a", "c"][usize::from(p) / 20];
            subscribe(&mut pair, name, priority(p))
        });
        let streams = keys.map(|key| open(&mut pair, key, &group(0)));
        pair.run(50 * MS);
        pair.client.events();
        pair.server.window = Some(0);
        for stream in streams {
            object(&mut pair, stream, 0, 5000);
        }
        pair.run(50 * MS);
        assert_eq!(pair.client.events(), []);
        // The transport wakes the streams in its own order.
        let now = pair.now;
        pair.server.unblock(now);
        pair.run(50 * MS);
        let firsts: Vec<_> = pair
            .client
            .events()
            .into_iter()
            .filter_map(|event| match event {
                Event::Object { stream, .. } => Some(stream),
                _ => None,
            })
            .collect();
        assert_eq!(firsts, [streams[1], streams[2], streams[0]]);
    }
}

#[test]
fn a_slow_link_costs_video_and_no_audio() {
    // 1000 bytes each 10 ms get through; audio takes 100 of each, video wants 1500.
    let mut pair = congested(Draft::D22, SendLimits::default(), 2000);
    let audio = subscribe(&mut pair, "audio", priority(1));
    let video = subscribe(&mut pair, "video", priority(100));
    let mut video_stream = open(&mut pair, video, &group(0));
    let mut video_id = 0;
    let mut events = Vec::new();
    for tick in 0..1000 {
        let stream = open(&mut pair, audio, &group(tick));
        assert!(object(&mut pair, stream, 0, 100), "audio is never dropped");
        let now = pair.now;
        pair.server
            .session
            .finish_subgroup(stream, now)
            .expect("audio is never dropped");
        if tick % 100 == 99 {
            let now = pair.now;
            let _ = pair.server.session.finish_subgroup(video_stream, now);
            video_stream = open(&mut pair, video, &group(tick));
            video_id = 0;
        }
        object(&mut pair, video_stream, video_id, 3000);
        video_id += 1;
        let now = pair.now;
        pair.server.grant(1000, 3000, now);
        pair.run(10 * MS);
        events.extend(pair.client.events());
        assert!(pair.server.session.total_queued_bytes() <= 1 << 20);
    }
    let streams = received(&events);
    let whole = |stream: &&Received| {
        stream.key == audio && stream.objects.len() == 1 && stream.end == Some(StreamEnd::Finished)
    };
    // The last ones are on their way.
    assert!(streams.iter().filter(whole).count() >= 995);
    let drops = *pair.server.session.drops();
    assert!(drops.drops(DropReason::QueueAge) + drops.drops(DropReason::SubscriptionBytes) > 0);
    let told = pair
        .server
        .events()
        .iter()
        .filter(|e| matches!(e, Event::Dropped(_)))
        .count();
    let counted: u64 = DropReason::ALL
        .iter()
        .map(|reason| drops.drops(*reason))
        .sum();
    assert_eq!(told as u64, counted);
}

#[test]
fn late_objects_are_reset_with_delivery_timeout() {
    for draft in Draft::ALL {
        let mut pair = congested(draft, SendLimits::default(), usize::MAX);
        let timeout = Parameters {
            object_delivery_timeout: Some(400),
            ..Parameters::default()
        };
        let key = subscribe(&mut pair, "a", timeout);
        let stream = open(&mut pair, key, &group(0));
        object(&mut pair, stream, 0, 10);
        pair.run(20 * MS);
        pair.client.events();
        pair.server.window = Some(0);
        object(&mut pair, stream, 1, 10);
        pair.run(399 * MS);
        assert_eq!(pair.server.events(), []);
        pair.run(MS);
        let events = pair.server.events();
        let [Event::Dropped(dropped)] = events.as_slice() else {
            panic!("{events:?}")
        };
        assert_eq!(dropped.reason, DropReason::ObjectTimeout);
        assert_eq!((dropped.key, dropped.stream), (Some(key), Some(stream)));
        pair.run(20 * MS);
        let end = StreamEnd::Reset(ResetCode::DeliveryTimeout.to_u64());
        assert_eq!(pair.client.events(), [Event::SubgroupEnd { stream, end }]);
    }
}

#[test]
fn a_subscriber_too_far_behind_is_told_so() {
    let send = SendLimits {
        subscription_bytes: 1000,
        ..SendLimits::default()
    };
    let mut pair = congested(Draft::D22, send, usize::MAX);
    let key = subscribe(&mut pair, "a", Parameters::default());
    // Requests still pass: they are not bounded by this window.
    pair.server.window = Some(0);
    let mut ended = false;
    for second in 0..8 {
        let now = pair.now;
        let opened = pair.server.session.open_subgroup(key, &group(second), now);
        let Ok(stream) = opened else {
            ended = true;
            break;
        };
        object(&mut pair, stream, 0, 2000);
        pair.run(Duration::from_secs(1));
    }
    assert!(ended);
    let events = pair.server.events();
    let reason = EndReason::TooFarBehind;
    assert!(events.contains(&Event::Ended { key, reason }), "{events:?}");
    let now = pair.now;
    pair.server.unblock(now);
    pair.run(Duration::from_secs(3));
    let events = pair.client.events();
    let Some(Event::Ended {
        reason: EndReason::PublishDone { code, .. },
        ..
    }) = events.last()
    else {
        panic!("{events:?}")
    };
    assert_eq!(*code, parvis_wire::PublishDoneCode::TooFarBehind);
    assert_eq!(pair.server.session.open_requests(), (0, 0));
}

#[test]
fn a_lossy_link_delivers_every_object_in_order() {
    for seed in 0..20 {
        let options = LinkOptions {
            delay: 20 * MS,
            jitter: 30 * MS,
            reorder: true,
            loss: 0.2,
            ..LinkOptions::default()
        };
        let server = Config {
            role: Role::Server,
            ..Config::default()
        };
        let mut pair = Pair::with(Config::default(), server, options, seed);
        pair.run(Duration::from_secs(2));
        let now = pair.now;
        let key = pair
            .client
            .session
            .subscribe(crate::support::track("a"), priority(1), now);
        let key = key.expect("it subscribes");
        pair.run(Duration::from_secs(2));
        let now = pair.now;
        let (parameters, properties) = Default::default();
        pair.server
            .session
            .accept_subscribe(key, parameters, properties, now)
            .expect("it asks");
        let mut expected = Vec::new();
        for number in 0..10 {
            let stream = open(&mut pair, key, &group(number));
            let mut objects = Vec::new();
            for id in 0..5 {
                object(&mut pair, stream, id, 200);
                objects.push((id, vec![id as u8; 200]));
                pair.run(5 * MS);
            }
            let now = pair.now;
            pair.server
                .session
                .finish_subgroup(stream, now)
                .expect("it ends");
            expected.push((number, objects));
        }
        pair.run(Duration::from_secs(2));
        let mut streams: Vec<_> = received(&pair.client.events())
            .into_iter()
            .map(|stream| {
                assert_eq!(stream.end, Some(StreamEnd::Finished), "seed {seed}");
                (stream.group, stream.objects)
            })
            .collect();
        streams.sort_unstable();
        assert_eq!(streams, expected, "seed {seed}");
    }
}
