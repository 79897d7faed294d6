use std::{collections::VecDeque, time::Instant};

use parvis_wire::TrackAlias;
use rustc_hash::FxHashMap;

use crate::RequestKey;

/// The aliases that the peer, as publisher, gave to tracks.
#[derive(Debug, Default)]
pub(crate) struct Aliases {
    known: FxHashMap<TrackAlias, RequestKey>,
    /// Of subscriptions that ended: what still comes for them is thrown away.
    ended: VecDeque<(TrackAlias, Instant)>,
}

/// Ended aliases that are remembered.
const MAX_ENDED: usize = 256;

impl Aliases {
    pub(crate) fn key(&self, alias: TrackAlias) -> Option<RequestKey> {
        self.known.get(&alias).copied()
    }

    pub(crate) fn insert(&mut self, alias: TrackAlias, key: RequestKey) {
        self.ended.retain(|(ended, _)| *ended != alias);
        self.known.insert(alias, key);
    }

    /// Remembers an alias as ended, until `until`.
    pub(crate) fn end(&mut self, alias: TrackAlias, until: Instant) {
        self.known.remove(&alias);
        self.ended.retain(|(ended, _)| *ended != alias);
        if self.ended.len() == MAX_ENDED {
            self.ended.pop_front();
        }
        self.ended.push_back((alias, until));
    }

    pub(crate) fn has_ended(&self, alias: TrackAlias, now: Instant) -> bool {
        self.ended
            .iter()
            .any(|(ended, until)| *ended == alias && now < *until)
    }
}
