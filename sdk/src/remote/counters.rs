use std::sync::atomic::{AtomicU64, Ordering};

/// What became of the frames of a received track.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RemoteStats {
    /// Frames that came.
    pub received: u64,
    /// Bytes of these frames.
    pub bytes: u64,
    /// Frames that had not come when it was their turn.
    pub missing: u64,
    /// Frames that came after their turn, or without the ones they need.
    pub late: u64,
    /// Frames that came a second time, as over two connections while the room moves.
    pub duplicate: u64,
    /// Frames dropped because they were not taken as fast as they came.
    pub skipped: u64,
    /// Objects that are no frames.
    pub malformed: u64,
    /// Frames that did not decode.
    pub undecodable: u64,
}

#[derive(Debug, Default)]
pub(crate) struct RemoteCounters {
    received: AtomicU64,
    bytes: AtomicU64,
    missing: AtomicU64,
    late: AtomicU64,
    duplicate: AtomicU64,
    skipped: AtomicU64,
    malformed: AtomicU64,
    undecodable: AtomicU64,
}

impl RemoteCounters {
    pub(crate) fn count_received(&self, bytes: usize) {
        self.received.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn count_missing(&self, frames: u64) {
        self.missing.fetch_add(frames, Ordering::Relaxed);
    }

    pub(crate) fn count_late(&self) {
        self.late.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_duplicate(&self) {
        self.duplicate.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_skipped(&self) {
        self.skipped.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_malformed(&self) {
        self.malformed.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_undecodable(&self) {
        self.undecodable.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn stats(&self) -> RemoteStats {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        RemoteStats {
            received: load(&self.received),
            bytes: load(&self.bytes),
            missing: load(&self.missing),
            late: load(&self.late),
            duplicate: load(&self.duplicate),
            skipped: load(&self.skipped),
            malformed: load(&self.malformed),
            undecodable: load(&self.undecodable),
        }
    }
}
