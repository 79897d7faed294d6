use std::time::Duration;

use bytes::Bytes;

use crate::MediaTime;

/// One encoded video frame (for AV1 a temporal unit) or one encoded audio packet.
///
/// payload: the codec's elementary bitstream without container, as WebCodecs has it in an
/// `EncodedVideoChunk` or `EncodedAudioChunk`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedFrame {
    /// Capture time of its first sample.
    pub time: MediaTime,
    /// How long it is shown or heard, where that is known.
    pub duration: Option<Duration>,
    /// Whether it needs no earlier frame; always true for audio.
    pub key: bool,
    /// Temporal layer, 0 the base, at most 7.
    pub temporal_id: u8,
    /// Spatial layer, 0 the base.
    pub spatial_id: u8,
    /// How loud it is; audio only.
    pub audio_level: Option<AudioLevel>,
    /// The bitstream.
    pub payload: Bytes,
}

impl EncodedFrame {
    /// A video frame of the base layers, of unknown duration.
    pub const fn video(time: MediaTime, key: bool, payload: Bytes) -> Self {
        Self {
            time,
            duration: None,
            key,
            temporal_id: 0,
            spatial_id: 0,
            audio_level: None,
            payload,
        }
    }

    /// An audio packet.
    pub const fn audio(time: MediaTime, duration: Option<Duration>, payload: Bytes) -> Self {
        Self {
            time,
            duration,
            key: true,
            temporal_id: 0,
            spatial_id: 0,
            audio_level: None,
            payload,
        }
    }
}

/// How loud a packet of audio is. RFC 6464, "Header Extension for Audio Levels".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AudioLevel {
    /// Whether the encoder believes it is speech.
    pub voice: bool,
    /// Decibels below the loudest possible signal: 0 is loudest, 127 silence.
    pub below_full_scale: u8,
}

impl AudioLevel {
    /// Digital silence.
    pub const SILENCE: Self = Self {
        voice: false,
        below_full_scale: 127,
    };

    /// Measures samples between -1.0 and 1.0 by their root mean square.
    pub fn measure(samples: &[f32], voice: bool) -> Self {
        if samples.is_empty() {
            return Self {
                voice,
                ..Self::SILENCE
            };
        }
        let sum: f64 = samples.iter().map(|&s| f64::from(s) * f64::from(s)).sum();
        let decibels = -10.0 * (sum / samples.len() as f64).log10();
        // Silence is +infinity and not-a-number input is silence too.
        let level = if decibels.is_nan() {
            127.0
        } else {
            decibels.clamp(0.0, 127.0)
        };
        Self {
            voice,
            below_full_scale: level.round() as u8,
        }
    }

    /// The octet of RFC 6464.
    pub const fn to_octet(self) -> u8 {
        let level = if self.below_full_scale > 127 {
            127
        } else {
            self.below_full_scale
        };
        (self.voice as u8) << 7 | level
    }

    /// From the octet of RFC 6464.
    pub const fn from_octet(octet: u8) -> Self {
        Self {
            voice: octet & 0x80 != 0,
            below_full_scale: octet & 0x7F,
        }
    }
}

#[cfg(test)]
mod tests;
