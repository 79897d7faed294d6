//! Reads WAV audio into floating point samples at 48 kHz.
//!
//! Integers of 8, 16, 24 and 32 bits and floats of 32, mono and stereo. There is no resampling:
//! another rate is an error that says how to convert the file.

use std::{io, io::Read};

use thiserror::Error;

use crate::fill::fill;

/// Why a file is no audio that can be read here.
#[derive(Debug, Error)]
pub enum WavError {
    /// The input failed.
    #[error("reading the WAV file: {0}")]
    Io(#[from] io::Error),
    /// It does not start as it must.
    #[error("the file does not start with RIFF and WAVE")]
    NoWav,
    /// The file ends early.
    #[error("the file ends inside {0}")]
    Truncated(&'static str),
    /// Samples come before their description.
    #[error("the samples come before the chunk \"fmt \" that describes them")]
    NoFormat,
    /// The description is too short or contradicts itself.
    #[error("the chunk \"fmt \" is malformed: {0}")]
    Format(&'static str),
    /// Another encoding of samples.
    #[error(
        "samples have encoding {tag:#06x} of {bits} bits, expected PCM of 8 to 32 bits or floats of 32"
    )]
    Encoding {
        /// Its number in WAV.
        tag: u16,
        /// Bits a sample.
        bits: u16,
    },
    /// Another rate.
    #[error(
        "the sample rate is {0} Hz, expected 48000; convert with: ffmpeg -i IN -ar 48000 OUT.wav"
    )]
    SampleRate(u32),
    /// More channels.
    #[error("the file has {0} channels, expected 1 or 2; convert with: ffmpeg -i IN -ac 2 OUT.wav")]
    Channels(u16),
}

/// Reads samples of a WAV file.
#[derive(Debug)]
pub struct Reader<R> {
    input: R,
    channels: u8,
    encoding: Encoding,
    /// Bytes of samples that are left; `None`: to the end of the file.
    left: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    U8,
    I16,
    I24,
    I32,
    F32,
}

impl<R: Read> Reader<R> {
    /// Reads up to the samples.
    pub fn new(mut input: R) -> Result<Self, WavError> {
        let mut riff = [0; 12];
        if fill(&mut input, &mut riff)? < riff.len()
            || &riff[..4] != b"RIFF"
            || &riff[8..] != b"WAVE"
        {
            return Err(WavError::NoWav);
        }
        let mut format = None;
        loop {
            let mut header = [0; 8];
            if fill(&mut input, &mut header)? < header.len() {
                return Err(WavError::Truncated("a chunk before the samples"));
            }
            let [id @ .., s0, s1, s2, s3] = header;
            let size = u32::from_le_bytes([s0, s1, s2, s3]);
            match &id {
                b"fmt " => format = Some(read_format(&mut input, size)?),
                b"data" => {
                    let (channels, encoding) = format.ok_or(WavError::NoFormat)?;
                    // Programs that cannot seek leave the size open.
                    let left = (size != u32::MAX && size != 0).then_some(size);
                    return Ok(Self {
                        input,
                        channels,
                        encoding,
                        left,
                    });
                }
                _ => skip(&mut input, padded(size))?,
            }
        }
    }

    /// Channels: 1 or 2.
    pub const fn channels(&self) -> u8 {
        self.channels
    }

    /// Appends up to `frames` samples of each channel, interleaved, between -1.0 and 1.0; says how
    /// many of each channel there were, 0 at the end.
    pub fn read(&mut self, frames: usize, samples: &mut Vec<f32>) -> Result<usize, WavError> {
        let frame = self.encoding.bytes() * usize::from(self.channels);
        let mut buffer = vec![0; frames.min(MAX_FRAMES) * frame];
        if let Some(left) = self.left {
            buffer.truncate(left as usize);
        }
        let got = fill(&mut self.input, &mut buffer)?;
        if let Some(left) = &mut self.left {
            if got < buffer.len() {
                return Err(WavError::Truncated("the samples"));
            }
            *left -= got as u32;
        }
        let whole = got - got % frame;
        let bytes = &buffer[..whole];
        samples.extend(
            bytes
                .chunks_exact(self.encoding.bytes())
                .map(|s| self.encoding.sample(s)),
        );
        Ok(whole / frame)
    }
}

impl Encoding {
    const fn bytes(self) -> usize {
        match self {
            Self::U8 => 1,
            Self::I16 => 2,
            Self::I24 => 3,
            Self::I32 | Self::F32 => 4,
        }
    }

    /// bytes: as many as [`Encoding::bytes`] says.
    fn sample(self, bytes: &[u8]) -> f32 {
        match (self, bytes) {
            (Self::U8, &[a]) => (f32::from(a) - 128.0) / 128.0,
            (Self::I16, &[a, b]) => f32::from(i16::from_le_bytes([a, b])) / 32_768.0,
            (Self::I24, &[a, b, c]) => scaled([0, a, b, c]),
            (Self::I32, &[a, b, c, d]) => scaled([a, b, c, d]),
            (Self::F32, &[a, b, c, d]) => {
                let sample = f32::from_le_bytes([a, b, c, d]);
                if sample.is_finite() {
                    sample.clamp(-1.0, 1.0)
                } else {
                    0.0
                }
            }
            _ => 0.0,
        }
    }
}

fn scaled(bytes: [u8; 4]) -> f32 {
    i32::from_le_bytes(bytes) as f32 / 2_147_483_648.0
}

fn read_format<R: Read>(input: &mut R, size: u32) -> Result<(u8, Encoding), WavError> {
    if size < 16 {
        return Err(WavError::Format("it has fewer than 16 bytes"));
    }
    let mut fields = [0; 26];
    let known = fields.len().min(size as usize);
    if fill(input, &mut fields[..known])? < known {
        return Err(WavError::Truncated("the chunk \"fmt \""));
    }
    skip(input, padded(size) - known as u64)?;
    let u16_at = |at: usize| u16::from_le_bytes([fields[at], fields[at + 1]]);
    let (channels, bits) = (u16_at(2), u16_at(14));
    let rate = u32::from(u16_at(4)) | u32::from(u16_at(6)) << 16;
    // WAVE_FORMAT_EXTENSIBLE says the encoding at the start of its GUID.
    let tag = match u16_at(0) {
        0xFFFE if known == fields.len() => u16_at(24),
        tag => tag,
    };
    let encoding = match (tag, bits) {
        (1, 8) => Encoding::U8,
        (1, 16) => Encoding::I16,
        (1, 24) => Encoding::I24,
        (1, 32) => Encoding::I32,
        (3, 32) => Encoding::F32,
        _ => return Err(WavError::Encoding { tag, bits }),
    };
    if rate != 48_000 {
        return Err(WavError::SampleRate(rate));
    }
    let count = match channels {
        1 => 1,
        2 => 2,
        more => return Err(WavError::Channels(more)),
    };
    if usize::from(u16_at(12)) != encoding.bytes() * usize::from(count) {
        return Err(WavError::Format(
            "its block size contradicts its channels and bits",
        ));
    }
    Ok((count, encoding))
}

/// Chunks have an even number of bytes in the file.
fn padded(size: u32) -> u64 {
    u64::from(size) + u64::from(size % 2)
}

fn skip<R: Read>(input: &mut R, bytes: u64) -> Result<(), WavError> {
    if io::copy(&mut input.take(bytes), &mut io::sink())? < bytes {
        return Err(WavError::Truncated("a chunk before the samples"));
    }
    Ok(())
}

/// Samples of a channel in a call at most.
const MAX_FRAMES: usize = 48_000;

#[cfg(test)]
mod tests;
