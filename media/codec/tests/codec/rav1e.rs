use parvis_codec::{
    Bitrate, Content, EncodeError, KeyFrame, OpenError, VideoEncoder, VideoEncoderChoice,
    VideoEncoderConfig, VideoFrame, open_video_encoder,
};

use crate::clips;
use crate::video::{decode_all, encode_all, keys, mean_psnr};

fn config(width: u32, height: u32) -> VideoEncoderConfig {
    VideoEncoderConfig {
        choice: VideoEncoderChoice::Rav1e,
        ..VideoEncoderConfig::new(width, height)
    }
}

fn encoder(width: u32, height: u32) -> Box<dyn VideoEncoder> {
    open_video_encoder(&config(width, height)).unwrap()
}

#[test]
fn real_clip_keeps_its_frames_times_and_quality() {
    let frames: Vec<VideoFrame> = clips::video("carphone", 40)
        .iter()
        .map(VideoFrame::halved)
        .collect();
    let packets = encode_all(
        &mut *encoder(frames[0].width(), frames[0].height()),
        &frames,
    );
    assert_eq!(keys(&packets), [0]);
    let psnr = mean_psnr(&frames, &decode_all(&packets));
    assert!(psnr > 33.0, "{psnr:.1} dB");
}

#[test]
fn delay_is_what_the_caps_say() {
    let mut encoder = encoder(160, 96);
    let delay = encoder.caps().delay_frames as usize;
    let frames = clips::pattern(160, 96, 20);
    let mut came_out = 0;
    let mut most_held = 0;
    for (index, frame) in frames.iter().enumerate() {
        came_out += encoder.encode(frame, KeyFrame::AsNeeded).unwrap().len();
        most_held = most_held.max(index + 1 - came_out);
    }
    assert_eq!(most_held, delay);
    came_out += encoder.flush().unwrap().len();
    assert_eq!(came_out, frames.len());
}

#[test]
fn forced_key_frame_is_the_frame_it_was_asked_for() {
    let mut encoder = encoder(160, 96);
    let mut packets = Vec::new();
    for (index, frame) in clips::pattern(160, 96, 20).iter().enumerate() {
        let key = if index == 9 {
            KeyFrame::Forced
        } else {
            KeyFrame::AsNeeded
        };
        packets.extend(encoder.encode(frame, key).unwrap());
    }
    packets.extend(encoder.flush().unwrap());
    assert_eq!(keys(&packets), [0, 9]);
    assert_eq!(packets[9].time, clips::time_of(9));
    assert_eq!(decode_all(&packets[9..]).len(), 11);
}

#[test]
fn what_it_cannot_do_is_said() {
    let mut encoder = encoder(160, 96);
    assert!(!encoder.caps().live_bitrate);
    let change = encoder.set_bitrate(&[Bitrate::kbps(100)]);
    assert!(matches!(change, Err(EncodeError::Unsupported { .. })));
    let screen = VideoEncoderConfig {
        content: Content::Screen,
        ..config(160, 96)
    };
    assert!(matches!(
        open_video_encoder(&screen),
        Err(OpenError::Unsupported { .. })
    ));
    assert!(open_video_encoder(&config(8, 8)).is_err());
}
