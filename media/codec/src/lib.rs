//! AV1 and Opus encoders and decoders behind traits.
//!
//! An app opens a codec by its choice and talks to a trait, so that a phone's hardware codec can
//! stand in the same place:
//!
//! ```
//! # #[cfg(all(feature = "aom", feature = "dav1d"))]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use parvis_codec::{
//!     KeyFrame, TestPattern, VideoDecoderConfig, VideoEncoderConfig, open_video_decoder,
//!     open_video_encoder,
//! };
//! use parvis_format::MediaTime;
//!
//! let mut encoder = open_video_encoder(&VideoEncoderConfig::new(320, 180))?;
//! let mut decoder = open_video_decoder(&VideoDecoderConfig::default())?;
//! let frame = TestPattern::new(320, 180).frame(7, MediaTime::from_micros(0));
//! for packet in encoder.encode(&frame, KeyFrame::Forced)? {
//!     for decoded in decoder.decode(&packet)? {
//!         assert_eq!(TestPattern::read_number(&decoded), Some(7));
//!     }
//! }
//! # Ok(())
//! # }
//! # #[cfg(not(all(feature = "aom", feature = "dav1d")))]
//! # fn main() {}
//! ```
//!
//! | Feature | Codec | Library |
//! |---|---|---|
//! | `aom` | AV1 encoder, the default | libaom, built from vendored source |
//! | `rav1e` | AV1 encoder in Rust, four frames of delay | rav1e |
//! | `dav1d` | AV1 decoder | libdav1d of the system, or with `dav1d-vendored` built from source |
//! | `opus` | Opus encoder and decoder | libopus, built from vendored source |
//!
//! All are on by default. A choice whose feature is off is answered by [`OpenError::NotBuilt`].

mod audio;
mod audio_frame;
mod error;
mod factory;
mod open;
mod pattern;
mod quality;
mod rate;
mod video;
mod video_frame;

#[cfg(feature = "aom")]
mod aom;
#[cfg(feature = "dav1d")]
mod dav1d;
#[cfg(feature = "opus")]
mod opus;
#[cfg(feature = "rav1e")]
mod rav1e;

pub use audio::{
    AudioDecoder, AudioDecoderCaps, AudioDecoderChoice, AudioDecoderConfig, AudioEncoder,
    AudioEncoderCaps, AudioEncoderChoice, AudioEncoderConfig, Loss, LossPercent,
};
pub use audio_frame::{AudioFrame, AudioFrameError, Channels, SAMPLE_RATE, SAMPLES_PER_FRAME};
pub use error::{DecodeError, EncodeError, OpenError};
pub use factory::{CodecOutput, VideoDecoderFactory, VideoEncoderFactory};
pub use open::{open_audio_decoder, open_audio_encoder, open_video_decoder, open_video_encoder};
pub use pattern::{TestPattern, test_tone};
pub use quality::{correlation, psnr_luma, signal_to_noise};
pub use rate::{Bitrate, FrameRate};
pub use video::{
    Content, InputFormat, KeyFrame, VideoDecoder, VideoDecoderCaps, VideoDecoderChoice,
    VideoDecoderConfig, VideoEncoder, VideoEncoderCaps, VideoEncoderChoice, VideoEncoderConfig,
};
pub use video_frame::{Plane, VideoFrame, VideoFrameError};
