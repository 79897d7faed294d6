//! Errors of codecs, by who can do something about them.

use std::borrow::Cow;

use parvis_format::MediaTime;

use crate::{VideoFrame, VideoFrameError};

/// Why a codec could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The crate was built without the feature.
    #[error("{0} is not in this build")]
    NotBuilt(&'static str),
    /// The configuration asks for what this codec cannot do.
    #[error("{codec} cannot do {what}")]
    Unsupported {
        /// The implementation.
        codec: Cow<'static, str>,
        /// What was asked for.
        what: String,
    },
    /// The library refused.
    #[error("{codec} did not open: {reason}")]
    Library {
        /// The implementation.
        codec: Cow<'static, str>,
        /// The library's words.
        reason: String,
    },
}

/// Why a frame was not encoded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The encoder cannot do this at all; its caps say so.
    #[error("{codec} cannot do {what}")]
    Unsupported {
        /// The implementation.
        codec: Cow<'static, str>,
        /// What was asked for.
        what: &'static str,
    },
    /// The caller gave something that does not fit the configuration.
    #[error("expected {expected}, got {got}")]
    Misuse {
        /// What the encoder takes.
        expected: String,
        /// What it was given.
        got: String,
    },
    /// The library failed.
    #[error("{codec} failed: {reason}")]
    Library {
        /// The implementation.
        codec: Cow<'static, str>,
        /// The library's words.
        reason: String,
    },
}

impl EncodeError {
    /// What an encoder answers to a frame after its flush.
    pub fn after_flush() -> Self {
        Self::Misuse {
            expected: "no frame after flush".to_owned(),
            got: "one".to_owned(),
        }
    }

    /// Refuses a frame of another size than the encoder was opened with.
    pub fn check_size(frame: &VideoFrame, width: u32, height: u32) -> Result<(), Self> {
        if (frame.width(), frame.height()) == (width, height) {
            return Ok(());
        }
        Err(Self::Misuse {
            expected: format!("{width}x{height}"),
            got: format!("{}x{}", frame.width(), frame.height()),
        })
    }

    /// Refuses a frame that is not after the last one.
    pub fn check_order(last: Option<MediaTime>, time: MediaTime) -> Result<(), Self> {
        match last {
            Some(last) if time <= last => Err(Self::Misuse {
                expected: format!("a frame after {} µs", last.as_micros()),
                got: format!("one of {} µs", time.as_micros()),
            }),
            _ => Ok(()),
        }
    }
}

/// Why a packet gave no picture or no sound. After any of these a video decoder needs a key frame.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The decoder has no reference: it wants a key frame and got another packet, which it did not
    /// look at.
    #[error("a key frame has to come first")]
    NeedsKeyFrame,
    /// The packet is damaged or is not of this codec.
    #[error("corrupt packet: {0}")]
    Corrupt(String),
    /// The packet may be well formed, but it is not what meetings send (10 bit, 4:4:4).
    #[error("unsupported stream: {0}")]
    Unsupported(String),
    /// The picture is larger than [`crate::VideoDecoderConfig::max_pixels`].
    #[error("a picture of more than {max_pixels} pixels")]
    TooLarge {
        /// The limit.
        max_pixels: u32,
    },
    /// The library failed for a reason that is not the packet's.
    #[error("{codec} failed: {reason}")]
    Library {
        /// The implementation.
        codec: Cow<'static, str>,
        /// The library's words.
        reason: String,
    },
}

impl From<VideoFrameError> for DecodeError {
    fn from(error: VideoFrameError) -> Self {
        Self::Unsupported(error.to_string())
    }
}
