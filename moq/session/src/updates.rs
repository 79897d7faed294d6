use std::time::Instant;

use parvis_wire::{
    Draft, Message, Parameters, PublishDoneCode, RequestError, RequestErrorCode, RequestUpdate,
    ResetCode, SessionErrorCode,
};

use crate::{
    DropReason, Event, PeerLimit, RequestKey, Session, SessionError,
    error::rejection,
    request::{Kind, Origin},
    scheduler::FlowKind,
    token_cache::Tokens,
    wishes::TrackDefaults,
};

/// Updates of requests by the peer.
impl Session {
    pub(crate) fn on_update(
        &mut self,
        key: RequestKey,
        update: RequestUpdate,
        now: Instant,
    ) -> Result<(), SessionError> {
        let Some(request) = self.requests.get(&key.0) else {
            return Ok(());
        };
        let allowed = match (&request.kind, request.origin) {
            (Kind::TrackStatus | Kind::Opening, _) => false,
            (Kind::Sending(_), Origin::Own) | (_, Origin::Peer) => true,
            (_, Origin::Own) => false,
        };
        if !allowed {
            return Err(self.unexpected(key, "REQUEST_UPDATE"));
        }
        self.take_peer_id(update.request_id)?;
        let mut parameters = update.parameters;
        let tokens = self.token_cache.resolve(&mut parameters.auth_tokens)?;
        let limit = self.config.limits.max_pending_updates;
        let id = update.request_id;
        let Some(request) = self.requests.get(&key.0) else {
            return Ok(());
        };
        let refusal = if request.updates_in >= limit {
            self.exceeded(PeerLimit::PendingUpdates);
            if self.config.draft == Draft::D22 {
                let reason = format!("{limit} updates of one request are open");
                return Err(SessionError::new(
                    SessionErrorCode::TooManyRequestUpdates,
                    reason,
                ));
            }
            Some(rejection(
                RequestErrorCode::ExcessiveLoad,
                "too many updates",
            ))
        } else if tokens == Tokens::Repeated {
            let code = RequestErrorCode::MalformedAuthToken;
            Some(rejection(code, "a token is there twice"))
        } else {
            self.check_rate(now)
        };
        if let Some(error) = refusal {
            self.events.push_back(Event::Refused(error.code));
            self.events.push_back(Event::Ended {
                key,
                reason: crate::EndReason::LimitExceeded,
            });
            self.fail_update(key, error, now);
            return Ok(());
        }
        if let Some(request) = self.requests.get_mut(&key.0) {
            request.updates_in += 1;
        }
        if !self.apply_update(key, &parameters, now) {
            return Ok(());
        }
        self.events.push_back(Event::Updated {
            key,
            id,
            parameters,
        });
        Ok(())
    }

    /// Puts in force what concerns this session; returns whether the user has to answer.
    fn apply_update(&mut self, key: RequestKey, parameters: &Parameters, now: Instant) -> bool {
        let Some(request) = self.requests.get_mut(&key.0) else {
            return false;
        };
        match &mut request.kind {
            Kind::Sending(sending) => {
                sending.wishes.apply(parameters);
                let forward = parameters.forward.unwrap_or(sending.forward);
                self.apply_wishes(key, forward);
            }
            Kind::Fetch(fetching) => {
                fetching.wishes.apply(parameters);
                let options = fetching
                    .wishes
                    .options(&TrackDefaults::default(), FlowKind::Fetch);
                self.scheduler.set_flow_options(key, options);
            }
            Kind::SubscribeNamespace { prefix, .. } | Kind::SubscribeTracks { prefix } => {
                if let Some(new) = &parameters.namespace_prefix {
                    prefix.clone_from(new);
                }
            }
            Kind::Opening | Kind::Receiving(_) | Kind::PublishNamespace | Kind::TrackStatus => {}
        }
        let overlaps = parameters.namespace_prefix.as_ref().is_some_and(|prefix| {
            self.requests
                .get(&key.0)
                .is_some_and(|request| self.overlaps(key, &request.kind, prefix))
        });
        if overlaps {
            let reason = "the prefix overlaps an open one";
            self.events.push_back(Event::Ended {
                key,
                reason: crate::EndReason::LimitExceeded,
            });
            let error = rejection(RequestErrorCode::PrefixOverlap, reason);
            self.events.push_back(Event::Refused(error.code));
            self.fail_update(key, error, now);
        }
        !overlaps
    }

    /// Lets the scheduler know what the subscriber wants.
    pub(crate) fn apply_wishes(&mut self, key: RequestKey, forward: bool) {
        let Some(request) = self.requests.get_mut(&key.0) else {
            return;
        };
        let Kind::Sending(sending) = &mut request.kind else {
            return;
        };
        let stops = std::mem::replace(&mut sending.forward, forward) && !forward;
        let options = sending
            .wishes
            .options(&sending.defaults, FlowKind::Subscription);
        self.scheduler.set_flow_options(key, options);
        if stops {
            let code = ResetCode::Cancelled.to_u64();
            self.scheduler
                .drop_unsent(key, code, DropReason::NotForwarded);
        }
    }

    /// Rejects an update and ends the request, as the draft demands.
    pub(crate) fn fail_update(&mut self, key: RequestKey, error: RequestError, now: Instant) {
        let reason = error.reason.clone();
        self.send(key, &Message::RequestError(error), now);
        match self.requests.get(&key.0).map(|request| &request.kind) {
            Some(Kind::Sending(_)) => {
                self.end_sending(key, PublishDoneCode::UpdateFailed, &reason);
            }
            Some(_) => {
                self.finish_request(key, now);
                self.remove_request(key, now);
            }
            None => {}
        }
    }
}
