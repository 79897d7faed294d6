use std::sync::atomic::{AtomicU32, Ordering};

use parvis_codec::AudioFrame;

/// How loud a sound is, for a bar that an app shows: up at once, down by 20 dB a second. Of a
/// microphone before one joins, or of any sound.
///
/// ```
/// use parvis::{clock, codec::{AudioFrame, Channels}, meeting::LevelMeter};
///
/// let meter = LevelMeter::default();
/// let sound = AudioFrame::new(clock::now(), Channels::Mono, vec![0.5; 960]).unwrap();
/// meter.push(&sound);
/// assert!((meter.decibels() + 6.0).abs() < 0.1);
/// ```
#[derive(Debug)]
pub struct LevelMeter(AtomicU32);

/// Decibels a second.
const FALL: f32 = 20.0;

impl LevelMeter {
    /// What silence is shown as, in decibels of the loudest that can be.
    pub const SILENCE: f32 = -127.0;

    /// Takes sound, as much as a device gives at a time.
    pub fn push(&self, sound: &AudioFrame) {
        let samples = sound.samples();
        let sum: f32 = samples.iter().map(|sample| sample * sample).sum();
        let loud = 10.0 * (sum / samples.len().max(1) as f32).log10();
        // Infinitely little, and what is no number, is silence too.
        let loud = if loud.is_nan() {
            Self::SILENCE
        } else {
            loud.clamp(Self::SILENCE, 0.0)
        };
        let time = sound.samples_per_channel() as f32 / parvis_codec::SAMPLE_RATE as f32;
        let falling = self.decibels() - FALL * time;
        self.set(loud.max(falling));
    }

    /// How loud it is, in decibels of the loudest that can be: 0 to [`SILENCE`](Self::SILENCE).
    pub fn decibels(&self) -> f32 {
        f32::from_bits(self.0.load(Ordering::Relaxed))
    }

    /// Falls silent at once, as a microphone that is muted.
    pub fn clear(&self) {
        self.set(Self::SILENCE);
    }

    fn set(&self, decibels: f32) {
        self.0.store(decibels.to_bits(), Ordering::Relaxed);
    }
}

impl Default for LevelMeter {
    fn default() -> Self {
        Self(AtomicU32::new(Self::SILENCE.to_bits()))
    }
}

#[cfg(test)]
mod tests {
    use parvis_codec::{AudioFrame, Channels};

    use super::*;
    use crate::clock;

    #[test]
    fn a_level_rises_at_once_and_falls_slowly_to_silence() {
        let meter = LevelMeter::default();
        let push = |sample: f32, milliseconds: usize| {
            let samples = vec![sample; milliseconds * 48];
            let sound = AudioFrame::new(clock::now(), Channels::Mono, samples);
            meter.push(&sound.unwrap());
        };
        push(0.0, 20);
        assert!(meter.decibels() <= LevelMeter::SILENCE);
        push(1.0, 20);
        assert!(meter.decibels().abs() < 0.01);
        push(0.0, 500);
        assert!((meter.decibels() + 10.0).abs() < 0.01);
        push(f32::NAN, 10_000);
        assert!(meter.decibels() <= LevelMeter::SILENCE);
        push(1.0, 20);
        meter.clear();
        assert!(meter.decibels() <= LevelMeter::SILENCE);
    }
}
