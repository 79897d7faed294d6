use std::{collections::btree_map::Entry, time::Instant};

use bytes::Bytes;
use parvis_session::{RequestKey, Session};
use parvis_wire::{FetchRange, FullTrackName, GroupId, Location, Parameters, TrackNamespace};
use tokio::sync::{mpsc, oneshot};

use super::super::{
    core::Core,
    link::{LinkId, Purpose, Standing},
};
use super::{
    Announcing, DataKey, DataSubscription, Prefix,
    fetching::Fetching,
    publication::DataPublication,
    subscription::{JoinFrom, Reply},
};
use crate::{
    CloseReason, DataOptions, DataSubscribe, FetchError, PublishError, SubscribeError,
    data::{Changes, DataObject, Presence},
};

/// What is asked for by way of data links; the connections' next turns do it.
impl Core {
    pub(in crate::engine) fn publish_data(
        &mut self,
        name: FullTrackName,
        options: DataOptions,
    ) -> Result<(), PublishError> {
        if let Some(reason) = &self.closed {
            return Err(PublishError::Closed(reason.clone()));
        }
        match self.data.publications.entry(name) {
            Entry::Occupied(entry) => {
                Err(PublishError::TrackExists(entry.key().name().to_string()))
            }
            Entry::Vacant(entry) => {
                entry.insert(DataPublication::new(options));
                Ok(())
            }
        }
    }

    pub(in crate::engine) fn send_data(
        &mut self,
        name: &FullTrackName,
        location: Location,
        payload: Bytes,
    ) {
        if let Some(publication) = self.data.publications.get_mut(name) {
            publication.send(location, payload);
        }
    }

    pub(in crate::engine) fn end_data_group(&mut self, name: &FullTrackName, group: GroupId) {
        if let Some(publication) = self.data.publications.get_mut(name) {
            publication.end_group(group);
        }
    }

    pub(in crate::engine) fn resume_data(&mut self, name: &FullTrackName, largest: Location) {
        if let Some(publication) = self.data.publications.get_mut(name) {
            publication.resume_after(largest);
        }
    }

    pub(in crate::engine) fn end_data(&mut self, name: &FullTrackName) {
        if let Some(publication) = self.data.publications.remove(name)
            && !publication.is_over()
        {
            for link in self.links.values_mut() {
                link.data.served.retain(|_, served| served != name);
            }
            self.data.ended.push(publication);
        }
    }

    pub(in crate::engine) fn subscribe_data(
        &mut self,
        name: FullTrackName,
        wanted: DataSubscribe,
        sink: mpsc::Sender<DataObject>,
        reply: Reply,
    ) -> Option<DataKey> {
        if let Some(reason) = &self.closed {
            let _ = reply.send(Err(SubscribeError::Closed(reason.clone())));
            return None;
        }
        let key = self.data.new_key();
        let subscription = DataSubscription::new(name, wanted, sink, reply);
        self.data.subscriptions.insert(key, subscription);
        Some(key)
    }

    pub(in crate::engine) fn unsubscribe_data(&mut self, key: DataKey) {
        if let Some(subscription) = self.data.subscriptions.remove(&key) {
            for (link, source) in subscription.sources() {
                let requests = [Some(source.key), source.joining];
                let requests = requests.into_iter().flatten();
                self.unwanted.extend(requests.map(|key| (link, key)));
            }
        }
    }

    pub(in crate::engine) fn fetch_data(
        &mut self,
        name: FullTrackName,
        (start, end): (Location, Location),
        deadline: Instant,
        reply: oneshot::Sender<Result<Vec<DataObject>, FetchError>>,
    ) {
        if let Some(reason) = &self.closed {
            let _ = reply.send(Err(FetchError::Closed(reason.clone())));
            return;
        }
        let key = self.data.new_key();
        let fetch = Fetching::new(name, start, end, deadline, reply);
        self.data.fetches.insert(key, fetch);
    }

    pub(in crate::engine) fn announce_namespace(&mut self, namespace: TrackNamespace) {
        self.data.namespaces.insert(namespace);
    }

    pub(in crate::engine) fn withdraw_namespace(&mut self, namespace: &TrackNamespace) {
        self.data.namespaces.remove(namespace);
        for (id, link) in &mut self.links {
            if let Some(announcing) = link.data.namespaces.remove(namespace) {
                self.unwanted.extend(announcing.key.map(|key| (*id, key)));
            }
        }
    }

    pub(in crate::engine) fn discover_namespaces(
        &mut self,
        prefix: TrackNamespace,
    ) -> (DataKey, Changes) {
        let key = self.data.new_key();
        let changes = Changes::default();
        if self.closed.is_some() {
            changes.end();
            return (key, changes);
        }
        let prefix = Prefix {
            namespace: prefix,
            known: std::collections::BTreeMap::new(),
            changes: changes.clone(),
        };
        self.data.prefixes.insert(key, prefix);
        (key, changes)
    }

    pub(in crate::engine) fn end_discovery(&mut self, key: DataKey) {
        self.data.prefixes.remove(&key);
        for (id, link) in &mut self.links {
            if let Some(announcing) = link.data.prefixes.remove(&key) {
                self.unwanted.extend(announcing.key.map(|key| (*id, key)));
            }
        }
    }

    /// Asks the current connection for what it lacks.
    pub(in crate::engine) fn ask_for_data(
        &mut self,
        id: LinkId,
        session: &mut Session,
        now: Instant,
    ) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        for namespace in &self.data.namespaces {
            let announcing = link.data.namespaces.entry(namespace.clone()).or_default();
            if !announcing.standing.is_due(now) {
                continue;
            }
            let parameters = self
                .data
                .tokens
                .put(&link.data.shown, Parameters::default());
            let asked = session.publish_namespace(namespace.clone(), parameters, now);
            if let Some(key) = announcing.asked(asked.ok(), now) {
                self.data.tokens.carried(&mut link.data.shown, key);
                link.own.insert(key, Purpose::Namespace(namespace.clone()));
            }
        }
        for (key, prefix) in &self.data.prefixes {
            let announcing = link.data.prefixes.entry(*key).or_default();
            if !announcing.standing.is_due(now) {
                continue;
            }
            let parameters = self
                .data
                .tokens
                .put(&link.data.shown, Parameters::default());
            let asked = session.subscribe_namespace(prefix.namespace.clone(), parameters, now);
            if let Some(request) = announcing.asked(asked.ok(), now) {
                self.data.tokens.carried(&mut link.data.shown, request);
                link.own.insert(request, Purpose::Prefix(*key));
            }
        }
        for (key, subscription) in &mut self.data.subscriptions {
            if !subscription.is_due(id, now) {
                continue;
            }
            let parameters = subscription.parameters(session.draft());
            let parameters = self.data.tokens.put(&link.data.shown, parameters);
            match session.subscribe(subscription.name.clone(), parameters, now) {
                Ok(request) => {
                    subscription.asked(id, request);
                    self.data.tokens.carried(&mut link.data.shown, request);
                    link.own.insert(request, Purpose::Data(*key));
                }
                Err(error) => {
                    tracing::debug!(%error, "a data track is not asked for");
                    subscription.retry_later(now);
                }
            }
        }
        for (key, fetch) in &mut self.data.fetches {
            if fetch.request.is_some() {
                continue;
            }
            let range = FetchRange::Standalone {
                track: fetch.name.clone(),
                start: fetch.start,
                end: (fetch.end.group, Some(fetch.end.object)),
            };
            let parameters = self
                .data
                .tokens
                .put(&link.data.shown, Parameters::default());
            // Refused by a session that goes away; another one is asked.
            if let Ok(request) = session.fetch(range, parameters, now) {
                fetch.request = Some((id, request));
                self.data.tokens.carried(&mut link.data.shown, request);
                link.own.insert(request, Purpose::Fetch(*key));
            }
        }
        self.tell_tokens(id, session, now);
    }

    /// Tells a peer of new tokens by an update of what it has accepted, where no new request does.
    fn tell_tokens(&mut self, id: LinkId, session: &mut Session, now: Instant) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        if !self.data.tokens.are_untold(&link.data.shown) {
            return;
        }
        let sources = self.data.subscriptions.values_mut();
        let accepted = sources
            .filter_map(|subscription| subscription.source_mut(id))
            .find(|source| source.accepted);
        let Some(key) = accepted.map(|source| source.key) else {
            return;
        };
        let parameters = self
            .data
            .tokens
            .put(&link.data.shown, Parameters::default());
        if session.update(key, parameters, now).is_ok() {
            self.data.tokens.carried(&mut link.data.shown, key);
        }
    }

    /// Asks for the past that a subscription begins with, in draft 18.
    pub(super) fn join_past(
        &mut self,
        id: LinkId,
        key: DataKey,
        JoinFrom(from): JoinFrom,
        session: &mut Session,
        now: Instant,
    ) {
        let (Some(link), Some(subscription)) = (
            self.links.get_mut(&id),
            self.data.subscriptions.get_mut(&key),
        ) else {
            return;
        };
        let request_id = subscription
            .source_mut(id)
            .and_then(|source| session.request_id(source.key));
        let asked = request_id.and_then(|request_id| {
            let range = FetchRange::AbsoluteJoining {
                request_id,
                group: from.group,
            };
            session.fetch(range, Parameters::default(), now).ok()
        });
        match (asked, subscription.source_mut(id)) {
            (Some(request), Some(source)) => {
                source.joining = Some(request);
                link.own.insert(request, Purpose::Joining(key));
            }
            _ => subscription.end_fill(),
        }
    }

    /// What is over because of the time.
    pub(in crate::engine) fn handle_data_timeout(
        &mut self,
        id: LinkId,
        session: &mut Session,
        now: Instant,
    ) {
        let late = self.data.fetches.extract_if(.., |_, fetch| {
            fetch.deadline() <= now || fetch.is_given_up()
        });
        for (_, fetch) in late {
            self.unwanted.extend(fetch.request);
            fetch.finish(Err(FetchError::TimedOut));
        }
        for early in self
            .data
            .early
            .extract_if(.., |early| early.link == id && early.until <= now)
        {
            let code = parvis_wire::RequestErrorCode::DoesNotExist;
            super::super::peer_requests::reject(early.key, code, session, now);
        }
        for prefix in self.data.prefixes.values_mut() {
            let changes = prefix.changes.clone();
            let gone = prefix.known.extract_if(.., |_, known| {
                known.links.is_empty() && known.missing_until.is_none_or(|until| until <= now)
            });
            for (suffix, _) in gone {
                changes.tell(suffix, Presence::Gone);
            }
            for known in prefix.known.values_mut() {
                // Somebody announces it: nothing is missing.
                known.missing_until = known.missing_until.filter(|until| *until > now);
            }
        }
        let keys: Vec<DataKey> = self.data.subscriptions.keys().copied().collect();
        for key in keys {
            self.deliver_data(key, now);
        }
    }

    pub(super) fn deliver_data(&mut self, key: DataKey, now: Instant) {
        if let Some(subscription) = self.data.subscriptions.get_mut(&key)
            && !subscription.deliver(now)
        {
            self.unsubscribe_data(key);
        }
    }

    /// There is a new connection: what was known of the old ones is to be announced again by then.
    pub(in crate::engine) fn expect_data(&mut self, grace: Instant) {
        for prefix in self.data.prefixes.values_mut() {
            for known in prefix.known.values_mut() {
                known.missing_until = Some(grace);
            }
        }
        for subscription in self.data.subscriptions.values_mut() {
            subscription.retry_now();
        }
    }

    /// Ends everything about data tracks.
    pub(in crate::engine) fn close_data(&mut self, reason: &CloseReason) {
        for (_, fetch) in std::mem::take(&mut self.data.fetches) {
            fetch.finish(Err(FetchError::Closed(reason.clone())));
        }
        for (_, mut subscription) in std::mem::take(&mut self.data.subscriptions) {
            if let Some(reply) = subscription.reply.take() {
                let _ = reply.send(Err(SubscribeError::Closed(reason.clone())));
            }
        }
        self.data.close();
    }
}

impl Announcing {
    /// Notes the request, if it was made.
    fn asked(&mut self, key: Option<RequestKey>, now: Instant) -> Option<RequestKey> {
        match key {
            Some(key) => {
                self.standing = Standing::Asked;
                self.key = Some(key);
            }
            None => self.refused(now),
        }
        key
    }
}
