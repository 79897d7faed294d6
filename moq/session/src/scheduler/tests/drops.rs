use super::*;

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
fn timeouts_of_a_subgroup_stand_for_those_of_its_track() {
    // The track's, the subscriber's, the subgroup's, and which holds; milliseconds.
    for (track, wanted, own, expected) in [
        (400, None, Some(100), 100),
        (100, None, Some(400), 400),
        (100, Some(300), Some(400), 300),
        (100, Some(300), Some(0), 300),
        (400, None, None, 400),
    ] {
        let mut h = Harness::new(SendLimits::default());
        h.block();
        let wanted = wanted.map(|ms: u32| ms * MS);
        let options = FlowOptions {
            object_timeout: Some(wanted.map_or(track * MS, |wanted| wanted.min(track * MS))),
            subgroup_timeout: Some(track * MS),
            wanted_object_timeout: wanted,
            wanted_subgroup_timeout: wanted,
            ..FlowOptions::default()
        };
        let key = h.flow(options);
        let stream = h.open(key, 0, 0, 0);
        h.drain();
        let timeouts = SubgroupTimeouts {
            object: own,
            subgroup: own,
        };
        h.scheduler.set_timeouts(stream, timeouts);
        h.scheduler
            .blocked(stream, Bytes::from_static(b"abc"), h.now);
        assert_eq!(h.scheduler.poll_timeout(), Some(h.now + expected * MS));
        h.now += expected * MS;
        h.scheduler.expire(h.now);
        assert_eq!(h.drops(), [(Some(stream), DropReason::ObjectTimeout, 3)]);
        let whole = h.open(key, 1, 0, 0);
        h.scheduler.set_timeouts(whole, timeouts);
        h.scheduler.finish(whole, h.now).expect("it ends");
        assert_eq!(h.scheduler.poll_timeout(), Some(h.now + expected * MS));
    }
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
fn a_whole_subgroup_ends_a_streak_of_drops() {
    let limits = SendLimits {
        subscription_bytes: 100,
        ..SendLimits::default()
    };
    let mut h = Harness::new(limits);
    let key = h.subscriber(10);
    for second in 0..20 {
        h.block();
        let (lost, whole) = (
            h.open(key, second * 2, 0, 0),
            h.open(key, second * 2 + 1, 0, 0),
        );
        assert!(h.write(lost, 101).is_err());
        h.write(whole, 50).expect("it takes data");
        h.scheduler.finish(whole, h.now).expect("it ends");
        h.drain();
        h.now += 1000 * MS;
    }
    assert!(!h.notes().contains(&Note::TooFarBehind(key)));
}

#[test]
fn what_a_silence_made_late_is_not_sent_again() {
    let mut h = Harness::new(SendLimits::default());
    let live = h.flow(FlowOptions {
        object_timeout: Some(400 * MS),
        ..FlowOptions::default()
    });
    let patient = h.flow(FlowOptions::default());
    let before = h.open(live, 0, 0, 0);
    h.write(before, 5).expect("it is written");
    h.now += 1000 * MS;
    let silent_since = h.now;
    let [late, kept] = [h.open(live, 1, 0, 0), h.open(patient, 0, 0, 0)];
    for stream in [late, kept] {
        h.write(stream, 5).expect("it is written");
    }
    h.scheduler.finish(late, h.now).expect("it ends");
    h.now += 2000 * MS;
    let fresh = h.open(live, 2, 0, 0);
    h.write(fresh, 5).expect("it is written");
    h.now += 399 * MS;
    h.drain();
    h.scheduler.returned(silent_since, 100 * MS, h.now);
    let code = ResetCode::DeliveryTimeout.to_u64();
    assert_eq!(h.drain(), [Transmit::Reset { id: late, code }]);
    assert_eq!(h.drops(), [(Some(late), DropReason::SubgroupTimeout, 0)]);
    for stream in [before, kept, fresh] {
        h.write(stream, 1).expect("it goes on");
    }
}

#[test]
fn what_was_sent_just_before_a_silence_is_lost_too() {
    let mut h = Harness::new(SendLimits::default());
    let key = h.flow(FlowOptions {
        object_timeout: Some(400 * MS),
        ..FlowOptions::default()
    });
    let stream = h.open(key, 0, 0, 0);
    h.write(stream, 5).expect("it is written");
    let written = h.now;
    h.drain();
    h.now += 2000 * MS;
    h.scheduler.returned(written + 101 * MS, 100 * MS, h.now);
    assert_eq!(h.drain(), []);
    h.scheduler.returned(written + 100 * MS, 100 * MS, h.now);
    let code = ResetCode::DeliveryTimeout.to_u64();
    assert_eq!(h.drain(), [Transmit::Reset { id: stream, code }]);
}
