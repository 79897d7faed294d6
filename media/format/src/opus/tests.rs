use super::packet_samples;

#[test]
fn toc_tells_the_length() {
    assert_eq!(packet_samples(&[0x08, 0]), Some(960)); // SILK, 20 ms
    assert_eq!(packet_samples(&[0x18, 0]), Some(2_880)); // SILK, 60 ms
    assert_eq!(packet_samples(&[0x78, 0]), Some(960)); // hybrid, 20 ms
    assert_eq!(packet_samples(&[0x80, 0]), Some(120)); // CELT, 2.5 ms
    assert_eq!(packet_samples(&[0xFC, 0]), Some(960)); // CELT stereo, 20 ms
    assert_eq!(packet_samples(&[0xF9, 0]), Some(1_920)); // two frames
    assert_eq!(packet_samples(&[0xFB, 0x03]), Some(2_880)); // three frames
}

#[test]
fn what_is_no_packet_has_no_length() {
    assert_eq!(packet_samples(&[]), None);
    assert_eq!(packet_samples(&[0xFB]), None);
    assert_eq!(packet_samples(&[0xFB, 0]), None);
    assert_eq!(packet_samples(&[0x1B, 3]), None); // 180 ms
}
