use parvis::{codec::Channels, meeting};

use crate::{ParvisError, options, sound};

/// How loud a sound is, for a bar that an app shows: up at once, down by 20 dB a second. Of a
/// microphone before one joins, or of any sound.
#[derive(uniffi::Object)]
pub struct LevelMeter {
    meter: meeting::LevelMeter,
    channels: Channels,
}

#[uniffi::export]
impl LevelMeter {
    /// Silent so far.
    ///
    /// channels: 1 or 2; what is pushed is interleaved.
    #[uniffi::constructor(default(channels = 1))]
    pub fn new(channels: i32) -> Result<Self, ParvisError> {
        Ok(Self {
            meter: meeting::LevelMeter::default(),
            channels: options::channels(channels)?,
        })
    }

    /// Takes sound, as much as a device gives at a time.
    ///
    /// pcm: interleaved f32, little endian, 48 kHz, -1 to 1.
    pub fn push_f32(&self, pcm: &[u8]) -> Result<(), ParvisError> {
        self.meter.push(&sound::from_f32(pcm, self.channels, 0)?);
        Ok(())
    }

    /// Takes sound as [`LevelMeter::push_f32`] does.
    ///
    /// pcm: interleaved i16, little endian, 48 kHz.
    pub fn push_i16(&self, pcm: &[u8]) -> Result<(), ParvisError> {
        self.meter.push(&sound::from_i16(pcm, self.channels, 0)?);
        Ok(())
    }

    /// How loud it is, in decibels of the loudest that can be: 0 to -127, which is silence.
    pub fn decibels(&self) -> f32 {
        self.meter.decibels()
    }

    /// Falls silent at once, as a microphone that is muted.
    pub fn clear(&self) {
        self.meter.clear();
    }
}
