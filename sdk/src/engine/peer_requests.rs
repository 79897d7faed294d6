use std::time::Instant;

use parvis_session::{IncomingRequest, Object, RequestKey, Session, StreamId};
use parvis_wire::{Parameters, RequestError, RequestErrorCode, TrackNamespace};

use super::core::{Core, Purpose};
use crate::ParticipantName;

/// What the peer asks and sends.
impl Core {
    pub(super) fn handle_request(
        &mut self,
        key: RequestKey,
        request: IncomingRequest,
        session: &mut Session,
        now: Instant,
    ) {
        match request {
            IncomingRequest::Subscribe { track, parameters } => {
                let name = self.own_track(track.namespace(), &track.name().0);
                match name.and_then(|name| self.publications.get_mut(&name)) {
                    Some(publication) => {
                        self.served.insert(key, publication.new.track.clone());
                        publication.subscribe(key, &parameters, session, now);
                    }
                    None => reject(key, RequestErrorCode::DoesNotExist, session, now),
                }
            }
            IncomingRequest::TrackStatus { track, .. } => {
                let name = self.own_track(track.namespace(), &track.name().0);
                match name.and_then(|name| self.publications.get(&name)) {
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
            IncomingRequest::PublishNamespace { namespace, .. } => {
                let suffix = namespace.strip_prefix(&self.room.namespace());
                let Some(name) = suffix.and_then(|suffix| ParticipantName::from_suffix(&suffix))
                else {
                    reject(key, RequestErrorCode::Uninterested, session, now);
                    return;
                };
                if session.accept(key, Parameters::default(), now).is_ok() {
                    self.announced.insert(key, name.clone());
                    self.handle_announced(name, session, now);
                }
            }
            IncomingRequest::SubscribeNamespace { prefix, .. } => {
                let mine = self
                    .me
                    .as_ref()
                    .map(|me| self.room.participant_namespace(me));
                let accepted = session.accept(key, Parameters::default(), now).is_ok();
                if let Some(suffix) = mine.and_then(|mine| mine.strip_prefix(&prefix))
                    && accepted
                {
                    let _ = session.namespace(key, suffix, now);
                }
            }
            IncomingRequest::Publish { .. } => {
                reject(key, RequestErrorCode::Uninterested, session, now);
            }
            IncomingRequest::SubscribeTracks { .. } | IncomingRequest::Fetch { .. } => {
                reject(key, RequestErrorCode::NotSupported, session, now);
            }
        }
    }

    pub(super) fn own_track(&self, namespace: &TrackNamespace, name: &[u8]) -> Option<String> {
        let mine = self.room.participant_namespace(self.me.as_ref()?);
        let name = std::str::from_utf8(name).ok()?;
        (*namespace == mine).then(|| name.to_owned())
    }

    pub(super) fn peer_request_ended(
        &mut self,
        key: RequestKey,
        session: &mut Session,
        now: Instant,
    ) {
        if let Some(track) = self.served.remove(&key)
            && let Some(publication) = self.publications.get_mut(&track)
        {
            publication.unsubscribe(key);
        }
        if let Some(name) = self.announced.remove(&key) {
            self.handle_withdrawn(&name, session, now);
        }
    }

    pub(super) fn handle_announced(
        &mut self,
        name: ParticipantName,
        session: &mut Session,
        now: Instant,
    ) {
        if let Some(key) = self.directory.handle_announced(name.clone(), session, now) {
            self.own.insert(key, Purpose::Catalog(name));
        }
    }

    pub(super) fn handle_withdrawn(
        &mut self,
        name: &ParticipantName,
        session: &mut Session,
        now: Instant,
    ) {
        if let Some(key) = self.directory.handle_withdrawn(name) {
            self.own.remove(&key);
            let _ = session.cancel(key, now);
        }
    }

    pub(super) fn handle_object(
        &mut self,
        key: RequestKey,
        object: Object,
        session: &mut Session,
        now: Instant,
    ) {
        if let Some(subscription) = self.subscriptions.get_mut(&key) {
            subscription.handle_object(object, now);
            self.deliver(key, session, now);
        } else if let Some(Purpose::Catalog(name)) = self.own.get(&key) {
            self.directory
                .handle_catalog(name, object.location.group, &object.payload);
        }
    }

    pub(super) fn handle_stream_end(
        &mut self,
        stream: StreamId,
        complete: bool,
        session: &mut Session,
        now: Instant,
    ) {
        let Some(incoming) = self.streams.remove(&stream) else {
            return;
        };
        if let Some(subscription) = self.subscriptions.get_mut(&incoming.key) {
            subscription.handle_group_end(incoming.group, complete, now);
            self.deliver(incoming.key, session, now);
        }
    }

    pub(super) fn deliver(&mut self, key: RequestKey, session: &mut Session, now: Instant) {
        if let Some(subscription) = self.subscriptions.get_mut(&key)
            && !subscription.deliver(key, session, now)
        {
            self.unsubscribe(key, session, now);
        }
    }
}

fn reject(key: RequestKey, code: RequestErrorCode, session: &mut Session, now: Instant) {
    let error = RequestError {
        code,
        retry_interval: 0,
        reason: String::new(),
        redirect: None,
    };
    let _ = session.reject(key, error, now);
}
