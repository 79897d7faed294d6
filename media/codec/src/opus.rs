//! Opus over libopus: 48 kHz, frames of 20 ms.

mod context;

use std::time::Duration;

use bytes::Bytes;
use parvis_format::{AudioLevel, EncodedFrame, MediaTime};

use crate::{
    AudioDecoder, AudioDecoderCaps, AudioDecoderConfig, AudioEncoder, AudioEncoderCaps,
    AudioEncoderConfig, AudioFrame, Bitrate, Channels, DecodeError, EncodeError, Loss, LossPercent,
    OpenError, SAMPLE_RATE, SAMPLES_PER_FRAME,
};
use context::{DecoderContext, LibraryError, Source};

/// Tuned for speech.
pub(crate) struct OpusEncoder {
    encoder: ::opus::Encoder,
    channels: Channels,
    discontinuous: bool,
    caps: AudioEncoderCaps,
}

impl OpusEncoder {
    pub(crate) fn open(config: &AudioEncoderConfig) -> Result<Self, OpenError> {
        if config.complexity > 10 {
            let what = format!("complexity {}", config.complexity);
            return Err(OpenError::Unsupported {
                codec: NAME.into(),
                what,
            });
        }
        let channels = match config.channels {
            Channels::Mono => ::opus::Channels::Mono,
            Channels::Stereo => ::opus::Channels::Stereo,
        };
        let mut encoder = ::opus::Encoder::new(SAMPLE_RATE, channels, ::opus::Application::Voip)?;
        encoder.set_bitrate(bits(config.bitrate))?;
        encoder.set_complexity(i32::from(config.complexity))?;
        encoder.set_inband_fec(config.forward_error_correction)?;
        encoder.set_packet_loss_perc(i32::from(config.expected_loss.percent()))?;
        encoder.set_dtx(config.discontinuous)?;
        let lookahead = encoder.get_lookahead()?;
        Ok(Self {
            encoder,
            channels: config.channels,
            discontinuous: config.discontinuous,
            caps: AudioEncoderCaps {
                name: NAME,
                codec: "opus",
                samples_per_frame: SAMPLES_PER_FRAME,
                lookahead_samples: u32::try_from(lookahead).unwrap_or(0),
                live_bitrate: true,
            },
        })
    }
}

impl AudioEncoder for OpusEncoder {
    fn caps(&self) -> &AudioEncoderCaps {
        &self.caps
    }

    fn encode(&mut self, frame: &AudioFrame) -> Result<Vec<EncodedFrame>, EncodeError> {
        let got = (frame.channels(), frame.samples_per_channel());
        if got != (self.channels, SAMPLES_PER_FRAME) {
            return Err(EncodeError::Misuse {
                expected: format!("{SAMPLES_PER_FRAME} samples, {:?}", self.channels),
                got: format!("{} samples, {:?}", got.1, got.0),
            });
        }
        let mut packet = [0; MAX_PACKET];
        let length = self.encoder.encode_float(frame.samples(), &mut packet)?;
        if self.discontinuous && length <= SILENT_PACKET {
            return Ok(Vec::new());
        }
        let payload = Bytes::copy_from_slice(&packet[..length]);
        let mut packet = EncodedFrame::audio(frame.time(), Some(FRAME_DURATION), payload);
        packet.audio_level = Some(audio_level(frame.samples()));
        Ok(vec![packet])
    }

    fn set_bitrate(&mut self, bitrate: Bitrate) -> Result<(), EncodeError> {
        Ok(self.encoder.set_bitrate(bits(bitrate))?)
    }

    fn set_expected_loss(&mut self, loss: LossPercent) -> Result<(), EncodeError> {
        Ok(self
            .encoder
            .set_packet_loss_perc(i32::from(loss.percent()))?)
    }
}

/// Conceals losses with libopus's neural network, or with the next packet's redundancy.
pub(crate) struct OpusDecoder {
    context: DecoderContext,
    channels: Channels,
}

impl OpusDecoder {
    pub(crate) fn open(config: &AudioDecoderConfig) -> Result<Self, OpenError> {
        let context =
            DecoderContext::open(config.channels).map_err(|error| OpenError::Library {
                codec: NAME.into(),
                reason: error.to_string(),
            })?;
        Ok(Self {
            context,
            channels: config.channels,
        })
    }

    fn frame(&self, time: MediaTime, samples: Vec<f32>) -> Result<AudioFrame, DecodeError> {
        AudioFrame::new(time, self.channels, samples)
            .map_err(|error| DecodeError::Unsupported(error.to_string()))
    }
}

impl AudioDecoder for OpusDecoder {
    fn caps(&self) -> &AudioDecoderCaps {
        &DECODER_CAPS
    }

    fn decode(&mut self, packet: &EncodedFrame) -> Result<AudioFrame, DecodeError> {
        if packet.payload.is_empty() {
            return Err(DecodeError::Corrupt("empty packet".to_owned()));
        }
        let samples = self.context.decode(Source::Packet(&packet.payload))?;
        self.frame(packet.time, samples)
    }

    fn conceal(&mut self, loss: Loss<'_>) -> Result<AudioFrame, DecodeError> {
        let samples = match loss.next {
            Some(next) if !next.payload.is_empty() => {
                // A damaged packet has nothing to offer for the one before it either.
                let redundant = self.context.decode(Source::RedundancyOf(&next.payload));
                redundant.or_else(|_| self.context.decode(Source::Nothing))?
            }
            _ => self.context.decode(Source::Nothing)?,
        };
        self.frame(loss.time, samples)
    }

    fn reset(&mut self) {
        self.context.reset();
    }
}

/// Calls speech what is above the noise of a quiet room.
fn audio_level(samples: &[f32]) -> AudioLevel {
    let level = AudioLevel::measure(samples, false);
    AudioLevel {
        voice: level.below_full_scale < QUIET_ROOM,
        ..level
    }
}

fn bits(bitrate: Bitrate) -> ::opus::Bitrate {
    ::opus::Bitrate::Bits(i32::try_from(bitrate.as_bps()).unwrap_or(i32::MAX))
}

impl From<::opus::Error> for OpenError {
    fn from(error: ::opus::Error) -> Self {
        Self::Library {
            codec: NAME.into(),
            reason: error.to_string(),
        }
    }
}

impl From<::opus::Error> for EncodeError {
    fn from(error: ::opus::Error) -> Self {
        Self::Library {
            codec: NAME.into(),
            reason: error.to_string(),
        }
    }
}

impl From<LibraryError> for DecodeError {
    fn from(error: LibraryError) -> Self {
        match error {
            LibraryError::InvalidPacket => Self::Corrupt(error.to_string()),
            LibraryError::Code(_) => Self::Library {
                codec: NAME.into(),
                reason: error.to_string(),
            },
        }
    }
}

const NAME: &str = "libopus";
const FRAME_DURATION: Duration = Duration::from_millis(20);
/// The largest that RFC 6716 allows for a frame of 20 ms, and some room.
const MAX_PACKET: usize = 1500;
/// Packets up to this long say only that nothing is sent.
const SILENT_PACKET: usize = 2;
/// Decibels below full scale.
const QUIET_ROOM: u8 = 50;
const DECODER_CAPS: AudioDecoderCaps = AudioDecoderCaps {
    name: NAME,
    codec: "opus",
    forward_error_correction: true,
};
