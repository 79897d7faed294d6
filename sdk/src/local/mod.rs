//! Tracks that this participant publishes: encoders in threads of their own.

mod audio;
mod encoded;
mod encoded_video;
mod layer;
mod layer_encoder;
mod queue;
mod reframing;
mod video;

pub use audio::{AudioOptions, LocalAudio};
pub use encoded::LocalEncoded;
pub use encoded_video::{EncodedDemand, LocalEncodedVideo};
pub use layer::VideoLayer;
pub use video::{LocalVideo, VideoOptions};

pub(crate) use queue::FreshQueue;

/// What became of the frames of a published track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalStats {
    /// The track, such as `camera/360p`.
    pub track: String,
    /// Whether anybody takes its frames.
    pub watched: bool,
    /// Frames that were encoded.
    pub encoded: u64,
    /// Frames that were dropped because encoding or sending was behind.
    pub dropped: u64,
    /// Bytes of the frames that were encoded.
    pub bytes: u64,
    /// The video encoder; `None`: of sound, or of frames that were encoded elsewhere.
    pub codec: Option<crate::CodecInUse>,
}

#[cfg(test)]
mod tests;
