//! Tracks that the operator stopped.

use std::time::Instant;

use parvis_wire::{
    FullTrackName, PublishDoneCode, RequestErrorCode, ResetCode, TrackName, TrackNamespace,
};

use crate::{Forwarder, Receiver, SubgroupEnd, forwarder::request_error, keys::TrackKey};

pub(crate) const STOPPED: &str = "the track was stopped";
const REMOVED: &str = "the publisher was removed";

impl Forwarder {
    /// Ends a track, and those whose names go on behind its own with a `/`, at once; nobody
    /// publishes or gets them until they are allowed again.
    pub(crate) fn stop_track(&mut self, name: &FullTrackName, now: Instant) {
        let keys: Vec<TrackKey> = self
            .tracks_under(name.namespace())
            .into_iter()
            .filter(|key| covers(name, &self.tracks[key.0].name))
            .collect();
        self.stopped.insert(name.clone());
        for key in keys {
            self.end_stopped(key, now);
        }
        self.cut_answers(|track| covers(name, track));
    }

    /// Ends what is being answered of the tracks of a publisher that was removed.
    pub(crate) fn publisher_removed(&mut self, namespace: &TrackNamespace, now: Instant) {
        let error = request_error(RequestErrorCode::DoesNotExist, REMOVED);
        for key in self.tracks_under(namespace) {
            // What one end sets off may have removed another track.
            if self.tracks.contains(key.0) {
                self.stop_fetches(key, &error);
                self.settle(key, now);
            }
        }
        self.cut_answers(|track| track.namespace().starts_with(namespace));
    }

    /// Takes back answers that are whole, as far as their readers have not got them.
    fn cut_answers(&mut self, of: impl Fn(&FullTrackName) -> bool) {
        let answered = self.answered.iter().filter(|(_, track)| of(track));
        let readers: Vec<Receiver> = answered.map(|(receiver, _)| *receiver).collect();
        for reader in readers {
            self.answered.remove(&reader);
            self.write_fetch_end(reader, SubgroupEnd::Reset(ResetCode::Cancelled));
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
