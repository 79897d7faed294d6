use super::*;

fn limiter() -> Limiter<u32> {
    Limiter::with_most(Rate::new(3, 60), 100)
}

#[test]
fn a_burst_passes_then_one_a_second() {
    let (limiter, start) = (limiter(), Instant::now());
    for _ in 0..3 {
        assert_eq!(limiter.try_take(1, start), Ok(()));
    }
    let wait = limiter.try_take(1, start).unwrap_err();
    assert!(wait > Duration::from_millis(990), "{wait:?}");
    assert_eq!(limiter.try_take(2, start), Ok(()), "others are not held up");
    let later = start + Duration::from_millis(1001);
    assert_eq!(limiter.try_take(1, later), Ok(()));
    assert!(limiter.try_take(1, later).is_err());
}

#[test]
fn memory_is_bounded_and_who_comes_often_is_remembered() {
    let (limiter, start) = (limiter(), Instant::now());
    for _ in 0..3 {
        assert_eq!(limiter.try_take(0, start), Ok(()));
    }
    for other in 1..10_000 {
        assert_eq!(limiter.try_take(other, start), Ok(()));
        assert!(limiter.try_take(0, start).is_err(), "{other}");
        let buckets = limiter.buckets.lock().unwrap();
        assert!(buckets.new.len() + buckets.old.len() <= 100);
    }
}

#[test]
fn a_network_of_ipv6_is_one_who_asks() {
    let who = |text: &str| Who::address(text.parse().unwrap());
    assert_eq!(who("2001:db8::1"), who("2001:db8::2:3:4:5"));
    assert_ne!(who("2001:db8::1"), who("2001:db8:0:1::1"));
    assert_eq!(who("::ffff:192.0.2.1"), who("192.0.2.1"));
    assert_ne!(who("192.0.2.1"), who("192.0.2.2"));
}
