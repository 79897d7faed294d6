use std::time::Instant;

use bytes::Bytes;
use parvis_session::{Answer, IncomingRequest, RequestKey, Session, StreamEnd, StreamId};
use parvis_wire::{FullTrackName, Location, Parameters, RequestErrorCode, TrackNamespace};

use super::super::{
    core::{Core, GRACE},
    link::{Ending, LinkId, Purpose, Standing},
    peer_requests::reject,
};
use super::{DataKey, EARLY, Early, MAX_EARLY, MAX_KNOWN};
use crate::{FetchError, SubscribeError, data::Presence};

/// What connections say of data tracks.
impl Core {
    /// Takes a request for a data track; gives back what is none.
    pub(in crate::engine) fn handle_data_request(
        &mut self,
        id: LinkId,
        key: RequestKey,
        request: IncomingRequest,
        session: &mut Session,
        now: Instant,
    ) -> Option<IncomingRequest> {
        match request {
            IncomingRequest::Subscribe { track, parameters } if self.is_of_data(&track) => {
                self.serve_data(id, key, track, parameters, session, now);
            }
            IncomingRequest::TrackStatus { track, .. } if self.is_of_data(&track) => {
                match self.data.publications.get(&track) {
                    Some(publication) => {
                        let answer = Parameters {
                            largest: publication.largest(),
                            ..Parameters::default()
                        };
                        let properties = publication.properties();
                        let _ = session.accept_track_status(key, answer, properties, now);
                    }
                    None => reject(key, RequestErrorCode::DoesNotExist, session, now),
                }
            }
            IncomingRequest::Fetch {
                range,
                parameters,
                joining,
            } => self.handle_data_fetch((id, key), &range, &parameters, joining, session, now),
            other => return Some(other),
        }
        None
    }

    /// Whether a track is under a namespace that is announced for data tracks.
    fn is_of_data(&self, track: &FullTrackName) -> bool {
        let mut namespaces = self.data.namespaces.iter();
        self.data.publications.contains_key(track)
            || namespaces.any(|namespace| track.namespace().starts_with(namespace))
    }

    fn serve_data(
        &mut self,
        id: LinkId,
        key: RequestKey,
        track: FullTrackName,
        parameters: Parameters,
        session: &mut Session,
        now: Instant,
    ) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        if let Some(publication) = self.data.publications.get_mut(&track) {
            if publication.subscribe(id, key, &parameters, session, now) {
                link.data.served.insert(key, track);
                link.settled = false;
            }
        } else if self.data.early.len() < MAX_EARLY {
            self.data.early.push(Early {
                link: id,
                key,
                track,
                parameters,
                until: now + EARLY,
            });
        } else {
            reject(key, RequestErrorCode::DoesNotExist, session, now);
        }
    }

    /// Serves those who asked for a track before it was there.
    pub(in crate::engine) fn serve_early(
        &mut self,
        id: LinkId,
        session: &mut Session,
        now: Instant,
    ) {
        let publications = &self.data.publications;
        let there = self.data.early.extract_if(.., |early| {
            early.link == id && publications.contains_key(&early.track)
        });
        for early in there.collect::<Vec<_>>() {
            let Early {
                key,
                track,
                parameters,
                ..
            } = early;
            self.serve_data(id, key, track, parameters, session, now);
        }
    }

    /// Sends what waits, and ends what is over.
    pub(in crate::engine) fn flush_data(
        &mut self,
        id: LinkId,
        session: &mut Session,
        now: Instant,
    ) {
        self.serve_early(id, session, now);
        for publication in self.data.publications.values_mut() {
            publication.flush(id, session, now);
        }
        for publication in &mut self.data.ended {
            publication.end(id, session, now);
        }
        self.data.ended.retain(|publication| !publication.is_over());
        self.answer_fetches(id, session, now);
    }

    pub(in crate::engine) fn handle_data_update(
        &mut self,
        id: LinkId,
        key: RequestKey,
        parameters: &Parameters,
    ) {
        let served = self
            .links
            .get(&id)
            .and_then(|link| link.data.served.get(&key));
        if let Some(publication) = served.and_then(|name| self.data.publications.get_mut(name)) {
            publication.update(id, key, parameters);
        }
    }

    pub(in crate::engine) fn data_request_of_peer_ended(&mut self, id: LinkId, key: RequestKey) {
        self.data.answers.remove(&(id, key));
        self.data.early.retain(|e| e.link != id || e.key != key);
        let served = self
            .links
            .get_mut(&id)
            .and_then(|link| link.data.served.remove(&key));
        if let Some(publication) = served.and_then(|name| self.data.publications.get_mut(&name)) {
            publication.unsubscribe(id, key);
        }
    }

    pub(in crate::engine) fn data_stream_gone(
        &mut self,
        id: LinkId,
        stream: StreamId,
        now: Instant,
    ) {
        for publication in self.data.publications.values_mut() {
            publication.stream_gone(id, stream);
        }
        let link = self.links.get_mut(&id);
        let reader = link.and_then(|link| link.data.streams.get(&stream));
        if let Some(key) = reader.map(|reader| reader.key) {
            self.handle_past_end(id, stream, key, StreamEnd::Abandoned, now);
        }
    }

    /// A group was cut off, such as by a relay for which this side was too slow: nothing more of it comes.
    /// The rest is had by another subscription.
    pub(in crate::engine) fn data_cut_off(&mut self, id: LinkId, key: DataKey, now: Instant) {
        let Some(subscription) = self.data.subscriptions.get_mut(&key) else {
            return;
        };
        // What passes by, each for itself, is not asked for again.
        let Some(source) = subscription.source_to_replace(id) else {
            return;
        };
        tracing::debug!(track = %subscription.name, "a group was cut off");
        let requests = [Some(source.key), source.joining];
        let requests = requests.into_iter().flatten();
        self.unwanted.extend(requests.map(|key| (id, key)));
        subscription.cut_off(now);
    }

    /// A request about data was accepted.
    pub(in crate::engine) fn handle_data_accepted(
        &mut self,
        id: LinkId,
        key: RequestKey,
        answer: &Answer,
        session: &mut Session,
        now: Instant,
    ) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        link.data.shown.accepted(key);
        match link.own.get(&key) {
            Some(Purpose::Namespace(namespace)) => {
                if let Some(announcing) = link.data.namespaces.get_mut(namespace) {
                    announcing.standing = Standing::Accepted;
                    announcing.attempts = 0;
                }
            }
            Some(Purpose::Prefix(prefix)) => {
                if let Some(announcing) = link.data.prefixes.get_mut(prefix) {
                    announcing.standing = Standing::Accepted;
                    announcing.attempts = 0;
                }
            }
            Some(Purpose::Data(data)) => {
                let data = *data;
                let Answer::Subscribe { parameters, .. } = answer else {
                    return;
                };
                self.data_track_accepted(id, data, parameters.largest, session, now);
            }
            _ => {}
        }
    }

    fn data_track_accepted(
        &mut self,
        id: LinkId,
        data: DataKey,
        largest: Option<Location>,
        session: &mut Session,
        now: Instant,
    ) {
        let Some(subscription) = self.data.subscriptions.get_mut(&data) else {
            return;
        };
        let join = subscription.handle_accepted(id, largest, session.draft(), now);
        let wanted = subscription
            .reply
            .take()
            .is_none_or(|reply| reply.send(Ok((data, largest))).is_ok());
        let older: Vec<LinkId> = subscription
            .sources()
            .map(|(link, _)| link)
            .filter(|link| *link < id)
            .collect();
        // The new connection brings everything from where the old one stopped.
        for link in older {
            if let Some(source) = subscription.remove_source(link) {
                let requests = [Some(source.key), source.joining];
                let requests = requests.into_iter().flatten();
                self.unwanted.extend(requests.map(|key| (link, key)));
            }
        }
        if !wanted {
            self.unsubscribe_data(data);
            return;
        }
        if let Some(from) = join {
            self.join_past(id, data, from, session, now);
        }
        self.flusher.wake();
    }

    /// A request about data was rejected or is over.
    pub(in crate::engine) fn data_request_ended(
        &mut self,
        id: LinkId,
        purpose: Purpose,
        reason: &str,
        ending: Ending,
        now: Instant,
    ) {
        let left = self.current != Some(id) || self.links.get(&id).is_none_or(|l| l.going_away);
        match purpose {
            Purpose::Namespace(namespace) => {
                tracing::debug!(%namespace, reason, "a namespace is not announced");
                let link = self.links.get_mut(&id);
                if let Some(announcing) = link.and_then(|l| l.data.namespaces.get_mut(&namespace)) {
                    announcing.refused(now);
                }
            }
            Purpose::Prefix(key) => {
                tracing::debug!(reason, "namespaces are not told");
                let link = self.links.get_mut(&id);
                if let Some(announcing) = link.and_then(|l| l.data.prefixes.get_mut(&key)) {
                    announcing.refused(now);
                }
                if let Some(prefix) = self.data.prefixes.get_mut(&key) {
                    for known in prefix.known.values_mut() {
                        if known.links.remove(&id) && known.links.is_empty() {
                            known.missing_until = Some(now + GRACE);
                        }
                    }
                }
            }
            Purpose::Data(key) => {
                let Some(subscription) = self.data.subscriptions.get_mut(&key) else {
                    return;
                };
                subscription.remove_source(id);
                if !left {
                    subscription.end_fill();
                }
                subscription.retry_later(now);
                let name = &subscription.name;
                tracing::debug!(track = %name, reason, "a data track has ended");
                let denied = matches!(
                    ending,
                    Ending::Rejected(
                        RequestErrorCode::Unauthorized
                            | RequestErrorCode::ExpiredAuthToken
                            | RequestErrorCode::MalformedAuthToken
                    )
                );
                if denied
                    && !left
                    && let Some(reply) = subscription.reply.take()
                {
                    let track = name.name().to_string();
                    let reason = reason.to_owned();
                    let _ = reply.send(Err(SubscribeError::Rejected { track, reason }));
                    self.data.subscriptions.remove(&key);
                    return;
                }
                self.deliver_data(key, now);
            }
            Purpose::Joining(key) => {
                if let Some(subscription) = self.data.subscriptions.get_mut(&key) {
                    if let Some(source) = subscription.source_mut(id) {
                        source.joining = None;
                    }
                    // Else the next connection brings the past.
                    if !left {
                        subscription.end_fill();
                    }
                }
                self.deliver_data(key, now);
            }
            Purpose::Fetch(key) => {
                if left && ending == Ending::Lost {
                    // Another connection is asked.
                    if let Some(fetch) = self.data.fetches.get_mut(&key) {
                        fetch.link_gone(id);
                    }
                } else if let Some(fetch) = self.data.fetches.remove(&key) {
                    fetch.finish(Err(FetchError::Rejected(reason.to_owned())));
                }
            }
            _ => {}
        }
    }

    /// A namespace came or went.
    pub(in crate::engine) fn handle_data_namespace(
        &mut self,
        id: LinkId,
        key: DataKey,
        suffix: TrackNamespace,
        there: bool,
        now: Instant,
    ) {
        let moving = self.links.get(&id).is_none_or(|link| link.going_away)
            || self.grace.is_some_and(|grace| now < grace);
        let Some(prefix) = self.data.prefixes.get_mut(&key) else {
            return;
        };
        if there {
            if prefix.known.len() >= MAX_KNOWN && !prefix.known.contains_key(&suffix) {
                tracing::warn!("too many namespaces under one prefix");
                return;
            }
            let known = prefix.known.entry(suffix.clone()).or_default();
            let is_known = !known.links.is_empty() || known.missing_until.is_some();
            let is_new = !is_known || std::mem::take(&mut known.told_missing);
            known.links.insert(id);
            known.missing_until = None;
            if is_new {
                prefix.changes.tell(suffix, Presence::There);
            }
            return;
        }
        let Some(known) = prefix.known.get_mut(&suffix) else {
            return;
        };
        if known.links.remove(&id) && known.links.is_empty() {
            if moving {
                known.missing_until = Some(now + GRACE);
                known.told_missing = true;
                prefix.changes.tell(suffix, Presence::Missing);
            } else {
                prefix.known.remove(&suffix);
                prefix.changes.tell(suffix, Presence::Gone);
            }
        }
    }

    pub(in crate::engine) fn handle_data_object(
        &mut self,
        key: DataKey,
        location: Location,
        payload: Bytes,
        now: Instant,
    ) {
        if let Some(subscription) = self.data.subscriptions.get_mut(&key) {
            subscription.handle_object(location, payload, now);
            self.deliver_data(key, now);
        }
    }
}
