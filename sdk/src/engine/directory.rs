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

use crate::{CloseReason, Participant, ParticipantName, RoomName, RoomState, TrackInfo};

/// Who is in the room: the namespaces under the room's, and the catalog of each.
#[derive(Debug)]
pub(super) struct Directory {
    room: RoomName,
    me: Option<ParticipantName>,
    entries: BTreeMap<ParticipantName, Entry>,
    state: watch::Sender<Arc<RoomState>>,
}

#[derive(Debug)]
struct Entry {
    /// How many requests have announced it: a namespace can be told in two ways.
    announcements: usize,
    catalog: CatalogRequest,
    attempts: u32,
    /// The group of the catalog that is in force.
    newest: Option<GroupId>,
}

#[derive(Debug, Clone, Copy)]
enum CatalogRequest {
    Open(RequestKey),
    RetryAt(Instant),
    /// The participant is oneself.
    NotWanted,
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

    /// Takes the announcement of a participant; returns the subscription to its catalog.
    pub(super) fn handle_announced(
        &mut self,
        name: ParticipantName,
        session: &mut Session,
        now: Instant,
    ) -> Option<RequestKey> {
        if let Some(entry) = self.entries.get_mut(&name) {
            entry.announcements += 1;
            return None;
        }
        if self.entries.len() >= MAX_PARTICIPANTS {
            tracing::warn!(%name, "too many participants");
            return None;
        }
        let key = if self.me.as_ref() == Some(&name) {
            None
        } else {
            self.subscribe(&name, session, now)
        };
        let catalog = match key {
            Some(key) => CatalogRequest::Open(key),
            None if self.me.as_ref() == Some(&name) => CatalogRequest::NotWanted,
            None => CatalogRequest::RetryAt(now + retry_after(0)),
        };
        let entry = Entry {
            announcements: 1,
            catalog,
            attempts: 0,
            newest: None,
        };
        self.entries.insert(name, entry);
        key
    }

    /// Takes the end of an announcement; returns the subscription to cancel.
    pub(super) fn handle_withdrawn(&mut self, name: &ParticipantName) -> Option<RequestKey> {
        let entry = self.entries.get_mut(name)?;
        entry.announcements -= 1;
        if entry.announcements > 0 {
            return None;
        }
        let entry = self.entries.remove(name)?;
        self.change(|state| state.participants.remove(name).is_some());
        match entry.catalog {
            CatalogRequest::Open(key) => Some(key),
            CatalogRequest::RetryAt(_) | CatalogRequest::NotWanted => None,
        }
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
    pub(super) fn handle_catalog_ended(&mut self, name: &ParticipantName, now: Instant) {
        if let Some(entry) = self.entries.get_mut(name) {
            entry.catalog = CatalogRequest::RetryAt(now + retry_after(entry.attempts));
            entry.attempts += 1;
        }
    }

    pub(super) fn handle_closed(&mut self, reason: CloseReason) {
        self.change(|state| {
            let first = state.closed.is_none();
            state.closed.get_or_insert(reason);
            first
        });
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let retry = |entry: &Entry| match entry.catalog {
            CatalogRequest::RetryAt(at) => Some(at),
            CatalogRequest::Open(_) | CatalogRequest::NotWanted => None,
        };
        self.entries.values().filter_map(retry).min()
    }

    /// Asks again for the catalogs whose time has come.
    pub(super) fn handle_timeout(
        &mut self,
        session: &mut Session,
        now: Instant,
    ) -> Vec<(ParticipantName, RequestKey)> {
        let is_due =
            |entry: &Entry| matches!(entry.catalog, CatalogRequest::RetryAt(at) if at <= now);
        let due: Vec<ParticipantName> = self
            .entries
            .iter()
            .filter(|(_, entry)| is_due(entry))
            .map(|(name, _)| name.clone())
            .collect();
        let mut opened = Vec::new();
        for name in due {
            let key = self.subscribe(&name, session, now);
            let Some(entry) = self.entries.get_mut(&name) else {
                continue;
            };
            if let Some(key) = key {
                entry.catalog = CatalogRequest::Open(key);
                opened.push((name, key));
            } else {
                entry.catalog = CatalogRequest::RetryAt(now + retry_after(entry.attempts));
                entry.attempts += 1;
            }
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
