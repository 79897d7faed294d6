use parvis_format::MediaTime;

use super::*;

const PULL: usize = 10 * MS;

/// So many milliseconds of a constant.
fn sound(ms: usize) -> AudioFrame {
    AudioFrame::new(MediaTime::ZERO, Channels::Mono, vec![0.5; ms * MS]).unwrap()
}

/// Pulls 10 ms; whether anything is heard.
fn pull(buffer: &mut VoiceBuffer) -> bool {
    let mut out = [0.0; PULL];
    buffer.mix_into(&mut out, 1.0);
    out.iter().any(|sample| *sample != 0.0)
}

/// Pulls until nothing is heard; how many milliseconds were.
fn drain(buffer: &mut VoiceBuffer) -> usize {
    let mut heard = 0;
    while pull(buffer) {
        heard += 10;
    }
    heard
}

#[test]
fn it_begins_when_40_ms_wait() {
    let mut buffer = VoiceBuffer::new(Channels::Mono);
    buffer.push(&sound(20));
    assert!(!pull(&mut buffer));
    buffer.push(&sound(20));
    assert_eq!(drain(&mut buffer), 40);
}

#[test]
fn it_waits_longer_after_the_network_left_it_dry() {
    let mut buffer = VoiceBuffer::new(Channels::Mono);
    let mut waits = Vec::new();
    for _ in 0..8 {
        let mut wait = 0;
        while !pull(&mut buffer) {
            wait += 20;
            buffer.push(&sound(20));
        }
        waits.push(wait);
        drain(&mut buffer);
    }
    assert_eq!(waits, [40, 60, 80, 100, 120, 140, 160, 160]);
}

#[test]
fn it_does_not_wait_longer_after_a_pause_of_the_speaker() {
    let mut buffer = VoiceBuffer::new(Channels::Mono);
    for _ in 0..3 {
        buffer.push(&sound(40));
        assert_eq!(drain(&mut buffer), 40);
        for _ in 0..101 {
            assert!(!pull(&mut buffer));
        }
    }
}

#[test]
fn it_waits_less_again_when_all_is_well() {
    let mut buffer = VoiceBuffer::new(Channels::Mono);
    buffer.target = 60 * MS;
    buffer.push(&sound(70));
    for _ in 0..1000 {
        assert!(pull(&mut buffer));
        buffer.push(&sound(10));
    }
    assert_eq!(buffer.target, 50 * MS);
}

#[test]
fn what_piles_up_becomes_less_by_10_ms_a_second() {
    let mut buffer = VoiceBuffer::new(Channels::Mono);
    buffer.push(&sound(200));
    let mut lengths = Vec::new();
    for _ in 0..3 {
        for _ in 0..100 {
            assert!(pull(&mut buffer));
            buffer.push(&sound(10));
        }
        lengths.push(buffer.waiting() / MS);
    }
    assert_eq!(lengths, [190, 180, 170]);
    // A constant stays one: nothing clicks.
    assert!(
        buffer
            .samples
            .iter()
            .all(|sample| (sample - 0.5).abs() < 1e-6)
    );
}

#[test]
fn a_flood_is_dropped_down_to_the_target() {
    let mut buffer = VoiceBuffer::new(Channels::Mono);
    assert_eq!(buffer.push(&sound(400)), 0);
    assert_eq!(buffer.push(&sound(20)), 380 * MS);
    assert_eq!(drain(&mut buffer), 40);
}

#[test]
fn a_volume_is_reached_without_a_click() {
    let mut buffer = VoiceBuffer::new(Channels::Mono);
    buffer.push(&sound(100));
    let mut volumes = Vec::new();
    for gain in [1.0, 1.0, 0.5, 0.5, 0.0, 0.0] {
        let mut out = [0.0; PULL];
        buffer.mix_into(&mut out, gain);
        let steps = out.windows(2).map(|pair| (pair[1] - pair[0]).abs());
        assert!(steps.fold(0.0, f32::max) < 0.01);
        volumes.push(out[PULL - 1]);
    }
    let near = [0.5, 0.5, 0.25, 0.25, 0.0, 0.0];
    for (got, wanted) in volumes.iter().zip(near) {
        assert!((got - wanted).abs() < 0.002, "{volumes:?}");
    }
}

#[test]
fn channels_are_those_of_the_mix() {
    let mut buffer = VoiceBuffer::new(Channels::Stereo);
    buffer.push(&sound(60));
    let mut out = [0.0; 2 * PULL];
    buffer.mix_into(&mut out, 1.0);
    buffer.mix_into(&mut out, 1.0);
    assert!(
        out.chunks_exact(2)
            .all(|frame| frame[0].to_bits() == frame[1].to_bits())
    );
    let stereo = AudioFrame::new(MediaTime::ZERO, Channels::Stereo, vec![0.25; 96]).unwrap();
    let mut buffer = VoiceBuffer::new(Channels::Mono);
    buffer.push(&stereo);
    assert_eq!(buffer.samples, [0.25; 48]);
}
