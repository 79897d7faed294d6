use std::time::Instant;

use parvis_wire::{
    Draft, FetchOk, FullTrackName, GoAway, Namespace, PublishDone, PublishSkipped,
    PublishStateNotify, RequestError, RequestOk, ResetCode, SessionErrorCode, SubscribeOk,
    TrackAlias, TrackNamespace,
};

use crate::{
    Answer, EndReason, Event, PeerLimit, RequestKey, Role, Session, SessionError,
    request::{Done, Kind, Origin},
    wishes::TrackDefaults,
};

/// Answers of the peer's, and what it says later on.
impl Session {
    pub(crate) fn on_ok(
        &mut self,
        key: RequestKey,
        ok: RequestOk,
        now: Instant,
    ) -> Result<(), SessionError> {
        let unexpected = self.unexpected(key, "REQUEST_OK");
        let Some(request) = self.requests.get_mut(&key.0) else {
            return Ok(());
        };
        let is_answer = request.origin == Origin::Own && !request.established;
        let is_track_status = matches!(request.kind, Kind::TrackStatus);
        if !ok.track_properties.is_empty() && !is_track_status {
            return Err(SessionError::violation("REQUEST_OK with track properties"));
        }
        let RequestOk {
            mut parameters,
            track_properties,
        } = ok;
        if !is_answer {
            if request.updates_out == 0 {
                return Err(unexpected);
            }
            request.updates_out -= 1;
            self.events
                .push_back(Event::UpdateAccepted { key, parameters });
            return Ok(());
        }
        match &mut request.kind {
            Kind::Receiving(_) | Kind::Fetch(_) | Kind::Opening => return Err(unexpected),
            Kind::Sending(sending) => {
                // draft-ietf-moq-transport-18, "FORWARD Parameter": left out of PUBLISH_OK it means 1.
                if self.config.draft == Draft::D18 {
                    parameters.forward.get_or_insert(true);
                }
                sending.wishes.apply(&parameters);
                let forward = parameters.forward.unwrap_or(sending.forward);
                request.established = true;
                self.apply_wishes(key, forward);
            }
            Kind::PublishNamespace
            | Kind::SubscribeNamespace { .. }
            | Kind::SubscribeTracks { .. }
            | Kind::TrackStatus => request.established = true,
        }
        let answer = Answer::Ok {
            parameters,
            track_properties,
        };
        self.events.push_back(Event::Accepted { key, answer });
        if is_track_status {
            self.retire(key, now);
        }
        Ok(())
    }

    pub(crate) fn on_error(
        &mut self,
        key: RequestKey,
        error: RequestError,
        now: Instant,
    ) -> Result<(), SessionError> {
        let unexpected = self.unexpected(key, "REQUEST_ERROR");
        let Some(request) = self.requests.get_mut(&key.0) else {
            return Ok(());
        };
        let of_namespace = matches!(
            request.kind,
            Kind::PublishNamespace | Kind::SubscribeNamespace { .. } | Kind::SubscribeTracks { .. }
        );
        let named = error
            .redirect
            .as_ref()
            .is_some_and(|r| !r.name.0.is_empty());
        let moved = error
            .redirect
            .as_ref()
            .is_some_and(|r| !r.connect_uri.is_empty());
        if self.config.role == Role::Server && moved {
            return Err(SessionError::violation("a client redirects to another URI"));
        }
        if of_namespace && named {
            return Err(SessionError::violation(
                "a redirect to a track for a namespace",
            ));
        }
        if request.origin == Origin::Own && !request.established {
            self.abandon_streams(key, true);
            self.events.push_back(Event::Rejected { key, error });
            self.retire(key, now);
            return Ok(());
        }
        if request.updates_out == 0 {
            return Err(unexpected);
        }
        request.updates_out -= 1;
        self.events.push_back(Event::UpdateRejected { key, error });
        Ok(())
    }

    pub(crate) fn on_subscribe_ok(
        &mut self,
        key: RequestKey,
        ok: SubscribeOk,
        now: Instant,
    ) -> Result<(), SessionError> {
        let unexpected = self.unexpected(key, "SUBSCRIBE_OK");
        let Some(request) = self.requests.get_mut(&key.0) else {
            return Ok(());
        };
        let Kind::Receiving(receiving) = &mut request.kind else {
            return Err(unexpected);
        };
        if request.origin != Origin::Own || request.established {
            return Err(unexpected);
        }
        request.established = true;
        receiving.alias = Some(ok.track_alias);
        receiving.defaults = TrackDefaults::of(&ok.track_properties);
        let track = receiving.track.clone();
        self.check_alias(ok.track_alias, &track)?;
        let SubscribeOk {
            track_alias,
            parameters,
            track_properties,
        } = ok;
        let answer = Answer::Subscribe {
            parameters,
            track_properties,
        };
        self.events.push_back(Event::Accepted { key, answer });
        self.learn_alias(track_alias, key, now)
    }

    pub(crate) fn on_fetch_ok(
        &mut self,
        key: RequestKey,
        ok: FetchOk,
        now: Instant,
    ) -> Result<(), SessionError> {
        let unexpected = self.unexpected(key, "FETCH_OK");
        let Some(request) = self.requests.get_mut(&key.0) else {
            return Ok(());
        };
        let Kind::Fetch(fetching) = &request.kind else {
            return Err(unexpected);
        };
        if request.origin != Origin::Own || request.established {
            return Err(unexpected);
        }
        let ended = fetching.ended;
        request.established = true;
        self.events.push_back(Event::Accepted {
            key,
            answer: Answer::Fetch(ok),
        });
        if ended {
            self.retire(key, now);
        }
        Ok(())
    }

    pub(crate) fn on_publish_done(
        &mut self,
        key: RequestKey,
        done: PublishDone,
        now: Instant,
    ) -> Result<(), SessionError> {
        let unexpected = self.unexpected(key, "PUBLISH_DONE");
        let linger = self.config.limits.linger;
        let Some(request) = self.requests.get_mut(&key.0) else {
            return Ok(());
        };
        let answered = request.established || request.origin == Origin::Peer;
        let Kind::Receiving(receiving) = &mut request.kind else {
            return Err(unexpected);
        };
        if !answered || receiving.done.is_some() {
            return Err(unexpected);
        }
        let timeout = receiving.wishes.longest_timeout(&receiving.defaults);
        // A peer that does not count says 0, whatever it sent: more may be on its way.
        let wrong = receiving.streams_seen > done.stream_count;
        receiving.done = Some(Done {
            code: done.code,
            reason: done.reason,
            stream_count: if wrong { u64::MAX } else { done.stream_count },
            until: now + linger.max(timeout),
        });
        let complete = receiving.is_complete();
        self.finish_request(key, now);
        if complete {
            self.end_subscription(key, now);
        } else {
            self.lingering.retain(|other| *other != key);
            self.lingering.push(key);
        }
        Ok(())
    }

    pub(crate) fn on_state_notify(
        &mut self,
        key: RequestKey,
        notify: PublishStateNotify,
    ) -> Result<(), SessionError> {
        match self.requests.get(&key.0).map(|request| &request.kind) {
            Some(Kind::Receiving(receiving)) if receiving.done.is_none() => {
                let parameters = notify.parameters;
                self.events
                    .push_back(Event::StateChanged { key, parameters });
                Ok(())
            }
            _ => Err(self.unexpected(key, "PUBLISH_STATE_NOTIFY")),
        }
    }

    pub(crate) fn on_namespace(
        &mut self,
        key: RequestKey,
        namespace: Namespace,
        now: Instant,
    ) -> Result<(), SessionError> {
        let Namespace { suffix, parameters } = namespace;
        let path = parameters.hop_path;
        if path.is_some() && !self.tells_paths {
            return Err(SessionError::violation("HOP_PATH, which was not offered"));
        }
        let unexpected = self.unexpected(key, "NAMESPACE");
        let limit = self.config.limits.max_namespaces;
        let Some(request) = self.requests.get_mut(&key.0) else {
            return Ok(());
        };
        let answered = request.origin == Origin::Own && request.established;
        match &mut request.kind {
            Kind::SubscribeNamespace { names, .. } if answered => {
                if let Some(names) = names {
                    names.insert(suffix.clone());
                    if names.len() > limit {
                        let reason = EndReason::LimitExceeded;
                        self.exceeded(PeerLimit::Namespaces);
                        self.abort(key, ResetCode::ExcessiveLoad, reason, now);
                        return Ok(());
                    }
                }
                self.events
                    .push_back(Event::Namespace { key, suffix, path });
                Ok(())
            }
            _ => Err(unexpected),
        }
    }

    pub(crate) fn on_namespace_done(
        &mut self,
        key: RequestKey,
        suffix: TrackNamespace,
    ) -> Result<(), SessionError> {
        let unexpected = self.unexpected(key, "NAMESPACE_DONE");
        let Some(request) = self.requests.get_mut(&key.0) else {
            return Ok(());
        };
        let answered = request.origin == Origin::Own && request.established;
        match &mut request.kind {
            Kind::SubscribeNamespace { names, .. } if answered => {
                if names.as_mut().is_some_and(|names| !names.remove(&suffix)) {
                    let reason = format!("NAMESPACE_DONE for {suffix} before its NAMESPACE");
                    return Err(SessionError::violation(reason));
                }
                self.events.push_back(Event::NamespaceDone { key, suffix });
                Ok(())
            }
            _ => Err(unexpected),
        }
    }

    pub(crate) fn on_publish_skipped(
        &mut self,
        key: RequestKey,
        skipped: PublishSkipped,
    ) -> Result<(), SessionError> {
        let request = self.requests.get(&key.0);
        let fits = request.is_some_and(|request| {
            request.origin == Origin::Own
                && request.established
                && matches!(request.kind, Kind::SubscribeTracks { .. })
        });
        if !fits {
            return Err(self.unexpected(key, "PUBLISH_SKIPPED"));
        }
        let PublishSkipped { suffix, name } = skipped;
        self.events
            .push_back(Event::PublishSkipped { key, suffix, name });
        Ok(())
    }

    pub(crate) fn on_request_goaway(
        &mut self,
        key: RequestKey,
        goaway: GoAway,
    ) -> Result<(), SessionError> {
        self.check_goaway(&goaway)?;
        let Some(request) = self.requests.get_mut(&key.0) else {
            return Ok(());
        };
        if std::mem::replace(&mut request.moving, true) {
            return Err(SessionError::violation("a second GOAWAY for one request"));
        }
        self.events.push_back(Event::GoAway {
            key: Some(key),
            uri: goaway.new_session_uri,
            timeout_ms: goaway.timeout_ms,
        });
        Ok(())
    }

    /// Checks that an alias does not name another track. Draft 22 lets subscriptions to one
    /// track share it.
    pub(crate) fn check_alias(
        &self,
        alias: TrackAlias,
        track: &FullTrackName,
    ) -> Result<(), SessionError> {
        let other = self
            .aliases
            .key(alias)
            .and_then(|key| self.requests.get(&key.0));
        if let Some(Kind::Receiving(other)) = other.map(|request| &request.kind)
            && other.track != *track
        {
            let reason = format!("alias {alias} for {track} names {}", other.track);
            return Err(SessionError::new(
                SessionErrorCode::DuplicateTrackAlias,
                reason,
            ));
        }
        Ok(())
    }

    /// Lets objects with `alias` go to a subscription, unless they go to another one of the
    /// same track.
    pub(crate) fn learn_alias(
        &mut self,
        alias: TrackAlias,
        key: RequestKey,
        now: Instant,
    ) -> Result<(), SessionError> {
        if self.aliases.key(alias).is_none() {
            self.aliases.insert(alias, key);
        }
        self.release_held(alias, key, now)
    }
}
