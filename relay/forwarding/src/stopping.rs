//! Tracks that the operator stopped.

use std::time::Instant;

use parvis_wire::{FullTrackName, PublishDoneCode, RequestErrorCode, TrackName};

use crate::{Forwarder, Receiver, forwarder::request_error, keys::TrackKey};

pub(crate) const STOPPED: &str = "the track was stopped";

impl Forwarder {
    /// Ends a track, and those whose names go on behind its own with a `/`, at once; nobody
    /// publishes or gets them until they are allowed again.
    pub(crate) fn stop_track(&mut self, name: FullTrackName, now: Instant) {
        let keys: Vec<TrackKey> = self
            .tracks_under(name.namespace())
            .into_iter()
            .filter(|key| covers(&name, &self.tracks[key.0].name))
            .collect();
        self.stopped.insert(name);
        for key in keys {
            self.end_stopped(key, now);
        }
    }

    fn end_stopped(&mut self, key: TrackKey, now: Instant) {
        // What one end sets off may have removed another track.
        let Some(track) = self.tracks.get_mut(key.0) else {
            return;
        };
        track.ending = None;
        self.cancel_upstreams(key);
        self.finish_all(key, PublishDoneCode::Unauthorized, STOPPED);
        self.clear_objects(key);
        let error = request_error(RequestErrorCode::Unauthorized, STOPPED);
        self.stop_fetches(key, &error);
        self.reject_waiting(key, &error);
        self.settle(key, now);
    }

    /// Whether an order covers a track.
    pub(crate) fn is_stopped(&self, name: &FullTrackName) -> bool {
        if self.stopped.is_empty() {
            return false;
        }
        let bytes = &name.name().0;
        let slashes = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        let mut shorter = slashes.map(|(at, _)| TrackName(bytes.slice(..at)));
        self.stopped.contains(name)
            || shorter.any(|shorter| {
                let shorter = FullTrackName::new(name.namespace().clone(), shorter);
                shorter.is_ok_and(|shorter| self.stopped.contains(&shorter))
            })
    }

    /// Rejects a request for a track that is stopped; says whether it did.
    pub(crate) fn reject_stopped(&mut self, from: Receiver, name: &FullTrackName) -> bool {
        let stopped = self.is_stopped(name);
        if stopped {
            self.reject(from, RequestErrorCode::Unauthorized, STOPPED);
        }
        stopped
    }
}

/// Whether the order to stop one track stops another one.
fn covers(order: &FullTrackName, track: &FullTrackName) -> bool {
    let behind = track.name().0.strip_prefix(&order.name().0[..]);
    order.namespace() == track.namespace()
        && behind.is_some_and(|behind| behind.is_empty() || behind[0] == b'/')
}
