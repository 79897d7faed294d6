//! Pictures and sound that are published instead of a camera's and a microphone's: from files and
//! from generators.
//!
//! ```
//! let source = parvis::source::open("test:320x180@15")?;
//! assert!(source.video().is_some());
//! # Ok::<(), parvis::SourceError>(())
//! ```

mod capture;
mod encoded;
mod generated;
mod media;
mod open;
mod playback;
mod player;
mod wav_files;
mod y4m_file;

pub use capture::Capture;
pub use encoded::EncodedFile;
pub use media::{AudioInput, MediaSource, Pictures, Sound, VideoInput};
pub use open::open;
pub use playback::{PlayOptions, Playback};

#[cfg(test)]
mod tests;
