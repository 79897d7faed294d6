use std::time::Instant;

use parvis_wire::{
    Draft, Fetch, FetchRange, FullTrackName, Message, Publish, RequestError, RequestErrorCode,
    RequestId, SessionErrorCode, Subscribe, TrackNamespace,
};

use crate::{
    Event, IncomingRequest, RequestKey, Role, Session, SessionError,
    error::rejection,
    request::{Fetching, Kind, Origin, Receiving, Sending},
    scheduler::FlowKind,
    token_cache::Tokens,
    wishes::{TrackDefaults, Wishes},
};

/// The peer's requests: the first message.
impl Session {
    pub(crate) fn open_request(
        &mut self,
        key: RequestKey,
        mut message: Message,
        now: Instant,
    ) -> Result<(), SessionError> {
        let (id, tokens) = match &mut message {
            Message::Subscribe(m) => (m.request_id, &mut m.parameters.auth_tokens),
            Message::Publish(m) => (m.request_id, &mut m.parameters.auth_tokens),
            Message::PublishNamespace(m) => (m.request_id, &mut m.parameters.auth_tokens),
            Message::SubscribeNamespace(m) => (m.request_id, &mut m.parameters.auth_tokens),
            Message::SubscribeTracks(m) => (m.request_id, &mut m.parameters.auth_tokens),
            Message::TrackStatus(m) => (m.request_id, &mut m.parameters.auth_tokens),
            Message::Fetch(m) => (m.request_id, &mut m.parameters.auth_tokens),
            message => {
                let name = message.message_type().name();
                return Err(SessionError::violation(format!(
                    "{name} began a request stream"
                )));
            }
        };
        self.take_peer_id(id)?;
        let tokens = self.token_cache.resolve(tokens)?;
        if let Some(request) = self.requests.get_mut(&key.0) {
            request.id = id;
        }
        self.by_id.insert(id, key);
        if let Some(error) = self.check_rate(now) {
            self.refuse_with(key, error, now);
            return Ok(());
        }
        if tokens == Tokens::Repeated {
            let code = RequestErrorCode::MalformedAuthToken;
            self.refuse(key, code, "a token is there twice", now);
            return Ok(());
        }
        match message {
            Message::Subscribe(message) => self.on_subscribe(key, message, now),
            Message::Publish(message) => return self.on_publish(key, message, now),
            Message::PublishNamespace(m) => {
                let parameters = m.parameters;
                let request = IncomingRequest::PublishNamespace {
                    namespace: m.namespace,
                    parameters,
                };
                self.take_on(key, Kind::PublishNamespace, request, now);
            }
            Message::SubscribeNamespace(m) => {
                let kind = Kind::SubscribeNamespace {
                    prefix: m.prefix.clone(),
                    names: None,
                };
                let overlaps = self.overlaps(key, &kind, &m.prefix);
                let (prefix, parameters) = (m.prefix, m.parameters);
                let request = IncomingRequest::SubscribeNamespace { prefix, parameters };
                self.take_on_unless(overlaps, key, kind, request, now);
            }
            Message::SubscribeTracks(m) => {
                let kind = Kind::SubscribeTracks {
                    prefix: m.prefix.clone(),
                };
                let overlaps = self.overlaps(key, &kind, &m.prefix);
                let (prefix, parameters) = (m.prefix, m.parameters);
                let request = IncomingRequest::SubscribeTracks { prefix, parameters };
                self.take_on_unless(overlaps, key, kind, request, now);
            }
            Message::TrackStatus(m) => {
                let (track, parameters) = (m.track, m.parameters);
                let request = IncomingRequest::TrackStatus { track, parameters };
                self.take_on(key, Kind::TrackStatus, request, now);
            }
            Message::Fetch(message) => self.on_fetch_request(key, message, now),
            _ => {}
        }
        Ok(())
    }

    /// Checks a request id of the peer's. draft-ietf-moq-transport-22, "Request ID".
    pub(crate) fn take_peer_id(&mut self, id: RequestId) -> Result<(), SessionError> {
        let parity = u64::from(self.config.role.peer() == Role::Server);
        let problem = if id.0 % 2 != parity {
            "is not one of the peer's"
        } else if !self.peer_ids.insert(id.0 / 2) {
            "came before"
        } else {
            return Ok(());
        };
        let reason = format!("request id {id} {problem}");
        Err(SessionError::new(
            SessionErrorCode::InvalidRequestId,
            reason,
        ))
    }

    /// Makes the request known to the user, unless this side is going away.
    fn take_on(&mut self, key: RequestKey, kind: Kind, request: IncomingRequest, now: Instant) {
        if self.going_away {
            self.refuse(
                key,
                RequestErrorCode::GoingAway,
                "this side is going away",
                now,
            );
            return;
        }
        if let Some(open) = self.requests.get_mut(&key.0) {
            open.kind = kind;
        }
        self.events.push_back(Event::Request { key, request });
    }

    fn take_on_unless(
        &mut self,
        overlaps: bool,
        key: RequestKey,
        kind: Kind,
        request: IncomingRequest,
        now: Instant,
    ) {
        if overlaps {
            let reason = "the prefix overlaps an open one";
            self.refuse(key, RequestErrorCode::PrefixOverlap, reason, now);
        } else {
            self.take_on(key, kind, request, now);
        }
    }

    /// Rejects a request of the peer's without telling the user.
    pub(crate) fn refuse(
        &mut self,
        key: RequestKey,
        code: RequestErrorCode,
        reason: &str,
        now: Instant,
    ) {
        self.refuse_with(key, rejection(code, reason), now);
    }

    fn refuse_with(&mut self, key: RequestKey, error: RequestError, now: Instant) {
        self.events.push_back(Event::Refused(error.code));
        self.send(key, &Message::RequestError(error), now);
        self.finish_request(key, now);
        self.remove_request(key, now);
    }

    fn on_subscribe(&mut self, key: RequestKey, message: Subscribe, now: Instant) {
        if self.config.draft == Draft::D18 && self.has_sending(&message.track) {
            let reason = "the track is subscribed to";
            self.refuse(key, RequestErrorCode::DuplicateSubscription, reason, now);
            return;
        }
        let sending = Sending {
            track: message.track.clone(),
            alias: self.allocate_alias(),
            forward: message.parameters.forward.unwrap_or(true),
            wishes: Wishes::of(&message.parameters),
            defaults: TrackDefaults::default(),
            streams_opened: 0,
            fills: Vec::new(),
            drained: false,
            done: None,
        };
        let (track, parameters) = (message.track, message.parameters);
        let request = IncomingRequest::Subscribe { track, parameters };
        self.take_on(key, Kind::Sending(sending), request, now);
    }

    fn on_publish(
        &mut self,
        key: RequestKey,
        message: Publish,
        now: Instant,
    ) -> Result<(), SessionError> {
        let alias = message.track_alias;
        self.check_alias(alias, &message.track)?;
        if self.config.draft == Draft::D18 && self.has_receiving(&message.track) {
            let reason = "the track is subscribed to";
            self.refuse(key, RequestErrorCode::DuplicateSubscription, reason, now);
            return Ok(());
        }
        let receiving = Receiving {
            track: message.track.clone(),
            alias: Some(alias),
            wishes: Wishes::of(&message.parameters),
            defaults: TrackDefaults::of(&message.track_properties),
            streams: Vec::new(),
            streams_seen: 0,
            fills: Vec::new(),
            done: None,
        };
        let Publish {
            track,
            parameters,
            track_properties,
            ..
        } = message;
        let request = IncomingRequest::Publish {
            track,
            parameters,
            track_properties,
        };
        self.take_on(key, Kind::Receiving(receiving), request, now);
        if self.requests.contains_key(&key.0) {
            self.learn_alias(alias, key, now)
        } else {
            self.discard_held(alias);
            Ok(())
        }
    }

    fn on_fetch_request(&mut self, key: RequestKey, message: Fetch, now: Instant) {
        let joining = match &message.range {
            FetchRange::RelativeJoining { request_id, .. }
            | FetchRange::AbsoluteJoining { request_id, .. } => {
                let joined = self.by_id.get(request_id).copied().filter(|joined| {
                    self.requests
                        .get(&joined.0)
                        .is_some_and(|r| matches!(r.kind, Kind::Sending(_)))
                });
                if joined.is_none() {
                    let reason = "it joins no subscription";
                    self.refuse(key, RequestErrorCode::InvalidJoiningRequestId, reason, now);
                    return;
                }
                joined
            }
            FetchRange::Standalone { .. } | FetchRange::Filtered { .. } => None,
        };
        let fetching = Fetching {
            order: message.parameters.group_order.unwrap_or_default(),
            wishes: Wishes::of(&message.parameters),
            ..Fetching::default()
        };
        let options = fetching
            .wishes
            .options(&TrackDefaults::default(), FlowKind::Fetch);
        let (range, parameters) = (message.range, message.parameters);
        let request = IncomingRequest::Fetch {
            range,
            parameters,
            joining,
        };
        self.take_on(key, Kind::Fetch(fetching), request, now);
        if self.requests.contains_key(&key.0) {
            self.scheduler.add_flow(key, options);
        }
    }

    /// Whether another request of the peer's and of that kind has a prefix that contains
    /// `prefix`, or is contained in it.
    pub(crate) fn overlaps(&self, key: RequestKey, kind: &Kind, prefix: &TrackNamespace) -> bool {
        self.requests.iter().any(|(id, request)| {
            let other = match (&request.kind, kind) {
                (Kind::SubscribeNamespace { prefix, .. }, Kind::SubscribeNamespace { .. })
                | (Kind::SubscribeTracks { prefix }, Kind::SubscribeTracks { .. }) => Some(prefix),
                _ => None,
            };
            let clash =
                |other: &TrackNamespace| other.starts_with(prefix) || prefix.starts_with(other);
            request.origin == Origin::Peer && *id != key.0 && other.is_some_and(clash)
        })
    }

    fn has_sending(&self, track: &FullTrackName) -> bool {
        self.requests.values().any(|request| {
            matches!(&request.kind, Kind::Sending(s) if s.done.is_none() && s.track == *track)
        })
    }

    /// A subscription to the track that is established; one that waits for its answer may be
    /// given up for the PUBLISH.
    fn has_receiving(&self, track: &FullTrackName) -> bool {
        self.requests.values().any(|request| {
            (request.established || request.origin == Origin::Peer)
                && matches!(&request.kind, Kind::Receiving(r) if r.done.is_none() && r.track == *track)
        })
    }
}
