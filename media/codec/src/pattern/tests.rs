use super::*;
use crate::psnr_luma;

#[test]
fn number_is_read_back() {
    let pattern = TestPattern::new(320, 180);
    for number in [0, 1, 255, 256, 0x00ab_cdef, 0x00ff_ffff] {
        let frame = pattern.frame(number, MediaTime::ZERO);
        assert_eq!(TestPattern::read_number(&frame), Some(number));
    }
}

#[test]
fn number_survives_scaling_down() {
    let frame = TestPattern::new(1280, 720).frame(1234, MediaTime::ZERO);
    let (half, quarter) = (frame.halved(), frame.halved().halved());
    assert_eq!(TestPattern::read_number(&half), Some(1234));
    assert_eq!(TestPattern::read_number(&quarter), Some(1234));
    assert_eq!(TestPattern::read_number(&quarter.halved()), Some(1234));
}

#[test]
fn picture_without_the_code_has_no_number() {
    for grey in [0, 90, 255] {
        let frame = VideoFrame::filled(320, 180, [grey, 128, 128], MediaTime::ZERO).unwrap();
        assert_eq!(TestPattern::read_number(&frame), None);
    }
}

#[test]
fn pattern_moves() {
    let pattern = TestPattern::new(160, 96);
    let (a, b) = (
        pattern.frame(1, MediaTime::ZERO),
        pattern.frame(2, MediaTime::ZERO),
    );
    assert!(psnr_luma(&a, &b).unwrap() < 35.0);
    assert_eq!(a, pattern.frame(1, MediaTime::ZERO));
}

#[test]
fn tone_is_continuous_and_fits_the_range() {
    let tone = |number| test_tone(number, Channels::Stereo, MediaTime::ZERO);
    let (first, second) = (tone(49), tone(50));
    let (end, start) = (first.samples()[1918], second.samples()[0]);
    assert!((end - start).abs() < 0.05);
    assert!(first.samples().iter().all(|sample| sample.abs() < 1.0));
    assert_eq!(first.samples_per_channel(), SAMPLES_PER_FRAME);
    assert!((first.samples()[10] - first.samples()[11]).abs() < f32::EPSILON);
}
