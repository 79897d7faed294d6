use bytes::Bytes;
use parvis_codec::{
    AudioEncoderConfig, AudioFrame, Bitrate, Channels, DecodeError, Loss, LossPercent,
    SAMPLES_PER_FRAME, correlation,
};
use parvis_format::{EncodedFrame, MediaTime};

use crate::clips::{self, Random};
use crate::opus::{decoder, encode_all, encoder, samples};

fn energy(frame: &AudioFrame) -> f32 {
    frame.samples().iter().map(|sample| sample * sample).sum()
}

#[test]
fn lost_packet_is_filled_with_sound_like_the_one_before() {
    let packets = encode_all(
        &mut *encoder(&AudioEncoderConfig::default()),
        &clips::tone(40, Channels::Mono),
    );
    let mut decoder = decoder(Channels::Mono);
    let mut before = None;
    for packet in &packets[..30] {
        before = Some(decoder.decode(packet).unwrap());
    }
    let time = packets[30].time;
    let concealed = decoder.conceal(Loss { time, next: None }).unwrap();
    assert_eq!(concealed.time(), time);
    assert_eq!(concealed.samples_per_channel(), SAMPLES_PER_FRAME);
    let ratio = energy(&concealed) / energy(&before.unwrap());
    assert!((0.2..3.0).contains(&ratio), "{ratio}");
    decoder.decode(&packets[31]).unwrap();
}

#[test]
fn long_loss_fades_out() {
    let packets = encode_all(
        &mut *encoder(&AudioEncoderConfig::default()),
        &clips::tone(30, Channels::Mono),
    );
    let mut decoder = decoder(Channels::Mono);
    let mut last = None;
    for packet in &packets {
        last = Some(decoder.decode(packet).unwrap());
    }
    let mut concealed = Vec::new();
    for index in 30..130 {
        let time = clips::audio_time(index);
        concealed.push(decoder.conceal(Loss { time, next: None }).unwrap());
    }
    assert!(energy(&concealed[99]) < 0.01 * energy(&last.unwrap()));
}

#[test]
fn concealment_tells_more_of_speech_than_silence_and_redundancy_more_still() {
    let frames = clips::speech(300);
    let mut encoder = encoder(&AudioEncoderConfig {
        bitrate: Bitrate::kbps(32),
        forward_error_correction: true,
        expected_loss: LossPercent::new(20),
        ..AudioEncoderConfig::default()
    });
    let lookahead = encoder.caps().lookahead_samples as usize;
    let packets = encode_all(&mut *encoder, &frames);
    // Every fifth packet is lost; the comparison is over the lost stretches alone.
    let alike = |with_next: bool| {
        let mut decoder = decoder(Channels::Mono);
        let mut decoded = Vec::new();
        for (index, packet) in packets.iter().enumerate() {
            let frame = if index % 5 == 4 {
                let next = packets.get(index + 1).filter(|_| with_next);
                decoder.conceal(Loss {
                    time: packet.time,
                    next,
                })
            } else {
                decoder.decode(packet)
            };
            let frame = frame.unwrap();
            assert_eq!(frame.samples_per_channel(), SAMPLES_PER_FRAME);
            decoded.push(frame);
        }
        let (original, decoded) = (samples(&frames), samples(&decoded));
        let (mut wanted, mut got) = (Vec::new(), Vec::new());
        for lost in (4..packets.len() - 1).step_by(5) {
            let start = lost * SAMPLES_PER_FRAME;
            wanted.extend_from_slice(&original[start - lookahead..][..SAMPLES_PER_FRAME]);
            got.extend_from_slice(&decoded[start..][..SAMPLES_PER_FRAME]);
        }
        correlation(&wanted, &got)
    };
    let (concealed, redundant) = (alike(false), alike(true));
    assert!(concealed > 0.2, "{concealed:.2} concealed");
    assert!(
        redundant > concealed,
        "{concealed:.2} concealed, {redundant:.2} redundant"
    );
}

#[test]
fn concealing_before_anything_was_heard_is_silence() {
    let mut decoder = decoder(Channels::Mono);
    let frame = decoder
        .conceal(Loss {
            time: MediaTime::ZERO,
            next: None,
        })
        .unwrap();
    assert_eq!(frame.samples_per_channel(), SAMPLES_PER_FRAME);
    assert!(energy(&frame) < 1e-6);
}

#[test]
fn reset_forgets_the_past() {
    let packets = encode_all(
        &mut *encoder(&AudioEncoderConfig::default()),
        &clips::tone(20, Channels::Mono),
    );
    let (mut used, mut fresh) = (decoder(Channels::Mono), decoder(Channels::Mono));
    for packet in &packets[..10] {
        used.decode(packet).unwrap();
    }
    used.reset();
    assert_eq!(
        used.decode(&packets[15]).unwrap(),
        fresh.decode(&packets[15]).unwrap()
    );
}

#[test]
fn packets_with_a_wrong_structure_are_corrupt() {
    let mut decoder = decoder(Channels::Mono);
    // Nothing; code 3 without its count; code 3 with no frames; code 2 with a length beyond the end.
    for payload in [vec![], vec![0xff], vec![0xff, 0], vec![0xfe, 0xfc, 0xff]] {
        let packet = EncodedFrame::audio(MediaTime::ZERO, None, Bytes::from(payload));
        let result = decoder.decode(&packet);
        assert!(
            matches!(result, Err(DecodeError::Corrupt(_))),
            "{packet:?}: {result:?}"
        );
        // As a next packet it has nothing to offer, and that is no error.
        let loss = Loss {
            time: MediaTime::ZERO,
            next: Some(&packet),
        };
        assert!(decoder.conceal(loss).is_ok());
    }
}

#[test]
fn damaged_packets_never_crash_and_sound_goes_on() {
    let packets = encode_all(
        &mut *encoder(&AudioEncoderConfig::default()),
        &clips::speech(60),
    );
    let mut refused = 0;
    for seed in 0..120 {
        let mut random = Random(seed);
        let mut decoder = decoder(Channels::Mono);
        for (index, packet) in packets.iter().enumerate().take(30) {
            let payload = match random.below(4) {
                0 => random.damaged(&packet.payload).into(),
                1 => (0..random.below(300))
                    .map(|_| random.next() as u8)
                    .collect(),
                _ => packet.payload.clone(),
            };
            let packet = EncodedFrame {
                payload,
                ..packet.clone()
            };
            match decoder.decode(&packet) {
                Ok(frame) => assert!(frame.samples_per_channel() <= 6 * SAMPLES_PER_FRAME),
                Err(_) => refused += 1,
            }
            if random.below(4) == 0 {
                let next = packets.get(index + 1);
                decoder
                    .conceal(Loss {
                        time: packet.time,
                        next,
                    })
                    .unwrap();
            }
        }
        let frame = decoder.decode(&packets[40]).unwrap();
        assert_eq!(
            frame.samples_per_channel(),
            SAMPLES_PER_FRAME,
            "seed {seed}"
        );
        assert!(
            frame.samples().iter().all(|sample| sample.is_finite()),
            "seed {seed}"
        );
    }
    assert!(refused > 100, "{refused}");
}
