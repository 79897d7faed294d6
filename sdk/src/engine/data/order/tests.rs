use super::*;

fn give(order: &mut DataOrder, group: u64, object: u64, now: Instant) {
    order.insert(Location::new(group, object), Bytes::from_static(b"x"), now);
}

fn taken(order: &mut DataOrder, now: Instant) -> Vec<(u64, u64, bool)> {
    std::iter::from_fn(|| order.poll(now))
        .map(|o| (o.location.group.0, o.location.object.0, o.gap))
        .collect()
}

#[test]
fn a_sequence_waits_for_what_is_missing_and_then_says_so() {
    let mut order = DataOrder::new(Grouping::Sequence(2));
    let now = Instant::now();
    give(&mut order, 3, 0, now);
    give(&mut order, 4, 0, now);
    give(&mut order, 3, 0, now);
    assert_eq!(taken(&mut order, now), [(3, 0, false)]);
    give(&mut order, 3, 1, now);
    assert_eq!(taken(&mut order, now), [(3, 1, false), (4, 0, false)]);
    give(&mut order, 5, 0, now);
    assert_eq!(taken(&mut order, now), []);
    assert_eq!(order.poll_timeout(), Some(now + PATIENCE));
    assert_eq!(taken(&mut order, now + PATIENCE), [(5, 0, true)]);
    give(&mut order, 4, 1, now);
    assert_eq!(taken(&mut order, now + PATIENCE), []);
}

#[test]
fn the_start_of_a_newer_group_replaces_what_is_missing_of_the_older() {
    let mut order = DataOrder::new(Grouping::Replacing);
    let now = Instant::now();
    give(&mut order, 7, 0, now);
    give(&mut order, 7, 2, now);
    assert_eq!(taken(&mut order, now), [(7, 0, false)]);
    give(&mut order, 9, 1, now);
    assert_eq!(taken(&mut order, now), []);
    give(&mut order, 9, 0, now);
    assert_eq!(taken(&mut order, now), [(9, 0, false), (9, 1, false)]);
}

#[test]
fn live_objects_wait_behind_the_past() {
    let mut order = DataOrder::new(Grouping::Sequence(1));
    let now = Instant::now();
    order.begin_fill(now);
    give(&mut order, 6, 0, now);
    assert_eq!(taken(&mut order, now), []);
    give(&mut order, 5, 0, now);
    order.end_fill();
    assert_eq!(taken(&mut order, now), [(5, 0, false), (6, 0, false)]);
    order.begin_fill(now);
    give(&mut order, 7, 0, now);
    assert_eq!(taken(&mut order, now + FILL_PATIENCE), [(7, 0, false)]);
}

#[test]
fn what_waits_is_bounded() {
    let mut order = DataOrder::new(Grouping::Sequence(1));
    let now = Instant::now();
    give(&mut order, 0, 0, now);
    assert_eq!(taken(&mut order, now).len(), 1);
    order.begin_fill(now);
    for group in 2..10_000 {
        give(&mut order, group, 0, now);
        taken(&mut order, now);
        assert!(order.held.len() <= MAX_HELD);
    }
}
