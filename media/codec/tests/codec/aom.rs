use std::time::Duration;

use parvis_codec::{
    Bitrate, Content, DecodeError, EncodeError, FrameRate, KeyFrame, OpenError, TestPattern,
    VideoEncoder, VideoEncoderConfig, VideoFrame, open_video_encoder,
};
use parvis_format::MediaTime;

use crate::clips;
use crate::video::{decode_all, decoder, encode_all, kbps, keys, mean_psnr};

fn encoder(width: u32, height: u32, bitrate: Bitrate) -> Box<dyn VideoEncoder> {
    open_video_encoder(&VideoEncoderConfig {
        bitrate,
        ..VideoEncoderConfig::new(width, height)
    })
    .unwrap()
}

#[test]
fn camera_clips_keep_their_frames_times_and_quality() {
    for (clip, floor) in [("carphone", 36.0), ("bikes", 36.0)] {
        let frames = clips::video(clip, 60);
        let mut encoder = encoder(640, 360, Bitrate::kbps(400));
        let packets = encode_all(&mut *encoder, &frames);
        assert_eq!(keys(&packets), [0]);
        assert!(
            packets
                .iter()
                .all(|p| p.duration == Some(Duration::from_micros(33_333)))
        );
        let psnr = mean_psnr(&frames, &decode_all(&packets));
        assert!(psnr > floor, "{clip}: {psnr:.1} dB");
        let got = kbps(&packets, 30.0);
        assert!((100.0..600.0).contains(&got), "{clip}: {got:.0} kbit/s");
    }
}

#[test]
fn packet_comes_out_with_its_own_frame() {
    let mut encoder = encoder(320, 180, Bitrate::kbps(150));
    assert_eq!(encoder.caps().delay_frames, 0);
    for frame in clips::pattern(320, 180, 10) {
        let packets = encoder.encode(&frame, KeyFrame::AsNeeded).unwrap();
        assert_eq!(packets.len(), 1);
        assert_eq!(packets[0].time, frame.time());
    }
}

#[test]
fn numbers_in_the_picture_survive_at_the_lowest_layer() {
    let frames = clips::pattern(320, 180, 60);
    let packets = encode_all(&mut *encoder(320, 180, Bitrate::kbps(120)), &frames);
    let numbers: Vec<_> = decode_all(&packets)
        .iter()
        .map(TestPattern::read_number)
        .collect();
    assert_eq!(numbers, (0..60).map(Some).collect::<Vec<_>>());
}

#[test]
fn forced_key_frame_starts_a_new_viewer() {
    let frames = clips::pattern(320, 180, 30);
    let mut encoder = encoder(320, 180, Bitrate::kbps(150));
    let mut packets = Vec::new();
    for (index, frame) in frames.iter().enumerate() {
        let key = if index == 20 {
            KeyFrame::Forced
        } else {
            KeyFrame::AsNeeded
        };
        packets.extend(encoder.encode(frame, key).unwrap());
    }
    assert_eq!(keys(&packets), [0, 20]);
    let mut late = decoder();
    assert!(matches!(
        late.decode(&packets[19]),
        Err(DecodeError::NeedsKeyFrame)
    ));
    for (index, packet) in packets.iter().enumerate().skip(20) {
        let picture = late.decode(packet).unwrap().remove(0);
        assert_eq!(TestPattern::read_number(&picture), Some(index as u32));
    }
}

#[test]
fn bitrate_change_takes_effect_without_a_key_frame() {
    let frames = clips::video("carphone", 180);
    let mut encoder = encoder(640, 360, Bitrate::kbps(800));
    let mut packets = Vec::new();
    for (index, frame) in frames.iter().enumerate() {
        if index == 90 {
            encoder.set_bitrate(&[Bitrate::kbps(200)]).unwrap();
        }
        packets.extend(encoder.encode(frame, KeyFrame::AsNeeded).unwrap());
    }
    assert_eq!(keys(&packets), [0]);
    let (before, after) = (kbps(&packets[30..90], 30.0), kbps(&packets[120..], 30.0));
    assert!(after < 0.5 * before, "{before:.0} then {after:.0} kbit/s");
    assert!((100.0..300.0).contains(&after), "{after:.0} kbit/s");
}

#[test]
fn slower_camera_still_gets_its_bitrate() {
    let frames: Vec<VideoFrame> = clips::video("carphone", 60)
        .into_iter()
        .enumerate()
        .map(|(index, frame)| frame.at(MediaTime::from_millis(clips::signed(index) * 100)))
        .collect();
    let packets = encode_all(&mut *encoder(640, 360, Bitrate::kbps(300)), &frames);
    let got = kbps(&packets[20..], 10.0);
    assert!((200.0..450.0).contains(&got), "{got:.0} kbit/s");
}

#[test]
fn frame_after_a_long_pause_is_not_huge() {
    let mut encoder = encoder(640, 360, Bitrate::kbps(300));
    let frames = clips::video("carphone", 31);
    for frame in &frames[..30] {
        encoder.encode(frame, KeyFrame::AsNeeded).unwrap();
    }
    let hour_later = frames[30].clone().at(MediaTime::from_millis(3_600_000));
    let packets = encoder.encode(&hour_later, KeyFrame::AsNeeded).unwrap();
    assert!(
        packets[0].payload.len() < 12_000,
        "{} bytes",
        packets[0].payload.len()
    );
}

#[test]
fn screen_tools_help_text() {
    let frames: Vec<VideoFrame> = clips::video("screen", 30);
    let (width, height) = (frames[0].width(), frames[0].height());
    let of = |content| {
        let mut encoder = open_video_encoder(&VideoEncoderConfig {
            bitrate: Bitrate::kbps(600),
            frame_rate: FrameRate::whole(15),
            content,
            ..VideoEncoderConfig::new(width, height)
        })
        .unwrap();
        assert!(encoder.caps().screen_content);
        let packets = encode_all(&mut *encoder, &frames);
        (
            mean_psnr(&frames, &decode_all(&packets)),
            kbps(&packets, 15.0),
        )
    };
    let ((camera, camera_kbps), (screen, screen_kbps)) = (of(Content::Camera), of(Content::Screen));
    assert!(screen > 30.0, "{screen:.1} dB");
    assert!(
        screen > camera || screen_kbps < camera_kbps,
        "screen {screen:.1} dB {screen_kbps:.0} kbit/s, camera {camera:.1} dB {camera_kbps:.0}"
    );
}

#[test]
fn layers_are_encoded_from_halved_pictures() {
    let frames: Vec<VideoFrame> = clips::video("bikes", 20)
        .iter()
        .map(VideoFrame::halved)
        .collect();
    let mut encoder = encoder(frames[0].width(), frames[0].height(), Bitrate::kbps(200));
    let packets = encode_all(&mut *encoder, &frames);
    assert!(mean_psnr(&frames, &decode_all(&packets)) > 33.0);
}

#[test]
fn odd_sizes_and_two_threads_work() {
    for (width, height, threads) in [(161, 91, 1), (640, 360, 2), (16, 16, 1)] {
        let frames = clips::pattern(width, height, 5);
        let config = VideoEncoderConfig {
            threads,
            ..VideoEncoderConfig::new(width, height)
        };
        let packets = encode_all(&mut *open_video_encoder(&config).unwrap(), &frames);
        let psnr = mean_psnr(&frames, &decode_all(&packets));
        assert!(psnr > 25.0, "{width}x{height}: {psnr:.1} dB");
    }
}

#[test]
fn strides_are_respected() {
    let plain = clips::pattern(160, 96, 1).remove(0);
    let mut padded = Vec::new();
    for plane in parvis_codec::Plane::ALL {
        for row in plain.rows(plane) {
            padded.extend_from_slice(row);
            padded.extend([255; 24]);
        }
    }
    let padded = VideoFrame::with_strides(160, 96, 184, 104, padded.into(), plain.time()).unwrap();
    let of = |frame: &VideoFrame| {
        let mut encoder = encoder(160, 96, Bitrate::kbps(100));
        encoder
            .encode(frame, KeyFrame::AsNeeded)
            .unwrap()
            .remove(0)
            .payload
    };
    assert_eq!(of(&plain), of(&padded));
}

#[test]
fn misuse_is_refused_and_does_no_harm() {
    let mut encoder = encoder(320, 180, Bitrate::kbps(150));
    let frames = clips::pattern(320, 180, 3);
    let misused = |result| matches!(result, Err(EncodeError::Misuse { .. }));
    encoder.encode(&frames[1], KeyFrame::AsNeeded).unwrap();
    assert!(misused(encoder.encode(&frames[0], KeyFrame::AsNeeded)));
    assert!(misused(encoder.encode(&frames[1], KeyFrame::AsNeeded)));
    assert!(misused(
        encoder.encode(&frames[2].halved(), KeyFrame::AsNeeded)
    ));
    assert!(encoder.set_bitrate(&[]).is_err());
    assert!(encoder.set_bitrate(&[Bitrate::kbps(1); 2]).is_err());
    assert_eq!(
        encoder
            .encode(&frames[2], KeyFrame::AsNeeded)
            .unwrap()
            .len(),
        1
    );
    assert!(encoder.flush().unwrap().is_empty());
    let after = frames[2].clone().at(MediaTime::MAX);
    assert!(misused(encoder.encode(&after, KeyFrame::AsNeeded)));
}

#[test]
fn sizes_that_cannot_be_coded_do_not_open() {
    for (width, height) in [(0, 0), (8, 180), (320, 15), (70_000, 180)] {
        let opened = open_video_encoder(&VideoEncoderConfig::new(width, height));
        assert!(
            matches!(
                opened,
                Err(OpenError::Unsupported { .. } | OpenError::Library { .. })
            ),
            "{width}x{height}"
        );
    }
}
