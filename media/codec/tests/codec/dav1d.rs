use bytes::Bytes;
use parvis_codec::{
    Bitrate, DecodeError, KeyFrame, TestPattern, VideoDecoderConfig, VideoEncoderConfig,
    open_video_decoder, open_video_encoder,
};
use parvis_format::{EncodedFrame, MediaTime};

use crate::clips::{self, Random};
use crate::video::decoder;

/// A small stream with a key frame every ten frames.
fn stream(frames: usize) -> Vec<EncodedFrame> {
    let mut encoder = open_video_encoder(&VideoEncoderConfig {
        bitrate: Bitrate::kbps(150),
        ..VideoEncoderConfig::new(160, 96)
    })
    .unwrap();
    let mut packets = Vec::new();
    for (index, frame) in clips::pattern(160, 96, frames).iter().enumerate() {
        let key = if index % 10 == 0 {
            KeyFrame::Forced
        } else {
            KeyFrame::AsNeeded
        };
        packets.extend(encoder.encode(frame, key).unwrap());
    }
    packets
}

fn with_payload(packet: &EncodedFrame, payload: Vec<u8>) -> EncodedFrame {
    EncodedFrame {
        payload: Bytes::from(payload),
        ..packet.clone()
    }
}

#[test]
fn first_packet_must_be_a_key_frame() {
    let packets = stream(3);
    let mut decoder = decoder();
    assert!(decoder.needs_key_frame());
    assert!(matches!(
        decoder.decode(&packets[1]),
        Err(DecodeError::NeedsKeyFrame)
    ));
    decoder.decode(&packets[0]).unwrap();
    assert!(!decoder.needs_key_frame());
    decoder.decode(&packets[1]).unwrap();
}

#[test]
fn after_a_gap_nothing_is_decoded_until_a_key_frame() {
    let packets = stream(12);
    let mut decoder = decoder();
    decoder.decode(&packets[0]).unwrap();
    decoder.reset();
    assert!(decoder.needs_key_frame());
    for packet in &packets[5..10] {
        assert!(matches!(
            decoder.decode(packet),
            Err(DecodeError::NeedsKeyFrame)
        ));
    }
    let picture = decoder.decode(&packets[10]).unwrap().remove(0);
    assert_eq!(TestPattern::read_number(&picture), Some(10));
}

#[test]
fn after_an_error_nothing_is_decoded_until_a_key_frame() {
    let packets = stream(12);
    let mut decoder = decoder();
    decoder.decode(&packets[0]).unwrap();
    let cut = packets[1].payload[..packets[1].payload.len() / 2].to_vec();
    assert!(matches!(
        decoder.decode(&with_payload(&packets[1], cut)),
        Err(DecodeError::Corrupt(_))
    ));
    assert!(decoder.needs_key_frame());
    assert!(matches!(
        decoder.decode(&packets[2]),
        Err(DecodeError::NeedsKeyFrame)
    ));
    let picture = decoder.decode(&packets[10]).unwrap().remove(0);
    assert_eq!(TestPattern::read_number(&picture), Some(10));
}

#[test]
fn packet_that_only_claims_to_be_a_key_frame_is_refused() {
    let packets = stream(3);
    let liar = EncodedFrame {
        key: true,
        ..packets[1].clone()
    };
    let mut decoder = decoder();
    assert!(decoder.decode(&liar).is_err());
    assert!(decoder.needs_key_frame());
    decoder.decode(&packets[0]).unwrap();
    decoder.reset();
    assert!(decoder.decode(&liar).is_err());
}

#[test]
fn empty_and_foreign_packets_are_corrupt() {
    let mut decoder = decoder();
    for payload in [
        vec![],
        vec![0],
        vec![0xff; 100],
        b"not video at all".to_vec(),
        vec![0x12, 0],
    ] {
        let packet = EncodedFrame::video(MediaTime::ZERO, true, payload.into());
        let result = decoder.decode(&packet);
        assert!(matches!(result, Err(DecodeError::Corrupt(_))), "{result:?}");
    }
}

#[test]
fn picture_over_the_limit_is_refused() {
    let packets = stream(1);
    let open = |max_pixels| {
        let config = VideoDecoderConfig {
            max_pixels,
            ..VideoDecoderConfig::default()
        };
        open_video_decoder(&config).unwrap()
    };
    assert!(open(160 * 96).decode(&packets[0]).is_ok());
    let refused = open(160 * 96 - 1).decode(&packets[0]);
    assert!(
        matches!(refused, Err(DecodeError::TooLarge { max_pixels: 15_359 })),
        "{refused:?}"
    );
}

#[test]
fn packet_that_shows_pictures_again_and_again_is_bounded() {
    let packets = stream(2);
    for slot in 0..8_u8 {
        let mut decoder = decoder();
        decoder.decode(&packets[0]).unwrap();
        // A frame header of one byte: show_existing_frame, the slot, a trailing one bit.
        let mut bomb = packets[1].payload.to_vec();
        for _ in 0..1000 {
            bomb.extend([0x1a, 1, 0x80 | slot << 4 | 0x08]);
        }
        if let Ok(pictures) = decoder.decode(&with_payload(&packets[1], bomb)) {
            assert!(pictures.len() <= 4);
        }
    }
}

#[test]
fn damaged_streams_never_crash_and_end_at_the_next_key_frame() {
    let packets = stream(21);
    let (mut refused, mut shown) = (0, 0);
    for seed in 0..400 {
        let mut random = Random(seed);
        let mut decoder = decoder();
        let first_bad = random.below(10);
        for (index, packet) in packets.iter().enumerate() {
            let damaged = (first_bad..first_bad + 8).contains(&index) && random.below(2) == 0;
            let result = if damaged {
                decoder.decode(&with_payload(packet, random.damaged(&packet.payload)))
            } else {
                decoder.decode(packet)
            };
            if let Ok(pictures) = result {
                shown += pictures.len();
            } else {
                refused += 1;
                assert!(decoder.needs_key_frame(), "seed {seed}, packet {index}");
            }
        }
        // The last packet is an intact key frame: whatever came before, it is decoded right.
        let last = decoder.decode(&packets[20]).unwrap().remove(0);
        assert_eq!(TestPattern::read_number(&last), Some(20), "seed {seed}");
    }
    assert!(
        refused > 400 && shown > 400,
        "{refused} refused, {shown} shown"
    );
}

#[test]
fn noise_and_shuffled_streams_never_crash() {
    let packets = stream(20);
    for seed in 1000..1200 {
        let mut random = Random(seed);
        let mut decoder = decoder();
        for _ in 0..20 {
            let packet = &packets[random.below(packets.len())];
            let payload = match random.below(3) {
                0 => packet.payload.to_vec(),
                1 => (0..random.below(200))
                    .map(|_| random.next() as u8)
                    .collect(),
                _ => random.damaged(&packet.payload),
            };
            // The flag lies too, so that everything reaches the codec.
            let packet = EncodedFrame {
                key: true,
                ..with_payload(packet, payload)
            };
            let _ = decoder.decode(&packet);
        }
    }
}

#[test]
fn two_threads_give_the_same_pictures() {
    let packets = stream(20);
    let config = VideoDecoderConfig {
        threads: 2,
        ..VideoDecoderConfig::default()
    };
    let (mut one, mut two) = (decoder(), open_video_decoder(&config).unwrap());
    for packet in &packets {
        assert_eq!(one.decode(packet).unwrap(), two.decode(packet).unwrap());
    }
    assert!(two.flush().unwrap().is_empty());
    assert!(two.needs_key_frame());
}
