//! MP4 files: a crash-safe fragmented writer and a demultiplexing reader, AV1 and Opus.
//!
//! The [`Writer`] puts the description of the tracks first and then a fragment a second, so that a
//! file that was cut off plays up to its last whole fragment. The [`Reader`] reads such files and
//! ordinary ones.
//!
//! ```
//! use std::io::Cursor;
//!
//! use parvis_format::{AudioParams, EncodedFrame, MediaTime, mp4};
//!
//! let mut writer = mp4::Writer::new(Vec::new(), mp4::Options::default());
//! let microphone = writer.add_audio(&AudioParams::opus(1))?;
//! for packet in 0..100 {
//!     let time = MediaTime::from_millis(20 * packet);
//!     writer.write(microphone, EncodedFrame::audio(time, None, vec![0x08, 1, 2].into()))?;
//! }
//! let file = writer.finish()?;
//!
//! let mut reader = mp4::Reader::new(Cursor::new(file))?;
//! let first = reader.read()?.expect("a packet");
//! assert_eq!(first.frame.time, MediaTime::ZERO);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod boxes;
mod fragment;
mod header;
mod reader;
mod writer;

pub use reader::{Demuxed, ReadError, Reader, Track, TrackParams, UnsupportedTrack};
pub use writer::{Options, Pauses, TrackId, WriteError, Writer};

#[cfg(test)]
mod tests;
