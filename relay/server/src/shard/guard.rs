//! Who may do what: tokens of sessions and of requests, before the forwarder hears of anything.

use std::time::Instant;

use parvis_forwarding::Signal;
use parvis_quic::ConnectionKey;
use parvis_session::{IncomingRequest, RequestKey};
use parvis_token::{Access, Refusal};
use parvis_wire::{
    AuthToken, Parameters, PublishDoneCode, RequestError, RequestErrorCode, SessionErrorCode,
};

use super::{
    Shard,
    identity::quota_of,
    permits::{Need, TooManyTokens},
};
use crate::access::{Gate, WallClock};

/// Why somebody is turned away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TurnedAway {
    pub(super) code: RequestErrorCode,
    /// How long to wait before trying again, milliseconds and 1; 0: it is of no use.
    pub(super) retry_interval: u64,
    pub(super) reason: String,
}

/// Tokens of one message that are looked at; each costs a signature.
const MAX_TOKENS: usize = 4;
const EXPIRED: &str = "the token has expired";

impl TurnedAway {
    fn unauthorized(reason: impl Into<String>) -> Self {
        Self {
            code: RequestErrorCode::Unauthorized,
            retry_interval: 0,
            reason: reason.into(),
        }
    }

    fn into_error(self) -> RequestError {
        RequestError {
            code: self.code,
            retry_interval: self.retry_interval,
            reason: self.reason,
            redirect: None,
        }
    }
}

impl From<Refusal> for TurnedAway {
    fn from(refusal: Refusal) -> Self {
        let code = match &refusal {
            Refusal::Expired(_) => RequestErrorCode::ExpiredAuthToken,
            Refusal::TooLarge { .. } | Refusal::Malformed(_) => {
                RequestErrorCode::MalformedAuthToken
            }
            _ => RequestErrorCode::Unauthorized,
        };
        Self {
            code,
            retry_interval: 0,
            reason: refusal.to_string(),
        }
    }
}

impl Shard {
    /// Takes the tokens of SETUP; a session all of whose tokens are bad is closed. Says whether
    /// it may stay.
    pub(super) fn admit_session(&mut self, key: ConnectionKey, tokens: Vec<AuthToken>) -> bool {
        let Err(away) = self.take_tokens(key, tokens) else {
            self.await_token(key);
            return true;
        };
        let code = match away.code {
            RequestErrorCode::ExpiredAuthToken => SessionErrorCode::ExpiredAuthToken,
            RequestErrorCode::MalformedAuthToken => SessionErrorCode::MalformedAuthToken,
            _ => SessionErrorCode::Unauthorized,
        };
        self.endpoint.close(self.now, key, code, &away.reason);
        false
    }

    /// A session without a token may show one with its first requests, but not stay without.
    fn await_token(&mut self, key: ConnectionKey) {
        let Some(peer) = self.peers.get_mut(key) else {
            return;
        };
        if matches!(self.gate, Gate::Tokens(_)) && peer.permits.is_empty() {
            peer.permits.deadline = Some(self.now + self.token_deadline);
            self.schedule_expiry(key);
        }
    }

    /// Whether a session's tokens are those of a service that speaks to everybody.
    pub(super) fn is_service(&self, key: ConnectionKey) -> bool {
        let peer = self.peers.get(key);
        peer.is_some_and(|peer| peer.permits.accesses().any(Access::publishes_under))
    }

    /// Checks a request and takes the tokens out of it. Says whether the forwarder may hear of
    /// it; if not, it was rejected.
    pub(super) fn admit_request(
        &mut self,
        connection: ConnectionKey,
        request: RequestKey,
        asked: &mut IncomingRequest,
    ) -> bool {
        let tokens = std::mem::take(&mut parameters(asked).auth_tokens);
        if matches!(self.gate, Gate::Open) || self.is_upstream(connection) {
            return true;
        }
        let quota = quota_of(asked);
        let verdict = self
            .take_tokens(connection, tokens)
            .and_then(|()| self.count_request(connection))
            .and_then(|()| self.check_request(connection, asked))
            .and_then(|need| self.count_use(connection, quota).map(|()| need));
        let away = match verdict {
            Ok(need) => {
                // A TRACK_STATUS is answered at once.
                if !matches!(asked, IncomingRequest::TrackStatus { .. })
                    && let Some(peer) = self.peers.get_mut(connection)
                {
                    peer.permits.open(request, need, quota);
                }
                return true;
            }
            Err(away) => away,
        };
        self.stats.count_refusal(away.code);
        tracing::debug!(key = ?connection, %request, reason = away.reason, "request turned away");
        if let Some(session) = self.endpoint.session(connection) {
            // Refused by a session that is closed, whose request is over as well.
            let _ = session.reject(request, away.into_error(), self.now);
        }
        false
    }

    /// Whether a token grants it, and what it needs.
    fn check_request(
        &self,
        connection: ConnectionKey,
        asked: &IncomingRequest,
    ) -> Result<Need, TurnedAway> {
        let Some(peer) = self.peers.get(connection) else {
            return Err(TurnedAway::unauthorized("the session is over"));
        };
        let need = peer.permits.need_of(asked);
        if peer.permits.allow(&need) {
            Ok(need)
        } else {
            let reason = format!("no token grants to {need}");
            Err(TurnedAway::unauthorized(reason))
        }
    }

    /// Checks an update of a request and takes the tokens out of it, as
    /// [`admit_request`](Self::admit_request) does; a rejected update ends its request.
    pub(super) fn admit_update(
        &mut self,
        connection: ConnectionKey,
        request: RequestKey,
        update: &mut Parameters,
    ) -> bool {
        let tokens = std::mem::take(&mut update.auth_tokens);
        if matches!(self.gate, Gate::Open) || self.is_upstream(connection) {
            return true;
        }
        let taken = self.take_tokens(connection, tokens);
        let Some(peer) = self.peers.get_mut(connection) else {
            return false;
        };
        let verdict = taken.and_then(|()| {
            let Some(prefix) = &update.namespace_prefix else {
                return Ok(());
            };
            let Some(need) = peer.permits.moved(request, prefix) else {
                return Ok(());
            };
            if peer.permits.allow(&need) {
                peer.permits.change(request, need);
                Ok(())
            } else {
                Err(TurnedAway::unauthorized(format!(
                    "no token grants to {need}"
                )))
            }
        });
        let Err(away) = verdict else { return true };
        self.stats.count_refusal(away.code);
        if let Some(session) = self.endpoint.session(connection) {
            let _ = session.reject_update(request, away.into_error(), self.now);
        }
        self.signal_in(connection, request, Signal::Cancel);
        self.forget(connection, request);
        false
    }

    /// Verifies tokens and keeps the good ones. Fails if all are bad, with what is wrong with
    /// the first.
    fn take_tokens(
        &mut self,
        connection: ConnectionKey,
        tokens: Vec<AuthToken>,
    ) -> Result<(), TurnedAway> {
        let Gate::Tokens(verifier) = &self.gate else {
            return Ok(());
        };
        let Some(peer) = self.peers.get_mut(connection) else {
            return Ok(());
        };
        // Type 0 was agreed out of band: ours. Others are not understood.
        let ours = tokens.into_iter().filter_map(|token| match token {
            AuthToken::UseValue { kind: 0, value } => Some(value),
            _ => None,
        });
        let ours: Vec<_> = ours.collect();
        if ours.len() > MAX_TOKENS {
            return Err(TurnedAway {
                code: RequestErrorCode::MalformedAuthToken,
                retry_interval: 0,
                reason: format!("at most {MAX_TOKENS} tokens in a message"),
            });
        }
        if ours.iter().all(|token| peer.permits.has(token)) {
            return Ok(());
        }
        let clock = WallClock::read(self.now);
        let mut failure = None;
        let mut good = false;
        for token in ours {
            if peer.permits.has(&token) {
                good = true;
                continue;
            }
            let verified = verifier
                .verify(&token, clock.now())
                .map_err(TurnedAway::from)
                .and_then(|access| {
                    if self.denials.refuse(&access, clock.now()) {
                        return Err(TurnedAway::unauthorized("the token was revoked"));
                    }
                    Ok(access)
                })
                .and_then(|access: Access| {
                    let until = clock.instant(access.expires());
                    Ok(peer.permits.hold(&token, access, until)?)
                });
            match verified {
                Ok(()) => good = true,
                Err(away) => failure = failure.or(Some(away)),
            }
        }
        if good {
            self.endpoint.allow_bytes(connection, self.receive_window);
        }
        self.schedule_expiry(connection);
        self.count_session(connection);
        match failure {
            Some(away) if !good => Err(away),
            _ => Ok(()),
        }
    }

    /// Has a session looked at when the first of its tokens expires, and not before.
    fn schedule_expiry(&mut self, connection: ConnectionKey) {
        let Some(peer) = self.peers.get_mut(connection) else {
            return;
        };
        let next = peer.permits.next_expiry();
        let before = std::mem::replace(&mut peer.permits.scheduled, next);
        if before != next {
            let number = connection.to_u64();
            if let Some(before) = before {
                self.expiries.remove(&(before, number));
            }
            self.expiries.extend(next.map(|next| (next, number)));
        }
    }

    /// When the next token expires.
    pub(super) fn next_expiry(&self) -> Option<Instant> {
        self.expiries.first().map(|(at, _)| *at)
    }

    /// Ends what was allowed by tokens that are void now.
    pub(super) fn expire_tokens(&mut self) {
        while let Some(&(at, connection)) = self.expiries.first() {
            if at > self.now {
                return;
            }
            self.expiries.pop_first();
            let connection = ConnectionKey::from_u64(connection);
            let Some(peer) = self.peers.get_mut(connection) else {
                continue;
            };
            peer.permits.scheduled = None;
            let had_token = !peer.permits.is_empty();
            peer.permits.expire(self.now);
            if peer.permits.is_empty() {
                let (code, reason) = if had_token {
                    (SessionErrorCode::ExpiredAuthToken, EXPIRED)
                } else {
                    (SessionErrorCode::Unauthorized, "no token in time")
                };
                self.expel(connection, code, reason);
                continue;
            }
            self.schedule_expiry(connection);
            self.withdraw_not_allowed(connection, EXPIRED);
        }
    }

    /// Ends the requests of a session that none of its tokens grants any more.
    pub(super) fn withdraw_not_allowed(&mut self, connection: ConnectionKey, reason: &str) {
        let Some(peer) = self.peers.get_mut(connection) else {
            return;
        };
        for request in peer.permits.not_allowed() {
            self.withdraw(connection, request, reason);
        }
    }

    /// Closes a session; what it published is gone at once.
    pub(super) fn expel(&mut self, key: ConnectionKey, code: SessionErrorCode, reason: &str) {
        self.endpoint.close(self.now, key, code, reason);
        self.disconnect(key);
    }

    /// Ends a request that no token allows any more.
    fn withdraw(&mut self, connection: ConnectionKey, request: RequestKey, reason: &str) {
        self.revoke_fetch(connection, request);
        self.signal_in(connection, request, Signal::Cancel);
        self.forget(connection, request);
        let Some(session) = self.endpoint.session(connection) else {
            return;
        };
        let code = PublishDoneCode::Unauthorized;
        let done = session.publish_done(request, code, reason, self.now);
        if done.is_err() {
            // It is no subscription of the peer's, or has no answer.
            let _ = session.cancel(request, self.now);
        }
    }
}

impl From<TooManyTokens> for TurnedAway {
    fn from(error: TooManyTokens) -> Self {
        Self::unauthorized(error.to_string())
    }
}

const fn parameters(asked: &mut IncomingRequest) -> &mut Parameters {
    match asked {
        IncomingRequest::Subscribe { parameters, .. }
        | IncomingRequest::Publish { parameters, .. }
        | IncomingRequest::PublishNamespace { parameters, .. }
        | IncomingRequest::SubscribeNamespace { parameters, .. }
        | IncomingRequest::SubscribeTracks { parameters, .. }
        | IncomingRequest::TrackStatus { parameters, .. }
        | IncomingRequest::Fetch { parameters, .. } => parameters,
    }
}
