use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use crate::{Limit, Stats};

/// What others see of a shard.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    stats: Mutex<Stats>,
    /// What newcomers ran into; counted by the endpoint's own decision.
    newcomers: [AtomicU64; Limit::ALL.len()],
    draining: AtomicBool,
}

impl Shared {
    /// As of the last time that the shard had something to do.
    pub(crate) fn stats(&self) -> Stats {
        // Poisoned: a reader panicked, which is nothing to the others.
        let mut stats = *self.stats.lock().unwrap_or_else(PoisonError::into_inner);
        for (sum, count) in stats.limits.iter_mut().zip(&self.newcomers) {
            *sum += count.load(Ordering::Relaxed);
        }
        stats
    }

    pub(super) fn publish(&self, stats: &Stats) {
        *self.stats.lock().unwrap_or_else(PoisonError::into_inner) = *stats;
    }

    pub(crate) fn count_newcomer(&self, limit: Limit) {
        self.newcomers[limit as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Lets nobody in any more.
    pub(super) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}
