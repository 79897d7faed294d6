use parvis::{DecodedAudio, codec::AudioFrame as Sound, format::MediaTime};

use crate::numbers::signed;

/// A stretch of sound that was received: interleaved f32 of 48 kHz, -1 to 1, in the library's memory.
#[derive(uniffi::Object)]
pub struct AudioFrame {
    sound: Sound,
    level: Option<u8>,
    arrived: Option<MediaTime>,
}

/// Where a stretch of sound lies. The address holds while its [`AudioFrame`] lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct AudioLayout {
    /// The first sample.
    pub address: i64,
    /// How many samples there are, of all channels.
    pub samples: i32,
    /// 1 or 2.
    pub channels: i32,
    /// When the first sample was captured, by the publisher's wall clock, microseconds since 1970.
    pub timestamp_us: i64,
    /// Decibels below the loudest possible signal, as the publisher says: 0 is loudest, 127 silence.
    pub below_full_scale: Option<i32>,
    /// When it had come whole, by this machine's wall clock, microseconds since 1970; none: it did not come
    /// and was made up, or is mixed.
    pub arrived_us: Option<i64>,
}

#[uniffi::export]
impl AudioFrame {
    /// Where the samples lie, and when they were captured.
    pub fn layout(&self) -> AudioLayout {
        let samples = self.sound.samples();
        AudioLayout {
            address: signed(samples.as_ptr() as u64),
            samples: i32::try_from(samples.len()).unwrap_or(i32::MAX),
            channels: if self.sound.channels().count() == 1 {
                1
            } else {
                2
            },
            timestamp_us: self.sound.time().as_micros(),
            below_full_scale: self.level.map(i32::from),
            arrived_us: self.arrived.map(MediaTime::as_micros),
        }
    }

    /// A copy of the samples, little endian; for tests and tools, since it crosses by value.
    pub fn copy(&self) -> Vec<u8> {
        let samples = self.sound.samples().iter();
        samples.flat_map(|sample| sample.to_le_bytes()).collect()
    }
}

impl From<Sound> for AudioFrame {
    fn from(sound: Sound) -> Self {
        Self {
            sound,
            level: None,
            arrived: None,
        }
    }
}

impl From<DecodedAudio> for AudioFrame {
    fn from(decoded: DecodedAudio) -> Self {
        Self {
            level: decoded.level.map(|level| level.below_full_scale),
            sound: decoded.frame,
            arrived: decoded.arrived,
        }
    }
}
