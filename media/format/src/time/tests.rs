use std::time::Duration;

use proptest::prelude::*;

use crate::{MediaTime, Timescale};

fn scale(ticks: u64) -> Timescale {
    Timescale::new(ticks).expect("not zero")
}

#[test]
fn ticks_convert_to_the_nearest_microsecond() {
    assert_eq!(MediaTime::from_ticks(1, scale(48_000)).as_micros(), 21);
    assert_eq!(MediaTime::from_ticks(-1, scale(48_000)).as_micros(), -21);
    assert_eq!(
        MediaTime::from_ticks(960, Timescale::AUDIO_48K),
        MediaTime::from_millis(20)
    );
    assert_eq!(MediaTime::from_millis(20).to_ticks(scale(90_000)), 1_800);
}

#[test]
fn conversion_saturates() {
    assert_eq!(MediaTime::from_ticks(i64::MAX, scale(1)), MediaTime::MAX);
    assert_eq!(
        MediaTime::from_ticks(i64::MIN, scale(1)).as_micros(),
        i64::MIN
    );
    assert_eq!(MediaTime::MAX.to_ticks(scale(u64::MAX)), i64::MAX);
    assert_eq!(MediaTime::MAX + Duration::MAX, MediaTime::MAX);
}

#[test]
fn zero_is_no_timescale() {
    assert_eq!(Timescale::new(0), None);
}

#[test]
fn difference_knows_its_sign() {
    let (early, late) = (MediaTime::from_millis(-5), MediaTime::from_millis(10));
    assert_eq!(late.checked_since(early), Some(Duration::from_millis(15)));
    assert_eq!(early.checked_since(late), None);
    assert_eq!(early.saturating_since(late), Duration::ZERO);
    assert_eq!(early.signed_since(late), -15_000);
}

#[test]
fn display_is_in_seconds() {
    assert_eq!(MediaTime::from_micros(-1_000_001).to_string(), "-1.000001s");
}

proptest! {
    #[test]
    fn finer_ticks_keep_the_time(micros in -1_i64 << 50..1_i64 << 50, factor in 1_u64..1_000) {
        let timescale = scale(1_000_000 * factor);
        let time = MediaTime::from_micros(micros);
        prop_assert_eq!(MediaTime::from_ticks(time.to_ticks(timescale), timescale), time);
    }

    #[test]
    fn any_conversion_is_total(ticks: i64, timescale in 1_u64..) {
        let time = MediaTime::from_ticks(ticks, scale(timescale));
        let _ = time.to_ticks(scale(timescale));
    }
}
