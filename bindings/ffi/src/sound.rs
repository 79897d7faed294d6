//! Sound that the app lends: of 48 kHz, interleaved, little endian.

use std::{sync::Arc, time::Duration};

use parvis::{
    clock,
    codec::{AudioFrame, Channels, SAMPLE_RATE},
    format::MediaTime,
};

use crate::{ErrorKind, ParvisError};

/// Copies sound of f32, -1 to 1.
///
/// timestamp_us: when its first sample was captured; 0: it ends now.
pub(crate) fn from_f32(
    pcm: &[u8],
    channels: Channels,
    timestamp_us: i64,
) -> Result<AudioFrame, ParvisError> {
    let (samples, rest) = pcm.as_chunks();
    let samples = samples.iter().copied().map(f32::from_le_bytes);
    frame(samples, rest.is_empty(), channels, timestamp_us)
}

/// Copies sound of i16, as [`from_f32`] does.
pub(crate) fn from_i16(
    pcm: &[u8],
    channels: Channels,
    timestamp_us: i64,
) -> Result<AudioFrame, ParvisError> {
    let (samples, rest) = pcm.as_chunks();
    let samples = samples.iter().copied().map(i16::from_le_bytes);
    let samples = samples.map(|sample| f32::from(sample) / 32_768.0);
    frame(samples, rest.is_empty(), channels, timestamp_us)
}

fn frame(
    samples: impl ExactSizeIterator<Item = f32>,
    whole: bool,
    channels: Channels,
    timestamp_us: i64,
) -> Result<AudioFrame, ParvisError> {
    let per_channel = samples.len() / channels.count();
    let duration = Duration::from_secs(per_channel as u64) / SAMPLE_RATE;
    let time = match timestamp_us {
        0 => clock::now() - duration,
        time => MediaTime::from_micros(time),
    };
    let samples: Arc<[f32]> = samples.collect();
    match AudioFrame::new(time, channels, samples) {
        Ok(sound) if whole => Ok(sound),
        _ => Err(ParvisError::new(
            ErrorKind::BadFrame,
            "sound has whole samples of each channel",
        )),
    }
}
