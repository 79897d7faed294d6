use super::*;

#[test]
fn bitrate_of_common_sizes_is_what_meetings_use() {
    let kbps = |width, height| Bitrate::suited_to(width, height).as_kbps();
    assert!((100..=150).contains(&kbps(320, 180)));
    assert_eq!(kbps(640, 360), 400);
    assert!((1200..=1500).contains(&kbps(1280, 720)));
    assert_eq!(kbps(16, 16), 30);
}

#[test]
fn bitrate_does_not_overflow() {
    assert_eq!(Bitrate::kbps(u32::MAX).as_bps(), u32::MAX);
    assert_eq!(Bitrate::bps(1).as_kbps(), 1);
}

#[test]
fn frame_duration_is_the_inverse_of_the_rate() {
    assert_eq!(
        FrameRate::whole(25).frame_duration(),
        Duration::from_millis(40)
    );
    assert_eq!(
        FrameRate::new(30_000, 1001).frame_duration(),
        Duration::from_micros(33_366)
    );
    assert_eq!(FrameRate::whole(0), FrameRate::whole(1));
}
