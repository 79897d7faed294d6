use super::*;
use crate::scheduler::Encoder;

#[test]
fn streams_without_credit_wait_in_order_and_are_reset_in_their_turn() {
    let mut scheduler = SendScheduler::new(Role::Server, SendLimits::default(), 1000);
    let now = Instant::now();
    let key = RequestKey(StreamId::new(Role::Client, false, 0));
    scheduler.add_flow(key, FlowOptions::default());
    let open = |scheduler: &mut SendScheduler, group| {
        scheduler
            .open_data(key, GroupId(group), 0, None, Encoder::None)
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
            .open_data(key, GroupId(group), 0, None, Encoder::None)
            .expect("it opens");
        // Also one that is reset before it could be opened counts: its number is taken.
        scheduler.drop_stream(stream, 0, DropReason::ResetByUser);
    }
    let refused = scheduler.open_data(key, GroupId(9), 0, None, Encoder::None);
    assert_eq!(refused, Err(SendRefused::TooManyStreams(3)));
    scheduler.credit(0, 1);
    assert!(
        scheduler
            .open_data(key, GroupId(9), 0, None, Encoder::None)
            .is_ok()
    );
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
