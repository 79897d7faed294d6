//! Enough of AV1's bitstream to put it into containers and to name it.
//!
//! Low-overhead format only (every OBU has its size, but perhaps the last), as WebCodecs, LOC and
//! MP4 carry it. AV1 Bitstream & Decoding Process Specification.

mod bits;
mod config;
mod obu;
mod sequence;

pub use config::{Av1Config, ConfigError, level_for};
pub use obu::strip_temporal_delimiters;
pub use obu::{Obu, ObuError, ObuKind, Obus, contains_key_frame, find_sequence_header, obus};
pub use sequence::SequenceHeader;

#[cfg(test)]
mod tests;
