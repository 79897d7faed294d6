use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use tokio::sync::Notify;

use crate::{CodecInUse, LocalStats};

/// What a published track's subscribers want of its encoder.
///
/// The engine writes it, the encoder's thread reads it before each frame.
#[derive(Debug, Clone, Default)]
pub(crate) struct Demand(Arc<Flags>);

#[derive(Debug, Default)]
struct Flags {
    watched: AtomicBool,
    key: AtomicBool,
    economy: AtomicBool,
    encoded: AtomicU64,
    dropped: AtomicU64,
    bytes: AtomicU64,
    codec: Mutex<Option<CodecInUse>>,
    changed: Arc<Notify>,
}

impl Demand {
    /// One whose changes wake who waits for this.
    pub(crate) fn waking(changed: &Arc<Notify>) -> Self {
        Self(Arc::new(Flags {
            changed: Arc::clone(changed),
            ..Flags::default()
        }))
    }

    /// Whether anybody takes the track's frames.
    pub(crate) fn is_watched(&self) -> bool {
        self.0.watched.load(Ordering::Acquire)
    }

    pub(crate) fn set_watched(&self, watched: bool) {
        if self.0.watched.swap(watched, Ordering::AcqRel) != watched {
            self.0.changed.notify_one();
        }
    }

    /// Asks for a key frame as soon as possible.
    pub(crate) fn ask_key(&self) {
        self.0.key.store(true, Ordering::Release);
        self.0.changed.notify_one();
    }

    /// Whether a key frame was asked for since the last call.
    pub(crate) fn take_key(&self) -> bool {
        self.0.key.swap(false, Ordering::AcqRel)
    }

    /// Whether a key frame is asked for.
    pub(crate) fn wants_key(&self) -> bool {
        self.0.key.load(Ordering::Acquire)
    }

    /// Whether the track is to take half of its bitrate.
    pub(crate) fn is_economical(&self) -> bool {
        self.0.economy.load(Ordering::Acquire)
    }

    pub(crate) fn set_economical(&self, economical: bool) {
        if self.0.economy.swap(economical, Ordering::AcqRel) != economical {
            self.0.changed.notify_one();
        }
    }

    pub(crate) fn count_encoded(&self, bytes: usize) {
        self.0.encoded.fetch_add(1, Ordering::Relaxed);
        self.0.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn count_dropped(&self) {
        self.0.dropped.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn set_codec(&self, codec: CodecInUse) {
        let mut known = self.0.codec.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some(codec);
    }

    /// The figures of a track.
    pub(crate) fn stats(&self, track: &str) -> LocalStats {
        let codec = self.0.codec.lock().unwrap_or_else(PoisonError::into_inner);
        LocalStats {
            track: track.to_owned(),
            watched: self.is_watched(),
            encoded: self.0.encoded.load(Ordering::Relaxed),
            dropped: self.0.dropped.load(Ordering::Relaxed),
            bytes: self.0.bytes.load(Ordering::Relaxed),
            codec: codec.clone(),
        }
    }
}
