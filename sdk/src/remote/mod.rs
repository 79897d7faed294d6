//! Tracks that are received.

mod audio;
mod counters;
mod picture_decoder;
mod track;
mod video;

pub use audio::{DecodedAudio, RemoteAudio};
pub use counters::RemoteStats;
pub use track::RemoteTrack;
pub use video::{DecodedVideo, RemoteVideo};

pub(crate) use counters::RemoteCounters;
