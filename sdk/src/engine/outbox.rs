use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use parvis_format::EncodedFrame;

use super::flusher::Flusher;

/// Frames that wait for the engine, at most; beyond, new ones are refused.
const CAPACITY: usize = 32;

/// The queue from a track's encoder to the engine.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outbox(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    frames: VecDeque<EncodedFrame>,
    /// A frame was refused: those that depend on it are refused too.
    broken: bool,
    ended: bool,
    closed: bool,
}

impl Outbox {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn pop(&self) -> Option<EncodedFrame> {
        self.state().frames.pop_front()
    }

    /// Whether no frame is inside and none follows.
    pub(crate) fn is_over(&self) -> bool {
        let state = self.state();
        state.ended && state.frames.is_empty()
    }

    /// Refuses every further frame.
    pub(crate) fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        state.frames.clear();
    }
}

/// The encoder's end of an [`Outbox`]. Dropping it ends the track.
#[derive(Debug)]
pub(crate) struct MediaSender {
    outbox: Outbox,
    flusher: Arc<Flusher>,
}

impl MediaSender {
    pub(super) fn new(outbox: Outbox, flusher: Arc<Flusher>) -> Self {
        Self { outbox, flusher }
    }

    /// Hands a frame to the engine; returns whether it was taken.
    pub(crate) fn send(&self, frame: EncodedFrame) -> bool {
        {
            let mut state = self.outbox.state();
            state.broken &= !frame.key;
            if state.closed || state.ended || state.broken {
                return false;
            }
            if state.frames.len() >= CAPACITY {
                state.broken = true;
                return false;
            }
            state.frames.push_back(frame);
        }
        self.flusher.flush();
        true
    }

    /// Ends the track after the frames that were sent.
    pub(crate) fn end(&self) {
        self.outbox.state().ended = true;
        self.flusher.flush();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.outbox.state().closed
    }
}

impl Drop for MediaSender {
    fn drop(&mut self) {
        self.end();
    }
}
