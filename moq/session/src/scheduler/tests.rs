use std::time::{Duration, Instant};

use bytes::Bytes;
use parvis_wire::{GroupId, GroupOrder, Location, Priority, ResetCode};

use super::{FlowKind, FlowOptions, Note, SendOrder, SendScheduler};
use crate::{DropReason, Dropped, RequestKey, Role, SendLimits, SendRefused, StreamId, Transmit};

const MS: Duration = Duration::from_millis(1);

/// A scheduler whose transport takes nothing until it is told to.
struct Harness {
    scheduler: SendScheduler,
    now: Instant,
    next_key: u64,
}

impl Harness {
    fn new(limits: SendLimits) -> Self {
        let mut scheduler = SendScheduler::new(Role::Server, limits, 1000);
        scheduler.credit(1000, 1000);
        Self {
            scheduler,
            now: Instant::now(),
            next_key: 0,
        }
    }

    fn flow(&mut self, options: FlowOptions) -> RequestKey {
        self.next_key += 1;
        let key = RequestKey(StreamId::new(Role::Client, false, self.next_key));
        self.scheduler.add_flow(key, options);
        key
    }

    fn subscriber(&mut self, priority: u8) -> RequestKey {
        let subscriber_priority = Priority(priority);
        self.flow(FlowOptions {
            subscriber_priority,
            ..FlowOptions::default()
        })
    }

    fn open(&mut self, key: RequestKey, group: u64, subgroup: u64, publisher: u8) -> StreamId {
        let publisher = Some(Priority(publisher));
        self.scheduler
            .open_data(key, GroupId(group), subgroup, publisher)
            .expect("it opens")
    }

    fn write(&mut self, stream: StreamId, len: usize) -> Result<(), SendRefused> {
        self.scheduler
            .write(stream, Bytes::from(vec![0; len]), self.now)
    }

    fn drain(&mut self) -> Vec<Transmit> {
        std::iter::from_fn(|| self.scheduler.poll(self.now)).collect()
    }

    /// Blocks a stream of the lowest priority, so that everything else waits in order.
    fn block(&mut self) -> StreamId {
        let key = self.subscriber(255);
        let stream = self.open(key, 0, 0, 255);
        self.write(stream, 1).expect("it takes a byte");
        self.drain();
        self.scheduler
            .blocked(stream, Bytes::from_static(b"x"), self.now);
        stream
    }

    /// The streams written to, in order.
    fn written(&mut self) -> Vec<StreamId> {
        let writes = self
            .drain()
            .into_iter()
            .filter_map(|transmit| match transmit {
                Transmit::Write { id, .. } => Some(id),
                _ => None,
            });
        writes.collect()
    }

    fn notes(&mut self) -> Vec<Note> {
        std::iter::from_fn(|| self.scheduler.poll_note()).collect()
    }

    fn drops(&mut self) -> Vec<(Option<StreamId>, DropReason, usize)> {
        let drops = self.notes().into_iter().filter_map(|note| match note {
            Note::Dropped(Dropped {
                stream,
                reason,
                bytes,
                ..
            }) => Some((stream, reason, bytes)),
            _ => None,
        });
        drops.collect()
    }
}

fn write(id: StreamId, data: &'static [u8]) -> Transmit {
    Transmit::Write {
        id,
        data: Bytes::from_static(data),
    }
}

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
    for data in [&b"ab"[..], b"cd", b"ef"] {
        h.scheduler
            .write(stream, Bytes::from_static(data), now)
            .expect("it takes data");
    }
    h.scheduler.finish(stream, now).expect("it ends");
    assert_eq!(h.scheduler.poll(now), Some(write(stream, b"ab")));
    h.scheduler.blocked(stream, Bytes::from_static(b"b"), now);
    assert_eq!(h.drain(), []);
    assert_eq!(h.scheduler.flow_queued(key), 5);
    h.scheduler.writable(stream);
    let rest = [
        write(stream, b"b"),
        write(stream, b"cd"),
        write(stream, b"ef"),
        Transmit::Finish { id: stream },
    ];
    assert_eq!(h.drain(), rest);
    assert_eq!(h.scheduler.queued(), 0);
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

#[test]
fn an_object_that_waits_too_long_resets_its_stream() {
    let mut h = Harness::new(SendLimits::default());
    let blocked = h.block();
    let key = h.flow(FlowOptions {
        object_timeout: Some(400 * MS),
        ..FlowOptions::default()
    });
    let (late, fresh) = (h.open(key, 0, 0, 0), h.open(key, 1, 0, 0));
    h.drain();
    h.scheduler.blocked(late, Bytes::from_static(b"abc"), h.now);
    h.now += 100 * MS;
    h.scheduler.blocked(fresh, Bytes::from_static(b"de"), h.now);
    assert_eq!(h.scheduler.poll_timeout(), Some(h.now + 300 * MS));
    h.now += 300 * MS;
    h.scheduler.expire(h.now);
    let code = ResetCode::DeliveryTimeout.to_u64();
    assert_eq!(h.drain(), [Transmit::Reset { id: late, code }]);
    assert_eq!(h.drops(), [(Some(late), DropReason::ObjectTimeout, 3)]);
    assert_eq!(h.write(late, 1), Err(SendRefused::StreamGone(late)));
    h.scheduler.writable(blocked);
    assert_eq!(h.written(), [fresh, blocked]);
}

#[test]
fn a_late_object_is_not_handed_over_even_without_a_timer() {
    let mut h = Harness::new(SendLimits::default());
    h.block();
    let key = h.flow(FlowOptions {
        object_timeout: Some(400 * MS),
        ..FlowOptions::default()
    });
    let stream = h.open(key, 0, 0, 0);
    h.scheduler
        .blocked(stream, Bytes::from_static(b"abc"), h.now);
    h.drain();
    h.now += 400 * MS;
    h.scheduler.writable(stream);
    let code = ResetCode::DeliveryTimeout.to_u64();
    assert_eq!(h.drain(), [Transmit::Reset { id: stream, code }]);
}

#[test]
fn a_subgroup_must_be_acknowledged_in_time() {
    let mut h = Harness::new(SendLimits::default());
    let key = h.flow(FlowOptions {
        subgroup_timeout: Some(500 * MS),
        ..FlowOptions::default()
    });
    let (slow, quick) = (h.open(key, 0, 0, 0), h.open(key, 1, 0, 0));
    for stream in [slow, quick] {
        h.write(stream, 10).expect("it takes data");
        h.scheduler.finish(stream, h.now).expect("it ends");
    }
    h.drain();
    h.now += 499 * MS;
    h.scheduler.expire(h.now);
    h.scheduler.acknowledged(quick);
    assert_eq!((h.drain(), h.drops()), (vec![], vec![]));
    h.now += MS;
    h.scheduler.expire(h.now);
    let code = ResetCode::DeliveryTimeout.to_u64();
    assert_eq!(h.drain(), [Transmit::Reset { id: slow, code }]);
    assert_eq!(h.drops(), [(Some(slow), DropReason::SubgroupTimeout, 0)]);
    assert_eq!(h.scheduler.poll_timeout(), None);
}

#[test]
fn a_subscription_over_its_bytes_loses_its_oldest_group() {
    let mut h = Harness::new(SendLimits {
        subscription_bytes: 100,
        ..SendLimits::default()
    });
    h.block();
    let key = h.subscriber(10);
    let old = [h.open(key, 1, 0, 0), h.open(key, 1, 1, 0)];
    let new = h.open(key, 2, 0, 0);
    h.drain();
    for stream in [old[0], old[1], new] {
        h.write(stream, 30).expect("it takes data");
    }
    assert_eq!(h.drops(), []);
    h.write(new, 30).expect("the newest group stays");
    let reason = DropReason::SubscriptionBytes;
    assert_eq!(
        h.drops(),
        [(Some(old[0]), reason, 30), (Some(old[1]), reason, 30)]
    );
    assert_eq!(h.written(), [new, new]);
    // A group that is too large alone is given up too.
    assert_eq!(h.write(new, 101), Err(SendRefused::StreamGone(new)));
    assert_eq!(h.drops(), [(Some(new), reason, 101)]);
}

#[test]
fn a_session_over_its_bytes_loses_the_lowest_priority_first() {
    let mut h = Harness::new(SendLimits {
        session_bytes: 100,
        ..SendLimits::default()
    });
    h.block();
    let (audio, video) = (h.subscriber(1), h.subscriber(9));
    let audio = h.open(audio, 0, 0, 0);
    let screen = h.open(video, 3, 0, 5);
    let old_video = h.open(video, 6, 0, 7);
    let new_video = h.open(video, 7, 0, 7);
    h.drain();
    for stream in [audio, screen, new_video, old_video] {
        h.write(stream, 24).expect("it takes data");
    }
    assert_eq!(h.drops(), []);
    let reason = DropReason::SessionBytes;
    let mut dropped = Vec::new();
    for _ in 0..3 {
        h.write(audio, 24).expect("the most important stays");
        dropped.extend(h.drops());
    }
    // The blocked stream of the lowest priority of all goes first, with its one byte.
    assert_eq!(dropped.remove(0).2, 1);
    let expected = [old_video, new_video, screen].map(|stream| (Some(stream), reason, 24));
    assert_eq!(dropped, expected);
}

#[test]
fn bytes_that_wait_longer_than_the_limit_are_dropped_by_group() {
    let limits = SendLimits {
        max_age: 2000 * MS,
        ..SendLimits::default()
    };
    let mut h = Harness::new(limits);
    h.block();
    let key = h.subscriber(10);
    let (one, other) = (h.open(key, 0, 0, 0), h.open(key, 0, 1, 0));
    h.drain();
    h.now += 1000 * MS;
    h.write(one, 10).expect("it takes data");
    h.now += 500 * MS;
    h.write(other, 20).expect("it takes data");
    h.now += 1500 * MS;
    h.scheduler.expire(h.now);
    let reason = DropReason::QueueAge;
    let drops = h.drops();
    assert_eq!(
        drops[1..],
        [(Some(one), reason, 10), (Some(other), reason, 20)]
    );
}

#[test]
fn a_subscription_that_keeps_dropping_is_too_far_behind() {
    let limits = SendLimits {
        subscription_bytes: 100,
        max_age: 2000 * MS,
        behind: 5000 * MS,
        ..SendLimits::default()
    };
    let mut h = Harness::new(limits);
    h.block();
    let key = h.subscriber(10);
    let mut behind_after = None;
    for second in 0..10 {
        let stream = h.open(key, second, 0, 0);
        let _ = h.write(stream, 101);
        if h.notes().contains(&Note::TooFarBehind(key)) {
            behind_after.get_or_insert(second);
        }
        h.now += 1000 * MS;
    }
    assert_eq!(behind_after, Some(5));
}

#[test]
fn drops_with_long_pauses_are_no_streak() {
    let limits = SendLimits {
        subscription_bytes: 100,
        ..SendLimits::default()
    };
    let mut h = Harness::new(limits);
    h.block();
    let key = h.subscriber(10);
    for minute in 0..10 {
        let stream = h.open(key, minute, 0, 0);
        let _ = h.write(stream, 101);
        h.now += Duration::from_mins(1);
    }
    assert!(!h.notes().contains(&Note::TooFarBehind(key)));
}

#[test]
fn streams_without_credit_wait_in_order_and_are_reset_in_their_turn() {
    let mut scheduler = SendScheduler::new(Role::Server, SendLimits::default(), 1000);
    let now = Instant::now();
    let key = RequestKey(StreamId::new(Role::Client, false, 0));
    scheduler.add_flow(key, FlowOptions::default());
    let open = |scheduler: &mut SendScheduler, group| {
        scheduler
            .open_data(key, GroupId(group), 0, None)
            .expect("it waits for credit")
    };
    let (one, two, three) = (
        open(&mut scheduler, 0),
        open(&mut scheduler, 1),
        open(&mut scheduler, 2),
    );
    scheduler
        .write(three, Bytes::from_static(b"c"), now)
        .expect("it takes data");
    scheduler
        .write(two, Bytes::from_static(b"b"), now)
        .expect("it takes data");
    scheduler.drop_stream(two, 9, DropReason::ResetByUser);
    assert_eq!(scheduler.poll(now), None);
    scheduler.credit(0, 2);
    let ids = |scheduler: &mut SendScheduler| {
        let mut seen = Vec::new();
        while let Some(transmit) = scheduler.poll(now) {
            match transmit {
                Transmit::Open { id, .. } => seen.push(("open", id)),
                Transmit::Reset { id, code: 9 } => seen.push(("reset", id)),
                Transmit::Write { id, .. } => seen.push(("write", id)),
                transmit => panic!("{transmit:?}"),
            }
        }
        seen
    };
    assert_eq!(
        ids(&mut scheduler),
        [("open", one), ("open", two), ("reset", two)]
    );
    scheduler.credit(0, 3);
    assert_eq!(ids(&mut scheduler), [("open", three), ("write", three)]);
}

#[test]
fn the_number_of_streams_is_bounded_with_and_without_credit() {
    let limits = SendLimits {
        max_streams: 3,
        ..SendLimits::default()
    };
    let mut scheduler = SendScheduler::new(Role::Server, limits, 1000);
    let key = RequestKey(StreamId::new(Role::Client, false, 0));
    scheduler.add_flow(key, FlowOptions::default());
    for group in 0..3 {
        let stream = scheduler
            .open_data(key, GroupId(group), 0, None)
            .expect("it opens");
        // Also one that is reset before it could be opened counts: its number is taken.
        scheduler.drop_stream(stream, 0, DropReason::ResetByUser);
    }
    let refused = scheduler.open_data(key, GroupId(9), 0, None);
    assert_eq!(refused, Err(SendRefused::TooManyStreams(3)));
    scheduler.credit(0, 1);
    assert!(scheduler.open_data(key, GroupId(9), 0, None).is_ok());
}

#[test]
fn a_fetch_is_slowed_down_instead_of_dropped() {
    let limits = SendLimits {
        subscription_bytes: 100,
        ..SendLimits::default()
    };
    let mut h = Harness::new(limits);
    let blocked = h.block();
    let key = h.flow(FlowOptions {
        kind: FlowKind::Fetch,
        ..FlowOptions::default()
    });
    let stream = h.open(key, 0, 0, 0);
    h.drain();
    h.scheduler.blocked(stream, Bytes::from_static(b"x"), h.now);
    h.write(stream, 99).expect("it takes data");
    assert_eq!(h.write(stream, 1), Err(SendRefused::QueueFull(100)));
    h.now += Duration::from_mins(1);
    h.scheduler.expire(h.now);
    h.scheduler.writable(stream);
    assert_eq!(h.written(), [stream, stream]);
    let notes = h.notes();
    assert!(notes.contains(&Note::SendReady(stream)), "{notes:?}");
    assert!(notes.iter().all(|note| match note {
        Note::Dropped(dropped) => dropped.stream == Some(blocked),
        _ => true,
    }));
}

#[test]
fn datagrams_wait_in_order_of_priority_within_bytes_and_time() {
    let limits = SendLimits {
        datagram_bytes: 30,
        ..SendLimits::default()
    };
    let mut h = Harness::new(limits);
    let (audio, text) = (h.subscriber(1), h.subscriber(9));
    h.scheduler.datagram_blocked(Bytes::new(), h.now);
    let mut send = |key, object, data: &'static [u8]| {
        let data = Bytes::from_static(data);
        let location = Location::new(0, object);
        h.scheduler
            .send_datagram(key, location, None, data, h.now)
            .expect("it sends");
    };
    send(text, 0, b"text 0....");
    send(audio, 0, b"audio 0...");
    send(text, 1, b"text 1....");
    send(audio, 1, b"audio 1...");
    assert_eq!(h.drops(), [(None, DropReason::DatagramBytes, 10)]);
    assert_eq!(h.drain(), []);
    h.scheduler.datagram_writable();
    let datagram = |data: &'static [u8]| Transmit::Datagram(Bytes::from_static(data));
    assert_eq!(h.scheduler.poll(h.now), Some(datagram(b"audio 0...")));
    // It comes back and keeps its place.
    h.scheduler
        .datagram_blocked(Bytes::from_static(b"audio 0..."), h.now);
    h.scheduler.datagram_writable();
    let expected = [
        datagram(b"audio 0..."),
        datagram(b"audio 1..."),
        datagram(b"text 1...."),
    ];
    assert_eq!(h.drain(), expected);
    h.scheduler
        .datagram_blocked(Bytes::from_static(b"text 1...."), h.now);
    h.now += SendLimits::default().max_age;
    assert_eq!(h.scheduler.poll_timeout(), Some(h.now));
    h.scheduler.expire(h.now);
    assert_eq!(h.drops(), [(None, DropReason::ObjectTimeout, 10)]);
}

#[test]
fn a_closing_flow_is_drained_when_its_ended_streams_are_handed_over() {
    let mut h = Harness::new(SendLimits::default());
    let blocked = h.block();
    let key = h.subscriber(10);
    let (ended, open) = (h.open(key, 0, 0, 0), h.open(key, 1, 0, 0));
    h.drain();
    h.scheduler
        .blocked(ended, Bytes::from_static(b"abc"), h.now);
    h.scheduler.finish(ended, h.now).expect("it ends");
    h.scheduler.close_flow(key, 1);
    assert_eq!(h.drops(), [(Some(open), DropReason::SubscriptionEnded, 0)]);
    assert_eq!(h.drain(), [Transmit::Reset { id: open, code: 1 }]);
    h.scheduler.writable(blocked);
    assert_eq!(h.written().first(), Some(&ended));
    assert_eq!(h.notes(), [Note::Drained(key)]);
}

#[test]
fn a_control_stream_that_is_not_read_overflows_once_it_is_full() {
    let mut h = Harness::new(SendLimits::default());
    let control = h.scheduler.open_control();
    h.drain();
    h.scheduler
        .blocked(control, Bytes::from_static(b"x"), h.now);
    h.scheduler
        .write_control(control, Bytes::from(vec![0; 999]), h.now);
    assert_eq!(h.notes(), []);
    h.scheduler
        .write_control(control, Bytes::from(vec![0; 1]), h.now);
    assert_eq!(h.notes(), [Note::Overflow(control)]);
}

/// A scheduler with audio, video and slides, which have sent as much as they do.
fn meeting() -> (Harness, [StreamId; 3]) {
    let mut h = Harness::new(SendLimits::default());
    let streams = [(1, 100), (9, 2000), (20, 500)].map(|(priority, bytes)| {
        let key = h.subscriber(priority);
        let stream = h.open(key, 0, 0, 0);
        h.write(stream, bytes).expect("it takes data");
        stream
    });
    h.scheduler.measure(50 * MS, h.now);
    h.drain();
    (h, streams)
}

#[test]
fn a_grown_round_trip_time_pauses_the_less_important_half() {
    let (mut h, [audio, video, slides]) = meeting();
    h.scheduler.measure(190 * MS, h.now);
    h.write(video, 10).expect("it takes data");
    assert_eq!(h.written(), [video], "it has not grown enough");
    h.scheduler.measure(201 * MS, h.now);
    for stream in [slides, video, audio] {
        h.write(stream, 10).expect("it takes data");
    }
    assert_eq!(h.written(), [audio]);
    let end = h.now + 300 * MS;
    assert_eq!(h.scheduler.poll_timeout(), Some(end));
    h.now = end;
    h.scheduler.expire(end);
    assert_eq!(h.written(), [video, slides]);
}

#[test]
fn a_pause_ends_with_the_queue() {
    let (mut h, [audio, video, _]) = meeting();
    h.scheduler.measure(300 * MS, h.now);
    h.write(video, 10).expect("it takes data");
    assert_eq!(h.written(), []);
    h.scheduler.measure(100 * MS, h.now);
    assert_eq!(h.written(), [video]);
    h.write(audio, 10).expect("it takes data");
    assert_eq!(h.written(), [audio]);
}

#[test]
fn pauses_grow_while_the_queue_stays_and_data_flows_between_them() {
    let (mut h, [_, video, _]) = meeting();
    let mut paused = Vec::new();
    let start = h.now;
    for tick in 0..600_u32 {
        h.now = start + tick * 10 * MS;
        h.scheduler.expire(h.now);
        h.scheduler.measure(400 * MS, h.now);
        h.write(video, 10).expect("it takes data");
        paused.push(h.written().is_empty());
    }
    let spans: Vec<(bool, usize)> = paused
        .chunk_by(|one, next| one == next)
        .map(|span| (span[0], span.len()))
        .collect();
    let expected = [
        (true, 30),
        (false, 20),
        (true, 60),
        (false, 20),
        (true, 120),
        (false, 20),
        (true, 120),
        (false, 20),
    ];
    assert_eq!(spans[..expected.len()], expected);
}

#[test]
fn one_priority_alone_never_pauses() {
    let mut h = Harness::new(SendLimits::default());
    let key = h.subscriber(9);
    let stream = h.open(key, 0, 0, 0);
    h.write(stream, 5000).expect("it takes data");
    h.drain();
    h.scheduler.measure(50 * MS, h.now);
    h.scheduler.measure(5000 * MS, h.now);
    h.write(stream, 10).expect("it takes data");
    assert_eq!(h.written(), [stream]);
    assert_eq!(h.scheduler.poll_timeout(), None);
}
