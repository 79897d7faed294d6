//! Puts the frames of a track in order: groups travel on streams of their own and overtake each
//! other. Pure: the time is an argument.

mod audio;
mod video;

pub use audio::AudioOrder;
pub use video::VideoOrder;

use parvis_wire::Location;

/// A frame with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed<T> {
    /// Its place.
    pub location: Location,
    /// Whether it can be decoded without an earlier one.
    pub key: bool,
    /// The frame.
    pub frame: T,
}

/// What an order gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ordered<T> {
    /// The next frame.
    Frame(Placed<T>),
    /// Frames are missing right before the next one: so many as are known of.
    Gap(u64),
    /// A frame came too late, or without what it needs, and was dropped; those that follow are
    /// not concerned.
    Dropped,
    /// Nothing can be decoded until a key frame comes: ask for one.
    NeedKey,
}

#[cfg(test)]
mod tests;
