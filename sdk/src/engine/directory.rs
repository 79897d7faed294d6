use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use parvis_format::catalog::{self, Catalog};
use parvis_session::{RequestKey, Session};
use parvis_wire::{GroupId, Parameters, Priority};
use tokio::sync::watch;

use super::link::LinkId;
use crate::{
    CloseReason, Connectivity, Participant, ParticipantName, RoomName, RoomState, TrackInfo,
};

/// Who is in the room: the namespaces under the room's, and the catalog of each.
#[derive(Debug)]
pub(super) struct Directory {
    room: RoomName,
    me: Option<ParticipantName>,
    entries: BTreeMap<ParticipantName, Entry>,
    state: watch::Sender<Arc<RoomState>>,
}

#[derive(Debug, Default)]
struct Entry {
    /// How many requests of each connection have announced it: a namespace can be told in two
    /// ways.
    announcements: BTreeMap<LinkId, usize>,
    catalogs: BTreeMap<LinkId, CatalogRequest>,
    attempts: u32,
    /// The group of the catalog that is in force.
    newest: Option<GroupId>,
    /// When it is given up, if no connection announces it until then.
    missing_until: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
enum CatalogRequest {
    Open(RequestKey),
    RetryAt(Instant),
}

/// More people than that in one room are not followed.
const MAX_PARTICIPANTS: usize = 1000;

impl Directory {
    pub(super) fn new(
        room: RoomName,
        me: Option<ParticipantName>,
        state: watch::Sender<Arc<RoomState>>,
    ) -> Self {
        Self {
            room,
            me,
            entries: BTreeMap::new(),
            state,
        }
    }

    /// Whether somebody of that name was announced by the relay.
    pub(super) fn contains(&self, name: &ParticipantName) -> bool {
        self.entries.contains_key(name)
    }

    /// Whether a connection announces somebody of that name.
    pub(super) fn is_announced(&self, link: LinkId, name: &ParticipantName) -> bool {
        let entry = self.entries.get(name);
        entry.is_some_and(|entry| entry.announcements.contains_key(&link))
    }

    /// Takes the announcement of a participant; returns the subscription to its catalog.
    pub(super) fn handle_announced(
        &mut self,
        link: LinkId,
        name: &ParticipantName,
        session: &mut Session,
        now: Instant,
    ) -> Option<RequestKey> {
        if self.entries.len() >= MAX_PARTICIPANTS && !self.entries.contains_key(name) {
            tracing::warn!(%name, "too many participants");
            return None;
        }
        let entry = self.entries.entry(name.clone()).or_default();
        entry.missing_until = None;
        let count = entry.announcements.entry(link).or_default();
        *count += 1;
        if *count > 1 || self.me.as_ref() == Some(name) {
            return None;
        }
        let key = self.subscribe(name, session, now);
        let catalog = match key {
            Some(key) => CatalogRequest::Open(key),
            None => CatalogRequest::RetryAt(now + retry_after(0)),
        };
        if let Some(entry) = self.entries.get_mut(name) {
            entry.catalogs.insert(link, catalog);
        }
        key
    }

    /// Takes the end of an announcement; returns the subscription to cancel.
    ///
    /// grace: until when the participant may come back.
    pub(super) fn handle_withdrawn(
        &mut self,
        link: LinkId,
        name: &ParticipantName,
        grace: Option<Instant>,
    ) -> Option<RequestKey> {
        let entry = self.entries.get_mut(name)?;
        let count = entry.announcements.get_mut(&link)?;
        *count -= 1;
        if *count > 0 {
            return None;
        }
        entry.announcements.remove(&link);
        let catalog = entry.catalogs.remove(&link);
        if entry.announcements.is_empty() {
            entry.missing_until = grace;
            if grace.is_none() {
                self.remove(name);
            }
        }
        match catalog? {
            CatalogRequest::Open(key) => Some(key),
            CatalogRequest::RetryAt(_) => None,
        }
    }

    /// A connection is over. Whom it alone announced stays until another one has had its time to
    /// announce it.
    pub(super) fn link_gone(&mut self, link: LinkId) {
        for entry in self.entries.values_mut() {
            entry.announcements.remove(&link);
            entry.catalogs.remove(&link);
        }
    }

    /// There is a new connection: whom none has announced until then has left.
    pub(super) fn expect_until(&mut self, grace: Instant) {
        for entry in self.entries.values_mut() {
            entry.missing_until = Some(grace);
        }
    }

    fn remove(&mut self, name: &ParticipantName) {
        self.entries.remove(name);
        self.change(|state| state.participants.remove(name).is_some());
    }

    /// Takes a catalog.
    pub(super) fn handle_catalog(&mut self, name: &ParticipantName, group: GroupId, json: &Bytes) {
        let Some(entry) = self.entries.get_mut(name) else {
            return;
        };
        if entry.newest.is_some_and(|newest| group <= newest) {
            return;
        }
        let catalog = match Catalog::from_json(json) {
            Ok(catalog) => catalog,
            Err(error) => {
                tracing::warn!(%name, %error, "a catalog cannot be read");
                return;
            }
        };
        entry.newest = Some(group);
        entry.attempts = 0;
        let tracks = catalog
            .tracks
            .iter()
            .filter_map(TrackInfo::from_catalog)
            .collect();
        let participant = Participant {
            name: name.clone(),
            tracks,
        };
        self.change(|state| {
            if state.participants.get(name) == Some(&participant) {
                return false;
            }
            state.participants.insert(name.clone(), participant);
            true
        });
    }

    /// The subscription to a catalog ended or was rejected: tries again, less and less often,
    /// while the participant is announced.
    pub(super) fn handle_catalog_ended(
        &mut self,
        link: LinkId,
        name: &ParticipantName,
        now: Instant,
    ) {
        if let Some(entry) = self.entries.get_mut(name)
            && let Some(catalog) = entry.catalogs.get_mut(&link)
        {
            *catalog = CatalogRequest::RetryAt(now + retry_after(entry.attempts));
            entry.attempts += 1;
        }
    }

    pub(super) fn set_connectivity(&self, connectivity: Connectivity, moved: bool) {
        self.change(|state| {
            let changed = state.connectivity != connectivity || moved;
            state.connectivity = connectivity;
            state.moves += u64::from(moved);
            changed
        });
    }

    pub(super) fn handle_closed(&mut self, reason: CloseReason) {
        self.change(|state| {
            let first = state.closed.is_none();
            state.closed.get_or_insert(reason);
            first
        });
    }

    pub(super) fn poll_timeout(&self, link: LinkId) -> Option<Instant> {
        let due = |entry: &Entry| {
            let retry = match entry.catalogs.get(&link) {
                Some(CatalogRequest::RetryAt(at)) => Some(*at),
                Some(CatalogRequest::Open(_)) | None => None,
            };
            let missing = entry
                .missing_until
                .filter(|_| entry.announcements.is_empty());
            retry.into_iter().chain(missing).min()
        };
        self.entries.values().filter_map(due).min()
    }

    /// Asks again for the catalogs whose time has come, and gives up who has not come back.
    pub(super) fn handle_timeout(
        &mut self,
        link: LinkId,
        session: &mut Session,
        now: Instant,
    ) -> Vec<(ParticipantName, RequestKey)> {
        let is_due = |entry: &Entry| matches!(entry.catalogs.get(&link), Some(CatalogRequest::RetryAt(at)) if *at <= now);
        let is_gone = |entry: &Entry| {
            entry.announcements.is_empty() && entry.missing_until.is_some_and(|until| until <= now)
        };
        let names = |which: &dyn Fn(&Entry) -> bool| -> Vec<ParticipantName> {
            let entries = self.entries.iter().filter(|(_, entry)| which(entry));
            entries.map(|(name, _)| name.clone()).collect()
        };
        let (due, gone) = (names(&is_due), names(&is_gone));
        for name in gone {
            self.remove(&name);
        }
        let mut opened = Vec::new();
        for name in due {
            let key = self.subscribe(&name, session, now);
            let Some(entry) = self.entries.get_mut(&name) else {
                continue;
            };
            let catalog = if let Some(key) = key {
                opened.push((name, key));
                CatalogRequest::Open(key)
            } else {
                entry.attempts += 1;
                CatalogRequest::RetryAt(now + retry_after(entry.attempts))
            };
            entry.catalogs.insert(link, catalog);
        }
        opened
    }

    fn subscribe(
        &self,
        name: &ParticipantName,
        session: &mut Session,
        now: Instant,
    ) -> Option<RequestKey> {
        let track = self.room.track(name, catalog::TRACK_NAME)?;
        let parameters = Parameters {
            subscriber_priority: Some(Priority(8)),
            ..Parameters::default()
        };
        session
            .subscribe(track, parameters, now)
            .inspect_err(|error| tracing::warn!(%name, %error, "a catalog is not asked for"))
            .ok()
    }

    fn change(&self, change: impl FnOnce(&mut RoomState) -> bool) {
        self.state
            .send_if_modified(|state| change(Arc::make_mut(state)));
    }
}

fn retry_after(attempts: u32) -> Duration {
    Duration::from_millis(250 << attempts.min(5))
}
