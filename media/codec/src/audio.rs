//! The traits of audio codecs and what they are opened with.

use parvis_format::{EncodedFrame, MediaTime};

use crate::{AudioFrame, Bitrate, Channels, DecodeError, EncodeError};

/// Turns sound into packets.
pub trait AudioEncoder: Send {
    /// Tells what this encoder can do.
    fn caps(&self) -> &AudioEncoderCaps;

    /// Encodes one frame of [`AudioEncoderCaps::samples_per_frame`] samples a channel.
    ///
    /// Returns no packet for silence that discontinuous transmission leaves out.
    fn encode(&mut self, frame: &AudioFrame) -> Result<Vec<EncodedFrame>, EncodeError>;

    /// Changes the target bitrate.
    fn set_bitrate(&mut self, bitrate: Bitrate) -> Result<(), EncodeError>;

    /// Tells the share of packets that gets lost on the way, by which the codec weighs redundancy.
    fn set_expected_loss(&mut self, loss: LossPercent) -> Result<(), EncodeError>;
}

/// Turns packets into sound.
pub trait AudioDecoder: Send {
    /// Tells what this decoder can do.
    fn caps(&self) -> &AudioDecoderCaps;

    /// Decodes one packet.
    fn decode(&mut self, packet: &EncodedFrame) -> Result<AudioFrame, DecodeError>;

    /// Makes sound for a packet that did not come in time, so that a loss is no click.
    fn conceal(&mut self, loss: Loss<'_>) -> Result<AudioFrame, DecodeError>;

    /// Forgets the past: another stream follows.
    fn reset(&mut self);
}

/// A packet that is missing at its playout time.
#[derive(Debug, Clone, Copy)]
pub struct Loss<'a> {
    /// Media time of the missing packet.
    pub time: MediaTime,
    /// The packet right after the missing one, if it is there already: it may carry a copy of the
    /// lost sound (forward error correction). It must still be decoded afterwards.
    pub next: Option<&'a EncodedFrame>,
}

/// A share of lost packets, 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct LossPercent(u8);

impl LossPercent {
    /// Caps the share at 100.
    pub fn new(percent: u8) -> Self {
        Self(percent.min(100))
    }

    /// The share in percent.
    pub fn percent(self) -> u8 {
        self.0
    }
}

/// What an audio encoder can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudioEncoderCaps {
    /// Name of the implementation, for logs and reports.
    pub name: &'static str,
    /// The code that catalogs use (`opus`).
    pub codec: &'static str,
    /// Samples a channel that every frame must have.
    pub samples_per_frame: usize,
    /// Samples a channel by which decoded sound lies behind the input.
    pub lookahead_samples: u32,
    /// Whether [`AudioEncoder::set_bitrate`] works.
    pub live_bitrate: bool,
}

/// What an audio decoder can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudioDecoderCaps {
    /// Name of the implementation, for logs and reports.
    pub name: &'static str,
    /// The code that catalogs use (`opus`).
    pub codec: &'static str,
    /// Whether [`Loss::next`] is used.
    pub forward_error_correction: bool,
}

/// Which audio encoder to open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AudioEncoderChoice {
    /// libopus.
    #[default]
    Opus,
}

/// What an audio encoder is opened with. 48 kHz, 20 ms frames.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudioEncoderConfig {
    /// Which implementation.
    pub choice: AudioEncoderChoice,
    /// Mono or stereo.
    pub channels: Channels,
    /// Target bitrate.
    pub bitrate: Bitrate,
    /// Whether packets carry a coarse copy of the one before, once a loss is expected.
    pub forward_error_correction: bool,
    /// The loss expected from the start.
    pub expected_loss: LossPercent,
    /// Whether silence is left out. Off by default: receivers tell silence from loss by packets.
    pub discontinuous: bool,
    /// Effort, 0 to 10.
    pub complexity: u8,
}

impl Default for AudioEncoderConfig {
    fn default() -> Self {
        Self {
            choice: AudioEncoderChoice::default(),
            channels: Channels::Mono,
            bitrate: Bitrate::kbps(32),
            forward_error_correction: false,
            expected_loss: LossPercent::default(),
            discontinuous: false,
            complexity: 9,
        }
    }
}

/// Which audio decoder to open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AudioDecoderChoice {
    /// libopus, with concealment by its neural network.
    #[default]
    Opus,
}

/// What an audio decoder is opened with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudioDecoderConfig {
    /// Which implementation.
    pub choice: AudioDecoderChoice,
    /// Mono or stereo output, whatever the packets have.
    pub channels: Channels,
}

impl Default for AudioDecoderConfig {
    fn default() -> Self {
        Self {
            choice: AudioDecoderChoice::default(),
            channels: Channels::Mono,
        }
    }
}
