use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use crate::LocalStats;

/// What a published track's subscribers want of its encoder.
///
/// The engine writes it, the encoder's thread reads it before each frame.
#[derive(Debug, Clone, Default)]
pub(crate) struct Demand(Arc<Flags>);

#[derive(Debug, Default)]
struct Flags {
    watched: AtomicBool,
    key: AtomicBool,
    encoded: AtomicU64,
    dropped: AtomicU64,
}

impl Demand {
    /// Whether anybody takes the track's frames.
    pub(crate) fn is_watched(&self) -> bool {
        self.0.watched.load(Ordering::Acquire)
    }

    pub(crate) fn set_watched(&self, watched: bool) {
        self.0.watched.store(watched, Ordering::Release);
    }

    /// Asks for a key frame as soon as possible.
    pub(crate) fn ask_key(&self) {
        self.0.key.store(true, Ordering::Release);
    }

    /// Whether a key frame was asked for since the last call.
    pub(crate) fn take_key(&self) -> bool {
        self.0.key.swap(false, Ordering::AcqRel)
    }

    pub(crate) fn count_encoded(&self) {
        self.0.encoded.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_dropped(&self) {
        self.0.dropped.fetch_add(1, Ordering::Relaxed);
    }

    /// The figures of a track.
    pub(crate) fn stats(&self, track: &str) -> LocalStats {
        LocalStats {
            track: track.to_owned(),
            watched: self.is_watched(),
            encoded: self.0.encoded.load(Ordering::Relaxed),
            dropped: self.0.dropped.load(Ordering::Relaxed),
        }
    }
}
