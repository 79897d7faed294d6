//! Objects on subgroup streams and in datagrams.

use bytes::Bytes;
use parvis_session::{DatagramOptions, EndReason, Event, SendRefused, StreamEnd, SubgroupOptions};
use parvis_wire::{
    Draft, Location, ObjectStatus, Parameters, Priority, Properties, PublishDoneCode, ResetCode,
    SubgroupId, SubgroupIdMode,
};

use crate::{
    pair::Pair,
    support::{MS, Received, finish, group, header, open, received, subscribe, write},
};

#[test]
fn objects_come_in_order_and_end_with_the_stream() {
    for draft in Draft::ALL {
        let mut pair = Pair::established(draft);
        let key = subscribe(&mut pair, "a", Parameters::default());
        let stream = open(&mut pair, key, &group(3));
        write(&mut pair, stream, 0, b"one");
        write(&mut pair, stream, 1, b"");
        write(&mut pair, stream, 5, &[7; 3000]);
        finish(&mut pair, stream);
        pair.run(20 * MS);
        let objects = vec![(0, b"one".to_vec()), (1, Vec::new()), (5, vec![7; 3000])];
        let expected = Received {
            key,
            group: 3,
            objects,
            end: Some(StreamEnd::Finished),
        };
        assert_eq!(received(&pair.client.events()), [expected]);
        assert_eq!(pair.server.events(), []);
    }
}

#[test]
fn several_objects_in_one_chunk_share_its_bytes() {
    let mut pair = Pair::established(Draft::D22);
    let key = subscribe(&mut pair, "a", Parameters::default());
    let stream = open(&mut pair, key, &group(0));
    let now = pair.now;
    let mut bytes = Vec::new();
    for id in 0..3 {
        let previous = (id > 0).then(|| parvis_wire::ObjectId(id - 1));
        header(id, b"abcd")
            .encode(previous, false, &mut bytes)
            .expect("a header encodes");
        bytes.extend_from_slice(b"abcd");
    }
    let len = bytes.len();
    pair.server
        .session
        .write_raw(stream, bytes.into(), now)
        .expect("the stream takes bytes");
    pair.run(20 * MS);
    let raws: Vec<Bytes> = pair
        .client
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Event::Object { raw, .. } => Some(raw),
            _ => None,
        })
        .collect();
    assert_eq!(raws.len(), 3);
    assert_eq!(raws.iter().map(Bytes::len).sum::<usize>(), len);
    assert!(
        raws.windows(2)
            .all(|pair| pair[0].as_ptr_range().end == pair[1].as_ptr())
    );
}

#[test]
fn the_header_says_what_the_publisher_said() {
    let mut pair = Pair::established(Draft::D18);
    let key = subscribe(&mut pair, "a", Parameters::default());
    let options = SubgroupOptions {
        subgroup: SubgroupIdMode::Explicit(SubgroupId(9)),
        priority: Some(Priority(3)),
        end_of_group: true,
        first_object: false,
        ..group(70_000)
    };
    open(&mut pair, key, &options);
    pair.run(20 * MS);
    let events = pair.client.events();
    let [Event::Subgroup { header, .. }] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert_eq!(header.subgroup, options.subgroup);
    assert_eq!(header.priority, options.priority);
    assert_eq!(header.group, options.group);
    assert!(header.end_of_group && !header.first_object && !header.has_properties);
}

#[test]
fn a_reset_stream_ends_for_the_subscriber() {
    let mut pair = Pair::established(Draft::D22);
    let key = subscribe(&mut pair, "a", Parameters::default());
    let stream = open(&mut pair, key, &group(0));
    write(&mut pair, stream, 0, b"one");
    pair.run(20 * MS);
    let now = pair.now;
    let session = &mut pair.server.session;
    session
        .reset_subgroup(stream, ResetCode::InternalError, now)
        .expect("it resets");
    let again = session.write_raw(stream, Bytes::from_static(b"x"), now);
    assert_eq!(again, Err(SendRefused::StreamGone(stream)));
    pair.run(20 * MS);
    let objects = vec![(0, b"one".to_vec())];
    let expected = Received {
        key,
        group: 0,
        objects,
        end: Some(StreamEnd::Reset(0)),
    };
    assert_eq!(received(&pair.client.events()), [expected]);
}

#[test]
fn a_stopped_stream_takes_no_more() {
    let mut pair = Pair::established(Draft::D22);
    let key = subscribe(&mut pair, "a", Parameters::default());
    let stream = open(&mut pair, key, &group(0));
    write(&mut pair, stream, 0, b"one");
    pair.run(20 * MS);
    pair.client.events();
    let now = pair.now;
    pair.client
        .session
        .stop_stream(stream, ResetCode::Cancelled, now);
    pair.run(20 * MS);
    let code = ResetCode::Cancelled.to_u64();
    assert!(
        pair.server
            .events()
            .contains(&Event::StreamStopped { stream, code })
    );
    let now = pair.now;
    let refused = pair
        .server
        .session
        .write_raw(stream, Bytes::from_static(b"x"), now);
    assert_eq!(refused, Err(SendRefused::StreamGone(stream)));
    // Another group is not affected.
    let stream = open(&mut pair, key, &group(1));
    write(&mut pair, stream, 0, b"two");
    pair.run(20 * MS);
    assert_eq!(
        received(&pair.client.events())[0].objects,
        [(0, b"two".to_vec())]
    );
}

#[test]
fn a_datagram_brings_one_object() {
    for draft in Draft::ALL {
        let mut pair = Pair::established(draft);
        let key = subscribe(&mut pair, "a", Parameters::default());
        let options = DatagramOptions {
            location: Location::new(4, 2),
            priority: Some(Priority(7)),
            end_of_group: false,
            properties: Properties::EMPTY,
            status: ObjectStatus::Normal,
            payload: Bytes::from_static(b"sound"),
        };
        let now = pair.now;
        pair.server
            .session
            .send_datagram(key, options, now)
            .expect("it sends");
        pair.run(20 * MS);
        let events = pair.client.events();
        let [
            Event::Datagram {
                key: theirs,
                datagram,
                ..
            },
        ] = events.as_slice()
        else {
            panic!("{events:?}")
        };
        assert_eq!(*theirs, key);
        assert_eq!(datagram.location, Location::new(4, 2));
        assert_eq!(datagram.priority, Some(Priority(7)));
        assert_eq!(datagram.payload, "sound");
    }
}

#[test]
fn publish_done_comes_after_every_stream() {
    for draft in Draft::ALL {
        let mut pair = Pair::established(draft);
        let key = subscribe(&mut pair, "a", Parameters::default());
        let whole = open(&mut pair, key, &group(0));
        write(&mut pair, whole, 0, b"one");
        finish(&mut pair, whole);
        let cut = open(&mut pair, key, &group(1));
        write(&mut pair, cut, 0, b"two");
        pair.run(20 * MS);
        let now = pair.now;
        let session = &mut pair.server.session;
        session
            .publish_done(key, PublishDoneCode::TrackEnded, "over", now)
            .expect("it ends");
        let late = session.open_subgroup(key, &group(2), now);
        assert_eq!(late, Err(SendRefused::NotPublished(key)));
        pair.run(20 * MS);
        let events = pair.client.events();
        let streams = received(&events);
        assert_eq!(streams[0].end, Some(StreamEnd::Finished));
        assert_eq!(
            streams[1].end,
            Some(StreamEnd::Reset(ResetCode::Cancelled.to_u64()))
        );
        let code = PublishDoneCode::TrackEnded;
        let reason = EndReason::PublishDone {
            code,
            reason: "over".into(),
        };
        assert_eq!(events.last(), Some(&Event::Ended { key, reason }));
        assert_eq!(pair.client.session.open_requests(), (0, 0));
        assert_eq!(pair.server.session.open_requests(), (0, 0));
    }
}

#[test]
fn a_subscriber_that_is_no_longer_authorized_gets_nothing_more() {
    for draft in Draft::ALL {
        let mut pair = Pair::established(draft);
        let key = subscribe(&mut pair, "a", Parameters::default());
        pair.server.window = Some(0);
        let whole = open(&mut pair, key, &group(0));
        write(&mut pair, whole, 0, b"one");
        finish(&mut pair, whole);
        pair.settle();
        let now = pair.now;
        let session = &mut pair.server.session;
        session
            .publish_done(key, PublishDoneCode::Unauthorized, "removed", now)
            .expect("it ends");
        let now = pair.now;
        pair.server.unblock(now);
        // A stream that was reset before it said whose it is is waited for.
        pair.run(3000 * MS);
        let events = pair.client.events();
        let got = |stream: &Received| stream.objects.is_empty();
        assert!(received(&events).iter().all(got), "{events:?}");
        let code = PublishDoneCode::Unauthorized;
        let reason = EndReason::PublishDone {
            code,
            reason: "removed".into(),
        };
        assert_eq!(events.last(), Some(&Event::Ended { key, reason }));
    }
}
