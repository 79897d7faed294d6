use std::time::Instant;

use parvis_session::{IncomingRequest, Object, RequestKey, Session, StreamId};
use parvis_wire::{ObjectStatus, Parameters, RequestError, RequestErrorCode, TrackNamespace};

use super::{
    core::Core,
    link::{LinkId, Purpose},
    subscription::TrackKey,
};
use crate::ParticipantName;

/// What the peer asks and sends.
impl Core {
    pub(super) fn handle_request(
        &mut self,
        id: LinkId,
        key: RequestKey,
        request: IncomingRequest,
        session: &mut Session,
        now: Instant,
    ) {
        let Some(request) = self.handle_data_request(id, key, request, session, now) else {
            return;
        };
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        match request {
            IncomingRequest::Subscribe { track, parameters } => {
                let name = own_track(
                    &self.room,
                    self.me.as_ref(),
                    track.namespace(),
                    &track.name().0,
                );
                match name.and_then(|name| self.publications.get_mut(&name)) {
                    Some(publication) => {
                        link.served.insert(key, publication.new.track.clone());
                        link.settled = false;
                        publication.subscribe(id, key, &parameters, session, now);
                    }
                    None => reject(key, RequestErrorCode::DoesNotExist, session, now),
                }
            }
            IncomingRequest::TrackStatus { track, .. } => {
                let name = own_track(
                    &self.room,
                    self.me.as_ref(),
                    track.namespace(),
                    &track.name().0,
                );
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
                    link.announced.insert(key, name.clone());
                    self.handle_announced(id, name, session, now);
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

    pub(super) fn peer_request_ended(
        &mut self,
        id: LinkId,
        key: RequestKey,
        session: &mut Session,
        now: Instant,
    ) {
        self.data_request_of_peer_ended(id, key);
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        if let Some(track) = link.served.remove(&key)
            && let Some(publication) = self.publications.get_mut(&track)
        {
            publication.unsubscribe(id, key);
        }
        if let Some(name) = link.announced.remove(&key) {
            self.handle_withdrawn(id, &name, session, now);
        }
    }

    pub(super) fn handle_announced(
        &mut self,
        id: LinkId,
        name: ParticipantName,
        session: &mut Session,
        now: Instant,
    ) {
        if !self.directory.is_announced(id, &name) {
            self.retry_tracks_of(&name);
        }
        let key = self.directory.handle_announced(id, &name, session, now);
        if let (Some(key), Some(link)) = (key, self.links.get_mut(&id)) {
            link.own.insert(key, Purpose::Catalog(name));
        }
    }

    pub(super) fn handle_withdrawn(
        &mut self,
        id: LinkId,
        name: &ParticipantName,
        session: &mut Session,
        now: Instant,
    ) {
        let moving = self.links.get(&id).is_some_and(|link| link.going_away);
        let grace = if moving {
            Some(now + super::core::GRACE)
        } else {
            self.grace.filter(|grace| now < *grace)
        };
        if let Some(key) = self.directory.handle_withdrawn(id, name, grace) {
            if let Some(link) = self.links.get_mut(&id) {
                link.own.remove(&key);
            }
            let _ = session.cancel(key, now);
        }
    }

    pub(super) fn handle_object(
        &mut self,
        id: LinkId,
        key: RequestKey,
        object: Object,
        session: &mut Session,
        now: Instant,
    ) {
        match self.links.get(&id).and_then(|link| link.own.get(&key)) {
            Some(Purpose::Track(key)) => {
                let key = *key;
                if let Some(track) = self.tracks.get_mut(&key) {
                    track.handle_object(id, object, now);
                }
                self.deliver(key, id, session, now);
            }
            Some(Purpose::Catalog(name)) => {
                self.directory
                    .handle_catalog(name, object.location.group, &object.payload);
            }
            Some(Purpose::Data(key)) => {
                let key = *key;
                if object.status == ObjectStatus::Normal {
                    self.handle_data_object(key, object.location, object.payload, now);
                }
            }
            _ => {}
        }
    }

    pub(super) fn handle_stream_end(
        &mut self,
        id: LinkId,
        stream: StreamId,
        complete: bool,
        session: &mut Session,
        now: Instant,
    ) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        let Some(incoming) = link.streams.remove(&stream) else {
            return;
        };
        let key = match link.own.get(&incoming.key) {
            Some(Purpose::Track(key)) => *key,
            Some(Purpose::Data(key)) if !complete => {
                let key = *key;
                self.data_cut_off(id, key, now);
                return;
            }
            _ => return,
        };
        let elsewhere = |(other, link): (&LinkId, &super::link::Link)| {
            let source = self.tracks.get(&key).and_then(|t| t.sources.get(other));
            source.is_some_and(|source| {
                let mut streams = link.streams.values();
                streams.any(|s| s.key == source.key && s.group == incoming.group)
            })
        };
        if !complete && self.links.iter().any(elsewhere) {
            // The other connection brings the rest.
            return;
        }
        if let Some(track) = self.tracks.get_mut(&key) {
            track.handle_group_end(incoming.group, complete, now);
            self.deliver(key, id, session, now);
        }
    }

    pub(super) fn deliver(
        &mut self,
        key: TrackKey,
        id: LinkId,
        session: &mut Session,
        now: Instant,
    ) {
        let Some(track) = self.tracks.get_mut(&key) else {
            return;
        };
        if track.deliver(now) {
            track.ask_key(id, session, now);
        } else {
            self.unsubscribe(key);
        }
    }
}

/// Which track of one's own a name names.
fn own_track(
    room: &crate::RoomName,
    me: Option<&ParticipantName>,
    namespace: &TrackNamespace,
    name: &[u8],
) -> Option<String> {
    let mine = room.participant_namespace(me?);
    let name = std::str::from_utf8(name).ok()?;
    (*namespace == mine).then(|| name.to_owned())
}

pub(super) fn reject(key: RequestKey, code: RequestErrorCode, session: &mut Session, now: Instant) {
    let error = RequestError {
        code,
        retry_interval: 0,
        reason: String::new(),
        redirect: None,
    };
    let _ = session.reject(key, error, now);
}
