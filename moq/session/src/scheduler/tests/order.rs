use super::*;

#[test]
fn nothing_blocked_goes_straight_in_the_order_of_calls() {
    let mut h = Harness::new(SendLimits::default());
    let (low, high) = (h.subscriber(200), h.subscriber(1));
    let (low, high) = (h.open(low, 0, 0, 0), h.open(high, 0, 0, 0));
    h.drain();
    for stream in [low, high, low] {
        h.write(stream, 10).expect("it takes data");
    }
    assert_eq!(h.scheduler.queued(), 0);
    assert_eq!(h.written(), [low, high, low]);
}

#[test]
fn what_waits_goes_by_subscriber_publisher_group_and_subgroup() {
    let mut h = Harness::new(SendLimits::default());
    h.block();
    let (first, second) = (h.subscriber(10), h.subscriber(20));
    let expected = [
        h.open(first, 7, 0, 3),
        h.open(first, 7, 1, 3),
        h.open(first, 8, 0, 3),
        h.open(first, 1, 0, 4),
        h.open(second, 0, 0, 0),
        h.open(second, 0, 0, 9),
    ];
    h.drain();
    for stream in expected.iter().rev() {
        h.write(*stream, 10).expect("it takes data");
    }
    assert_eq!(h.written(), expected);
}

#[test]
fn descending_order_sends_the_newest_group_first() {
    let mut h = Harness::new(SendLimits::default());
    h.block();
    let options = FlowOptions {
        group_order: GroupOrder::Descending,
        ..FlowOptions::default()
    };
    let key = h.flow(options);
    let streams: Vec<StreamId> = (0..20).map(|group| h.open(key, group, 0, 0)).collect();
    h.drain();
    for stream in &streams {
        h.write(*stream, 10).expect("it takes data");
    }
    let newest_first: Vec<StreamId> = streams.into_iter().rev().collect();
    assert_eq!(h.written(), newest_first);
}

#[test]
fn equals_take_turns() {
    let mut h = Harness::new(SendLimits::default());
    h.block();
    // Group numbers of different tracks do not compare.
    let (one, other) = (h.subscriber(10), h.subscriber(10));
    let (one, other) = (h.open(one, 0, 0, 0), h.open(other, 1_000_000, 0, 0));
    h.drain();
    for stream in [one, one, other, other] {
        h.write(stream, 10).expect("it takes data");
    }
    assert_eq!(h.written(), [one, other, one, other]);
}

#[test]
fn control_goes_before_requests_before_data() {
    let mut h = Harness::new(SendLimits::default());
    let control = h.scheduler.open_control();
    let request = h.scheduler.open_request();
    let key = h.subscriber(0);
    let data = h.open(key, 0, 0, 0);
    h.write(data, 1).expect("it takes data");
    h.drain();
    for stream in [data, request, control] {
        h.scheduler.blocked(stream, Bytes::from_static(b"x"), h.now);
    }
    assert_eq!(h.written(), []);
    // The transport wakes the least urgent one; the others are tried before it.
    h.scheduler.writable(data);
    assert_eq!(h.written(), [control, request, data]);
}

#[test]
fn bytes_of_a_stream_keep_their_order_when_it_blocks() {
    let mut h = Harness::new(SendLimits::default());
    let key = h.subscriber(0);
    let stream = h.open(key, 0, 0, 0);
    let opening = h.drain();
    assert!(
        matches!(opening.as_slice(), [Transmit::Open { .. }]),
        "{opening:?}"
    );
    let now = h.now;
    let pieces: [&[u8]; 3] = [&[1; 300], &[2; 300], &[3; 300]];
    for data in pieces {
        h.scheduler
            .write(stream, Bytes::from_static(data), now)
            .expect("it takes data");
    }
    h.scheduler.finish(stream, now).expect("it ends");
    assert_eq!(h.scheduler.poll(now), Some(write(stream, pieces[0])));
    h.scheduler
        .blocked(stream, Bytes::from_static(&pieces[0][299..]), now);
    assert_eq!(h.drain(), []);
    assert_eq!(h.scheduler.flow_queued(key), 601);
    h.scheduler.writable(stream);
    let rest = [
        write(stream, &pieces[0][299..]),
        write(stream, pieces[1]),
        write(stream, pieces[2]),
        Transmit::Finish { id: stream },
    ];
    assert_eq!(h.drain(), rest);
    assert_eq!(h.scheduler.queued(), 0);
}

#[test]
fn a_header_and_a_small_object_are_handed_over_as_one() {
    let mut h = Harness::new(SendLimits::default());
    let key = h.subscriber(0);
    let (one, other) = (h.open(key, 0, 0, 0), h.open(key, 1, 0, 0));
    h.drain();
    let now = h.now;
    for (stream, data) in [(one, &b"head"[..]), (one, b"object"), (other, b"next")] {
        h.scheduler
            .write(stream, Bytes::from_static(data), now)
            .expect("it takes data");
    }
    assert_eq!(
        h.drain(),
        [write(one, b"headobject"), write(other, b"next")]
    );
}

#[test]
fn the_end_of_a_request_waits_behind_its_bytes() {
    let mut h = Harness::new(SendLimits::default());
    let request = h.scheduler.open_request();
    h.drain();
    h.scheduler
        .write_control(request, Bytes::from_static(b"done"), h.now);
    h.scheduler.finish(request, h.now).expect("it ends");
    assert_eq!(h.scheduler.poll(h.now), Some(write(request, b"done")));
    h.scheduler
        .blocked(request, Bytes::from_static(b"ne"), h.now);
    assert_eq!(h.drain(), []);
    h.scheduler.writable(request);
    assert_eq!(
        h.drain(),
        [write(request, b"ne"), Transmit::Finish { id: request }]
    );
}

#[test]
fn a_change_of_priority_reaches_the_transport_and_what_waits() {
    let mut h = Harness::new(SendLimits::default());
    h.block();
    let (one, other) = (h.subscriber(10), h.subscriber(20));
    let (first, second) = (h.open(one, 0, 0, 0), h.open(other, 0, 0, 0));
    h.drain();
    h.write(first, 10).expect("it takes data");
    h.write(second, 10).expect("it takes data");
    let options = FlowOptions {
        subscriber_priority: Priority(5),
        ..FlowOptions::default()
    };
    h.scheduler.set_flow_options(other, options);
    let order = SendOrder::data(Priority(5), Priority(0), 0, 0);
    let priority = order.transport_priority();
    assert_eq!(
        h.scheduler.poll(h.now),
        Some(Transmit::SetPriority {
            id: second,
            priority
        })
    );
    assert_eq!(h.written(), [second, first]);
}

#[test]
fn transport_priorities_follow_the_order() {
    let data = |s, p, g, sg| SendOrder::data(Priority(s), Priority(p), g, sg);
    let ascending = [
        data(255, 255, u64::MAX, u64::MAX),
        data(255, 255, 0, 0),
        data(1, 0, 0, 0),
        data(0, 255, 1023, 31),
        data(0, 0, 2, 0),
        data(0, 0, 1, 5),
        data(0, 0, 1, 4),
        data(0, 0, 0, 0),
        SendOrder::REQUEST,
        SendOrder::CONTROL,
    ];
    for pair in ascending.windows(2) {
        assert!(pair[0] > pair[1]);
        assert!(
            pair[0].transport_priority() < pair[1].transport_priority(),
            "{pair:?}"
        );
    }
}

#[test]
fn distances_follow_the_oldest_open_group() {
    let mut h = Harness::new(SendLimits::default());
    h.scheduler.credit(0, u64::MAX);
    let key = h.subscriber(10);
    let mut open = std::collections::VecDeque::new();
    for group in 0..5000 {
        let stream = h.open(key, group, 0, 0);
        h.scheduler.finish(stream, h.now).expect("it ends");
        open.push_back(stream);
        let last = SendOrder::data(Priority(10), Priority(0), 9, 0).transport_priority();
        for transmit in h.drain() {
            match transmit {
                Transmit::Open { priority, .. } | Transmit::SetPriority { priority, .. } => {
                    assert!(
                        priority >= last,
                        "group {group} is far from the oldest open one"
                    );
                }
                _ => {}
            }
        }
        if open.len() > 5 {
            h.scheduler
                .acknowledged(open.pop_front().expect("one is open"));
        }
    }
}
