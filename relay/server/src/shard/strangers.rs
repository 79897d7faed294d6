//! Sessions that have shown no token.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// How many there are on all threads, and may be.
#[derive(Debug, Clone)]
pub(crate) struct Strangers {
    all: Arc<AtomicUsize>,
    most: usize,
    threads: usize,
}

/// One of them, which is counted for as long as this is kept.
#[derive(Debug)]
pub(super) struct Stranger(Arc<AtomicUsize>);

impl Strangers {
    pub(crate) fn new(most: usize, threads: usize) -> Self {
        Self {
            all: Arc::default(),
            most,
            threads,
        }
    }

    /// One more has come.
    pub(super) fn arrives(&self) -> Stranger {
        self.all.fetch_add(1, Ordering::Relaxed);
        Stranger(Arc::clone(&self.all))
    }

    /// Whether one of so many on this thread has to go: there are too many in all, and this thread has more than
    /// its share of them.
    pub(super) fn are_too_many(&self, here: usize) -> bool {
        self.all.load(Ordering::Relaxed) > self.most && here > self.most / self.threads
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thread_may_have_all_of_them_and_gives_its_surplus_up_only() {
        let one = Strangers::new(4, 2);
        let other = one.clone();
        let mut here: Vec<Stranger> = (0..4).map(|_| one.arrives()).collect();
        assert!(!one.are_too_many(here.len()));
        // They are too many, and it is not this one that has them.
        let there = [other.arrives()];
        assert!(!other.are_too_many(there.len()));
        here.push(one.arrives());
        assert!(one.are_too_many(here.len()));
        here.truncate(3);
        assert!(!one.are_too_many(here.len()));
    }
}
