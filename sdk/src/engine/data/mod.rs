//! Data tracks of the engine: what is published, received, fetched and discovered beside media.

mod answering;
mod asking;
mod events;
mod fetching;
mod order;
mod past;
mod publication;
mod subscription;
mod tokens;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use parvis_session::{RequestKey, StreamId};
use parvis_wire::{FullTrackName, TrackNamespace};

use self::{
    answering::Answering, fetching::Fetching, publication::DataPublication,
    subscription::DataSubscription, tokens::Tokens,
};
use super::link::{LinkId, Standing};
use crate::data::Changes;

use self::fetching::FetchStream;

pub(super) use self::{subscription::OBJECTS, tokens::Shown};

/// Names what was asked for by way of a data link, on whatever connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct DataKey(u64);

/// Everything about data tracks.
#[derive(Debug, Default)]
pub(super) struct Data {
    publications: BTreeMap<FullTrackName, DataPublication>,
    /// Tracks that have ended and that some connection was not told of yet.
    ended: Vec<DataPublication>,
    namespaces: BTreeSet<TrackNamespace>,
    subscriptions: BTreeMap<DataKey, DataSubscription>,
    prefixes: BTreeMap<DataKey, Prefix>,
    fetches: BTreeMap<DataKey, Fetching>,
    /// FETCHes of the peers' that are answered.
    answers: BTreeMap<(LinkId, RequestKey), Answering>,
    /// SUBSCRIBEs of the peers' to tracks that may be there in a moment.
    early: Vec<Early>,
    pub(super) tokens: Tokens,
    next: u64,
}

/// What a connection does for data tracks.
#[derive(Debug, Default)]
pub(super) struct DataLinkState {
    /// The peer's subscriptions to our data tracks.
    pub(super) served: BTreeMap<RequestKey, FullTrackName>,
    /// Streams of objects of the past.
    streams: BTreeMap<StreamId, FetchStream>,
    namespaces: BTreeMap<TrackNamespace, Announcing>,
    prefixes: BTreeMap<DataKey, Announcing>,
    pub(super) shown: Shown,
}

/// A request that stands as long as its connection.
#[derive(Debug, Clone, Copy)]
struct Announcing {
    standing: Standing,
    key: Option<RequestKey>,
    attempts: u32,
}

impl Default for Announcing {
    fn default() -> Self {
        Self {
            standing: Standing::Due,
            key: None,
            attempts: 0,
        }
    }
}

/// A SUBSCRIBE to a track that nobody publishes here yet.
#[derive(Debug)]
struct Early {
    link: LinkId,
    key: RequestKey,
    track: FullTrackName,
    parameters: parvis_wire::Parameters,
    until: Instant,
}

/// The namespaces under a prefix.
#[derive(Debug)]
struct Prefix {
    namespace: TrackNamespace,
    /// What is there, by which connections.
    known: BTreeMap<TrackNamespace, Known>,
    changes: Changes,
}

#[derive(Debug, Default)]
struct Known {
    links: BTreeSet<LinkId>,
    /// When it is given up, if no connection announces it until then.
    missing_until: Option<Instant>,
    /// Whether it was said that it is missing.
    told_missing: bool,
}

/// Namespaces under one prefix, beyond which further ones are not told.
const MAX_KNOWN: usize = 50_000;
/// How long a SUBSCRIBE waits for its track.
const EARLY: Duration = Duration::from_secs(2);
/// How many SUBSCRIBEs wait so.
const MAX_EARLY: usize = 4096;

impl Announcing {
    fn refused(&mut self, now: Instant) {
        self.key = None;
        self.standing = Standing::RetryAt(now + Duration::from_millis(100 << self.attempts.min(5)));
        self.attempts += 1;
    }
}

impl Data {
    fn new_key(&mut self) -> DataKey {
        self.next += 1;
        DataKey(self.next)
    }

    /// Everything is over.
    pub(super) fn close(&mut self) {
        for prefix in self.prefixes.values() {
            prefix.changes.end();
        }
        let tokens = std::mem::take(&mut self.tokens);
        *self = Self {
            tokens,
            next: self.next,
            ..Self::default()
        };
    }

    /// A connection is over.
    pub(super) fn link_gone(&mut self, id: LinkId, grace: Instant) {
        for publication in self.publications.values_mut().chain(&mut self.ended) {
            publication.link_gone(id);
        }
        self.ended.retain(|publication| !publication.is_over());
        for subscription in self.subscriptions.values_mut() {
            subscription.link_gone(id);
        }
        for fetch in self.fetches.values_mut() {
            fetch.link_gone(id);
        }
        for prefix in self.prefixes.values_mut() {
            for known in prefix.known.values_mut() {
                if known.links.remove(&id) && known.links.is_empty() {
                    known.missing_until = Some(grace);
                }
            }
        }
        self.answers.retain(|(link, _), _| *link != id);
        self.early.retain(|early| early.link != id);
    }

    /// Whether nothing is left on a connection that `current` does not have too.
    pub(super) fn has_left(&self, id: LinkId, current: &DataLinkState) -> bool {
        let accepted = |announcing: Option<&Announcing>| {
            announcing.is_some_and(|a| a.standing == Standing::Accepted)
        };
        let mut subscriptions = self.subscriptions.values();
        subscriptions.all(|subscription| !subscription.has_source(id))
            && self
                .namespaces
                .iter()
                .all(|n| accepted(current.namespaces.get(n)))
            && self
                .prefixes
                .keys()
                .all(|k| accepted(current.prefixes.get(k)))
            && !self.answers.keys().any(|(link, _)| *link == id)
    }

    /// Whether another connection has something to send.
    pub(super) fn has_steps(&self, except: LinkId) -> bool {
        self.publications.values().any(|p| p.has_steps(except)) || !self.ended.is_empty()
    }

    /// When something is due that a turn of this connection does.
    pub(super) fn poll_timeout(
        &self,
        link: LinkId,
        state: &DataLinkState,
        current: bool,
    ) -> Option<Instant> {
        let subscriptions = self
            .subscriptions
            .values()
            .filter_map(|s| s.poll_timeout(current));
        let fetches = self.fetches.values().map(Fetching::deadline);
        let early = self
            .early
            .iter()
            .filter(|e| e.link == link)
            .map(|e| e.until);
        let known = self.prefixes.values().flat_map(|p| p.known.values());
        let missing = known.filter_map(|known| known.missing_until);
        let standing = state.namespaces.values().chain(state.prefixes.values());
        let retries = standing
            .filter_map(|a| a.standing.retry_at())
            .filter(|_| current);
        subscriptions
            .chain(fetches)
            .chain(early)
            .chain(missing)
            .chain(retries)
            .min()
    }
}
