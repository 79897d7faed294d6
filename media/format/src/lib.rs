//! Media time, encoded frames, and the formats that carry them: LOC objects, the MSF catalog, MP4,
//! y4m and wav.
//!
//! Pure: bytes come from and go to [`std::io::Read`], [`std::io::Write`] and [`std::io::Seek`]
//! that the caller opens; nothing here reads a clock.
//!
//! ```
//! use parvis_format::{EncodedFrame, MediaTime};
//!
//! let frame = EncodedFrame::video(MediaTime::from_millis(40), true, vec![0x12, 0x00].into());
//! assert_eq!(frame.time.as_micros(), 40_000);
//! ```

pub mod av1;
pub mod catalog;
mod fill;
mod frame;
pub mod loc;
pub mod mp4;
pub mod opus;
mod params;
#[cfg(test)]
mod samples;
mod time;
pub mod wav;
pub mod y4m;

pub use frame::{AudioLevel, EncodedFrame};
pub use params::{AudioCodec, AudioParams, MediaKind, VideoCodec, VideoParams};
pub use time::{MediaTime, Timescale};
