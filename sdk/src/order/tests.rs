use std::time::{Duration, Instant};

use parvis_wire::{GroupId, Location};

use super::*;

const PATIENCE: Duration = Duration::from_millis(100);

fn placed(group: u64, object: u64) -> Placed<(u64, u64)> {
    Placed {
        location: Location::new(group, object),
        key: object == 0,
        frame: (group, object),
    }
}

fn drain<T>(mut poll: impl FnMut() -> Option<Ordered<T>>) -> Vec<Ordered<T>> {
    std::iter::from_fn(&mut poll).collect()
}

fn frames(ordered: &[Ordered<(u64, u64)>]) -> Vec<(u64, u64)> {
    let frame = |o: &Ordered<(u64, u64)>| match o {
        Ordered::Frame(placed) => Some(placed.frame),
        Ordered::Gap(_) | Ordered::Dropped | Ordered::NeedKey => None,
    };
    ordered.iter().filter_map(frame).collect()
}

#[test]
fn frames_in_order_pass_at_once() {
    let now = Instant::now();
    let mut order = VideoOrder::new(PATIENCE);
    for object in 0..3 {
        order.handle_frame(placed(7, object), now);
        assert_eq!(drain(|| order.poll()), [Ordered::Frame(placed(7, object))]);
    }
}

#[test]
fn a_newer_group_waits_for_the_end_of_the_current_one() {
    let now = Instant::now();
    let mut order = VideoOrder::new(PATIENCE);
    order.handle_frame(placed(1, 0), now);
    order.handle_frame(placed(2, 0), now);
    order.handle_frame(placed(1, 1), now);
    assert_eq!(frames(&drain(|| order.poll())), [(1, 0), (1, 1)]);
    order.handle_group_end(GroupId(1), true, now);
    assert_eq!(frames(&drain(|| order.poll())), [(2, 0)]);
}

#[test]
fn a_late_group_is_given_up_for_the_newest_key_frame() {
    let now = Instant::now();
    let mut order = VideoOrder::new(PATIENCE);
    order.handle_frame(placed(1, 0), now);
    order.handle_frame(placed(2, 0), now);
    order.handle_frame(placed(3, 0), now);
    assert_eq!(order.poll_timeout(), Some(now + PATIENCE));
    order.handle_timeout(now + PATIENCE);
    let all = drain(|| order.poll());
    assert_eq!(frames(&all), [(1, 0), (3, 0)]);
    assert!(all.contains(&Ordered::Gap(1)));
    order.handle_frame(placed(1, 1), now + PATIENCE);
    assert_eq!(drain(|| order.poll()), [Ordered::Dropped]);
}

#[test]
fn joining_in_mid_group_asks_once_for_a_key_frame_and_waits_for_it() {
    let now = Instant::now();
    let mut order = VideoOrder::new(PATIENCE);
    for object in 5..8 {
        order.handle_frame(placed(1, object), now);
    }
    let all = drain(|| order.poll());
    assert_eq!(all.iter().filter(|o| **o == Ordered::NeedKey).count(), 1);
    assert!(frames(&all).is_empty());
    order.handle_frame(placed(2, 0), now);
    assert_eq!(frames(&drain(|| order.poll())), [(2, 0)]);
}

#[test]
fn a_hole_in_a_group_is_never_fed_to_the_decoder() {
    let now = Instant::now();
    let mut order = VideoOrder::new(PATIENCE);
    order.handle_frame(placed(1, 0), now);
    order.handle_frame(placed(1, 2), now);
    order.handle_frame(placed(1, 3), now);
    let all = drain(|| order.poll());
    assert_eq!(frames(&all), [(1, 0)]);
    assert!(all.contains(&Ordered::NeedKey));
    order.handle_frame(placed(2, 0), now);
    assert_eq!(frames(&drain(|| order.poll())), [(2, 0)]);
}

#[test]
fn a_group_cut_short_asks_for_a_key_frame() {
    let now = Instant::now();
    let mut order = VideoOrder::new(PATIENCE);
    order.handle_frame(placed(1, 0), now);
    order.handle_group_end(GroupId(1), false, now);
    assert_eq!(
        drain(|| order.poll()),
        [Ordered::Frame(placed(1, 0)), Ordered::NeedKey]
    );
}

#[test]
fn a_missing_group_is_waited_for_then_skipped() {
    let now = Instant::now();
    let mut order = VideoOrder::new(PATIENCE);
    order.handle_frame(placed(1, 0), now);
    order.handle_group_end(GroupId(1), true, now);
    order.handle_frame(placed(3, 0), now);
    assert_eq!(frames(&drain(|| order.poll())), [(1, 0)]);
    order.handle_timeout(now + PATIENCE);
    assert_eq!(frames(&drain(|| order.poll())), [(3, 0)]);
}

#[test]
fn pending_video_is_bounded() {
    let now = Instant::now();
    let mut order = VideoOrder::new(Duration::from_hours(1));
    order.handle_frame(placed(1, 0), now);
    for object in 0..=VideoOrder::<()>::MAX_PENDING as u64 {
        order.handle_frame(placed(2, object), now);
    }
    assert_eq!(
        frames(&drain(|| order.poll())).len(),
        VideoOrder::<()>::MAX_PENDING + 2
    );
}

#[test]
fn audio_waits_for_a_missing_frame_and_then_leaves_it_out() {
    let now = Instant::now();
    let mut order = AudioOrder::new(PATIENCE);
    order.handle_frame(placed(1, 0), now);
    order.handle_frame(placed(3, 0), now);
    assert_eq!(frames(&drain(|| order.poll())), [(1, 0)]);
    order.handle_frame(placed(2, 0), now);
    assert_eq!(frames(&drain(|| order.poll())), [(2, 0), (3, 0)]);
    order.handle_frame(placed(6, 0), now);
    order.handle_timeout(now + PATIENCE);
    let all = drain(|| order.poll());
    assert_eq!(all, [Ordered::Gap(2), Ordered::Frame(placed(6, 0))]);
    order.handle_frame(placed(5, 0), now);
    assert_eq!(drain(|| order.poll()), [Ordered::Dropped]);
}

#[test]
fn audio_of_several_objects_a_group_is_in_order_too() {
    let now = Instant::now();
    let mut order = AudioOrder::new(PATIENCE);
    for (group, object) in [(1, 0), (1, 1), (2, 0), (2, 1)] {
        order.handle_frame(placed(group, object), now);
    }
    assert_eq!(
        frames(&drain(|| order.poll())),
        [(1, 0), (1, 1), (2, 0), (2, 1)]
    );
}

#[test]
fn numbers_at_the_end_of_their_range_are_ordered_like_others() {
    const LAST: u64 = u64::MAX;
    let now = Instant::now();
    let mut order = VideoOrder::new(PATIENCE);
    for (group, object) in [(1, 0), (1, LAST), (LAST, 0), (LAST, LAST)] {
        order.handle_frame(placed(group, object), now);
        order.handle_group_end(GroupId(group), true, now);
        order.handle_timeout(now + PATIENCE);
    }
    assert_eq!(frames(&drain(|| order.poll())), [(1, 0), (LAST, 0)]);
    let last = Placed {
        key: true,
        ..placed(7, LAST)
    };
    let mut order = VideoOrder::new(PATIENCE);
    order.handle_frame(last.clone(), now);
    order.handle_frame(placed(8, 0), now);
    order.handle_timeout(now + PATIENCE);
    assert_eq!(frames(&drain(|| order.poll())), [(7, LAST), (8, 0)]);

    let mut order = AudioOrder::new(PATIENCE);
    for (group, object) in [(0, 0), (1, LAST), (2, 1), (LAST, 0), (LAST, LAST)] {
        order.handle_frame(placed(group, object), now);
        order.handle_timeout(now + PATIENCE);
    }
    assert_eq!(
        frames(&drain(|| order.poll())),
        [(0, 0), (1, LAST), (2, 1), (LAST, 0), (LAST, LAST)]
    );
}
