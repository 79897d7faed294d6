use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, PoisonError},
};

/// A bounded queue into an encoder's thread. When it is full the oldest entry goes: what was
/// captured last is worth most.
#[derive(Debug)]
pub(crate) struct FreshQueue<T>(Arc<Inner<T>>);

#[derive(Debug)]
struct Inner<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    capacity: usize,
}

#[derive(Debug)]
struct State<T> {
    entries: VecDeque<T>,
    closed: bool,
}

impl<T> Clone for FreshQueue<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> FreshQueue<T> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self(Arc::new(Inner {
            state: Mutex::new(State {
                entries: VecDeque::new(),
                closed: false,
            }),
            changed: Condvar::new(),
            capacity,
        }))
    }

    /// Adds an entry; returns whether an older one was dropped for it, or it for a closed queue.
    pub(crate) fn push(&self, entry: T) -> bool {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.closed {
            return true;
        }
        let full = state.entries.len() >= self.0.capacity;
        if full {
            state.entries.pop_front();
        }
        state.entries.push_back(entry);
        self.0.changed.notify_one();
        full
    }

    /// Waits for the oldest entry; `None`: the queue is closed and empty.
    pub(crate) fn pop(&self) -> Option<T> {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(entry) = state.entries.pop_front() {
                return Some(entry);
            }
            if state.closed {
                return None;
            }
            state = self
                .0
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes no more entries; those inside are still given out.
    pub(crate) fn close(&self) {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.closed = true;
        self.0.changed.notify_all();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.0
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .closed
    }
}
