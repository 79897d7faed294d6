use std::time::Duration;

use parvis::{
    codec::{AudioFrame, Channels, SAMPLE_RATE, SAMPLES_PER_FRAME},
    format::MediaTime,
};

/// Cuts sound of any length into the frames of 20 ms that encoders take.
#[derive(Debug)]
pub(super) struct Framing {
    channels: Channels,
    held: Vec<f32>,
    /// When the first sample that is held was captured.
    time: MediaTime,
}

/// Capture times of sound that goes on may differ by so much; more is a gap.
const TOLERANCE: Duration = Duration::from_millis(60);

impl Framing {
    pub(super) const fn new(channels: Channels) -> Self {
        Self {
            channels,
            held: Vec::new(),
            time: MediaTime::ZERO,
        }
    }

    pub(super) const fn channels(&self) -> usize {
        self.channels.count()
    }

    /// How long so many samples sound.
    pub(super) fn duration(&self, samples: usize) -> Duration {
        let nanoseconds = (samples / self.channels()) as u64 * 1_000_000_000;
        Duration::from_nanos(nanoseconds / u64::from(SAMPLE_RATE))
    }

    /// Takes samples that were captured from `time` on; gives each frame that is full.
    pub(super) fn push(
        &mut self,
        samples: impl Iterator<Item = f32>,
        time: MediaTime,
        mut give: impl FnMut(&AudioFrame),
    ) {
        let expected = self.time + self.duration(self.held.len());
        let apart = time.signed_since(expected).unsigned_abs();
        if self.held.is_empty() || u128::from(apart) > TOLERANCE.as_micros() {
            self.held.clear();
            self.time = time;
        }
        self.held.extend(samples);
        let length = SAMPLES_PER_FRAME * self.channels();
        let mut taken = 0;
        while let Some(samples) = self.held.get(taken..taken + length) {
            if let Ok(frame) = AudioFrame::new(self.time, self.channels, samples) {
                give(&frame);
            }
            taken += length;
            self.time += self.duration(length);
        }
        self.held.drain(..taken);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: i64) -> MediaTime {
        MediaTime::from_millis(ms)
    }

    fn pushed(framing: &mut Framing, samples: usize, time: MediaTime) -> Vec<MediaTime> {
        let mut frames = Vec::new();
        let sound = vec![0.5; samples * framing.channels()];
        framing.push(sound.into_iter(), time, |frame| {
            assert_eq!(frame.samples_per_channel(), SAMPLES_PER_FRAME);
            frames.push(frame.time());
        });
        frames
    }

    #[test]
    fn ten_milliseconds_twice_are_a_frame() {
        let mut framing = Framing::new(Channels::Mono);
        assert_eq!(pushed(&mut framing, 480, ms(1000)), []);
        assert_eq!(pushed(&mut framing, 480, ms(1010)), [ms(1000)]);
        assert_eq!(pushed(&mut framing, 480, ms(1020)), []);
    }

    #[test]
    fn a_long_stretch_is_several_frames_and_a_rest() {
        let mut framing = Framing::new(Channels::Stereo);
        assert_eq!(pushed(&mut framing, 2000, ms(0)), [ms(0), ms(20)]);
        assert_eq!(
            pushed(&mut framing, 880, MediaTime::from_micros(41_667)),
            [ms(40)]
        );
    }

    #[test]
    fn what_was_held_before_a_gap_is_dropped() {
        let mut framing = Framing::new(Channels::Mono);
        assert_eq!(pushed(&mut framing, 480, ms(0)), []);
        assert_eq!(pushed(&mut framing, 960, ms(5000)), [ms(5000)]);
    }
}
