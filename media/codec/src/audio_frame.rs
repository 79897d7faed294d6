//! Uncompressed sound.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parvis_format::MediaTime;

/// Samples a second and channel, everywhere in this crate.
pub const SAMPLE_RATE: u32 = 48_000;

/// Samples a channel in a frame of 20 ms.
pub const SAMPLES_PER_FRAME: usize = 960;

/// A stretch of sound: interleaved f32 of 48 kHz, -1 to 1. A clone shares the samples.
#[derive(Clone, PartialEq)]
pub struct AudioFrame {
    time: MediaTime,
    channels: Channels,
    samples: Arc<[f32]>,
}

impl AudioFrame {
    /// Wraps interleaved samples; their number must be a multiple of the channels.
    pub fn new(
        time: MediaTime,
        channels: Channels,
        samples: impl Into<Arc<[f32]>>,
    ) -> Result<Self, AudioFrameError> {
        let samples = samples.into();
        if !samples.len().is_multiple_of(channels.count()) {
            return Err(AudioFrameError {
                samples: samples.len(),
            });
        }
        Ok(Self {
            time,
            channels,
            samples,
        })
    }

    /// When its first sample was captured, or is to be heard.
    pub fn time(&self) -> MediaTime {
        self.time
    }

    /// Mono or stereo.
    pub fn channels(&self) -> Channels {
        self.channels
    }

    /// The interleaved samples.
    pub fn samples(&self) -> &[f32] {
        &self.samples
    }

    /// Number of samples a channel.
    pub fn samples_per_channel(&self) -> usize {
        self.samples.len() / self.channels.count()
    }

    /// How long it sounds.
    pub fn duration(&self) -> Duration {
        let nanoseconds = self.samples_per_channel() as u64 * 1_000_000_000;
        Duration::from_nanos(nanoseconds / u64::from(SAMPLE_RATE))
    }
}

impl fmt::Debug for AudioFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AudioFrame")
            .field("time", &self.time)
            .field("channels", &self.channels)
            .field("samples_per_channel", &self.samples_per_channel())
            .finish_non_exhaustive()
    }
}

/// How many signals are interleaved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Channels {
    /// One.
    #[default]
    Mono,
    /// Left and right.
    Stereo,
}

impl Channels {
    /// One or two.
    pub const fn count(self) -> usize {
        match self {
            Self::Mono => 1,
            Self::Stereo => 2,
        }
    }
}

/// An odd number of samples cannot be stereo.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{samples} samples do not divide among two channels")]
pub struct AudioFrameError {
    samples: usize,
}
