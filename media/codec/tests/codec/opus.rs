use std::time::Duration;

use parvis_codec::{
    AudioDecoder, AudioDecoderConfig, AudioEncoder, AudioEncoderConfig, AudioFrame, Bitrate,
    Channels, EncodeError, LossPercent, SAMPLES_PER_FRAME, correlation, open_audio_decoder,
    open_audio_encoder, signal_to_noise,
};
use parvis_format::EncodedFrame;

use crate::clips;

pub fn encoder(config: &AudioEncoderConfig) -> Box<dyn AudioEncoder> {
    open_audio_encoder(config).unwrap()
}

pub fn decoder(channels: Channels) -> Box<dyn AudioDecoder> {
    open_audio_decoder(&AudioDecoderConfig {
        channels,
        ..AudioDecoderConfig::default()
    })
    .unwrap()
}

pub fn encode_all(encoder: &mut dyn AudioEncoder, frames: &[AudioFrame]) -> Vec<EncodedFrame> {
    frames
        .iter()
        .flat_map(|frame| encoder.encode(frame).unwrap())
        .collect()
}

pub fn samples(frames: &[AudioFrame]) -> Vec<f32> {
    frames
        .iter()
        .flat_map(|frame| frame.samples().iter().copied())
        .collect()
}

fn kbps(packets: &[EncodedFrame]) -> f64 {
    let bytes: usize = packets.iter().map(|packet| packet.payload.len()).sum();
    bytes as f64 * 8.0 / (packets.len() as f64 * 20.0)
}

#[test]
fn speech_keeps_its_samples_times_and_shape() {
    let frames = clips::speech(250);
    let mut encoder = encoder(&AudioEncoderConfig::default());
    let lookahead = encoder.caps().lookahead_samples as usize;
    let packets = encode_all(&mut *encoder, &frames);
    assert_eq!(packets.len(), frames.len());
    let mut decoder = decoder(Channels::Mono);
    let decoded: Vec<AudioFrame> = packets
        .iter()
        .map(|packet| decoder.decode(packet).unwrap())
        .collect();
    for (original, decoded) in frames.iter().zip(&decoded) {
        assert_eq!(decoded.time(), original.time());
        assert_eq!(decoded.samples_per_channel(), SAMPLES_PER_FRAME);
    }
    let (original, decoded) = (samples(&frames), samples(&decoded));
    let alike = correlation(&original, &decoded[lookahead..]);
    let snr = signal_to_noise(&original, &decoded[lookahead..]);
    assert!(alike > 0.85, "correlation {alike:.3}, {snr:.1} dB");
    assert!(snr > 5.0, "{snr:.1} dB");
}

#[test]
fn packets_have_the_bitrate_and_say_how_loud_they_are() {
    let frames = clips::speech(250);
    let packets = encode_all(&mut *encoder(&AudioEncoderConfig::default()), &frames);
    let got = kbps(&packets);
    assert!((20.0..40.0).contains(&got), "{got:.1} kbit/s");
    assert!(
        packets
            .iter()
            .all(|packet| packet.key && packet.audio_level.is_some())
    );
    assert!(
        packets
            .iter()
            .all(|packet| packet.duration == Some(Duration::from_millis(20)))
    );
    let voiced = packets
        .iter()
        .filter(|p| p.audio_level.is_some_and(|level| level.voice))
        .count();
    assert!(voiced > packets.len() / 4, "{voiced}");
}

#[test]
fn bitrate_change_takes_effect() {
    let frames = clips::speech(400);
    let mut encoder = encoder(&AudioEncoderConfig::default());
    let before = kbps(&encode_all(&mut *encoder, &frames[..200]));
    encoder.set_bitrate(Bitrate::kbps(12)).unwrap();
    let after = kbps(&encode_all(&mut *encoder, &frames[200..]));
    assert!(after < 0.6 * before, "{before:.1} then {after:.1} kbit/s");
}

#[test]
fn stereo_keeps_its_sides_apart() {
    let left = clips::speech(100);
    let frames: Vec<AudioFrame> = left
        .iter()
        .map(|frame| {
            let sides: Vec<f32> = frame
                .samples()
                .iter()
                .flat_map(|&left| [left, 0.0])
                .collect();
            AudioFrame::new(frame.time(), Channels::Stereo, sides).unwrap()
        })
        .collect();
    let mut encoder = encoder(&AudioEncoderConfig {
        channels: Channels::Stereo,
        bitrate: Bitrate::kbps(64),
        ..AudioEncoderConfig::default()
    });
    let mut decoder = decoder(Channels::Stereo);
    let (mut on_left, mut on_right) = (0.0, 0.0);
    for packet in encode_all(&mut *encoder, &frames) {
        let frame = decoder.decode(&packet).unwrap();
        assert_eq!(frame.samples().len(), 2 * SAMPLES_PER_FRAME);
        for sides in frame.samples().chunks_exact(2) {
            on_left += sides[0] * sides[0];
            on_right += sides[1] * sides[1];
        }
    }
    assert!(
        on_right < 0.05 * on_left,
        "{on_left} left, {on_right} right"
    );
}

#[test]
fn decoder_gives_the_channels_it_was_opened_with() {
    let packets = encode_all(
        &mut *encoder(&AudioEncoderConfig::default()),
        &clips::tone(3, Channels::Mono),
    );
    let frame = decoder(Channels::Stereo).decode(&packets[2]).unwrap();
    assert_eq!(
        (frame.channels(), frame.samples().len()),
        (Channels::Stereo, 1920)
    );
}

#[test]
fn silence_is_sent_unless_it_is_to_be_left_out() {
    let silence: Vec<AudioFrame> = (0..100)
        .map(|index| {
            AudioFrame::new(clips::audio_time(index), Channels::Mono, vec![0.0; 960]).unwrap()
        })
        .collect();
    let sent = |discontinuous| {
        let config = AudioEncoderConfig {
            discontinuous,
            ..AudioEncoderConfig::default()
        };
        encode_all(&mut *encoder(&config), &silence).len()
    };
    assert_eq!(sent(false), 100);
    assert!(sent(true) < 30);
}

#[test]
fn misuse_is_refused() {
    let mut encoder = encoder(&AudioEncoderConfig::default());
    let time = clips::audio_time(0);
    let short = AudioFrame::new(time, Channels::Mono, vec![0.0; 480]).unwrap();
    let stereo = AudioFrame::new(time, Channels::Stereo, vec![0.0; 1920]).unwrap();
    for frame in [short, stereo] {
        assert!(matches!(
            encoder.encode(&frame),
            Err(EncodeError::Misuse { .. })
        ));
    }
    let config = AudioEncoderConfig {
        complexity: 11,
        ..AudioEncoderConfig::default()
    };
    assert!(open_audio_encoder(&config).is_err());
    encoder.set_expected_loss(LossPercent::new(255)).unwrap();
    let not_finite = [f32::NAN, f32::INFINITY].repeat(480);
    let frame = AudioFrame::new(time, Channels::Mono, not_finite).unwrap();
    assert!(encoder.encode(&frame).is_ok());
}
