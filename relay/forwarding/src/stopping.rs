//! Tracks that the operator stopped.

use std::time::Instant;

use parvis_wire::{FullTrackName, PublishDoneCode, RequestErrorCode};

use crate::{Forwarder, Receiver, forwarder::request_error};

pub(crate) const STOPPED: &str = "the track was stopped";

impl Forwarder {
    /// Ends a track at once; nobody publishes or gets it until it is allowed again.
    pub(crate) fn stop_track(&mut self, name: FullTrackName, now: Instant) {
        let key = self.names.get(&name).copied();
        self.stopped.insert(name);
        let Some(key) = key else { return };
        self.tracks[key.0].ending = None;
        self.cancel_upstreams(key);
        self.finish_all(key, PublishDoneCode::Unauthorized, STOPPED);
        self.clear_objects(key);
        let error = request_error(RequestErrorCode::Unauthorized, STOPPED);
        self.stop_fetches(key, &error);
        self.reject_waiting(key, &error);
        self.settle(key, now);
    }

    /// Rejects a request for a track that is stopped; says whether it did.
    pub(crate) fn reject_stopped(&mut self, from: Receiver, name: &FullTrackName) -> bool {
        let stopped = self.stopped.contains(name);
        if stopped {
            self.reject(from, RequestErrorCode::Unauthorized, STOPPED);
        }
        stopped
    }
}
