use crate::AudioLevel;

#[test]
fn every_level_octet_round_trips() {
    for octet in 0..=u8::MAX {
        assert_eq!(AudioLevel::from_octet(octet).to_octet(), octet);
    }
}

#[test]
fn level_is_measured_in_decibels_below_full_scale() {
    assert_eq!(AudioLevel::measure(&[1.0, -1.0], true).below_full_scale, 0);
    assert_eq!(
        AudioLevel::measure(&[0.1, -0.1], false).below_full_scale,
        20
    );
    assert_eq!(AudioLevel::measure(&[0.0; 8], false), AudioLevel::SILENCE);
    assert_eq!(AudioLevel::measure(&[], false), AudioLevel::SILENCE);
    assert_eq!(AudioLevel::measure(&[f32::NAN], false), AudioLevel::SILENCE);
}
