//! What a participant may have in all its sessions together.

use parvis_forwarding::Quota;
use parvis_quic::ConnectionKey;
use parvis_session::IncomingRequest;
use parvis_token::Access;
use parvis_wire::{RequestErrorCode, SessionErrorCode};

use super::{
    Shard,
    guard::TurnedAway,
    subjects::{SessionAt, Verdict},
    turn::QUOTAS,
};
use crate::{Limit, access::Gate};

impl Shard {
    /// A session has shown whose it is: of too many of one participant, the oldest has to go.
    pub(super) fn count_session(&mut self, key: ConnectionKey) {
        let Some(peer) = self.peers.get_mut(key) else {
            return;
        };
        let is_person = |access: &Access| !access.is_relay() && !access.publishes_under();
        if peer.permits.counted.is_some() || !peer.permits.accesses().all(is_person) {
            return;
        }
        let Some(subject) = peer.permits.subject() else {
            return;
        };
        let session = (self.index, key);
        let (participant, oldest) = self.subjects.add(subject, session);
        peer.permits.counted = Some((participant, session));
        if let Some(oldest) = oldest {
            self.stats.count_limit(Limit::SubjectSessions);
            self.give_way(oldest);
        }
    }

    /// A session has come, and shown no token yet: of too many such the oldest has to go, so that there is
    /// room for those who have one.
    pub(super) fn count_stranger(&mut self, key: ConnectionKey) {
        if matches!(self.gate, Gate::Open) {
            return;
        }
        if let Some(peer) = self.peers.get_mut(key) {
            peer.permits.stranger = Some(self.strangers.arrives());
        }
        let peers = &self.peers;
        let is_stranger = |key: &ConnectionKey| {
            let peer = peers.get(*key);
            peer.is_some_and(|peer| peer.permits.is_empty())
        };
        self.newcomers.retain(is_stranger);
        self.newcomers.push_back(key);
        if self.strangers.are_too_many(self.newcomers.len())
            && let Some(oldest) = self.newcomers.pop_front()
        {
            self.stats.count_limit(Limit::Strangers);
            let code = SessionErrorCode::Unauthorized;
            self.expel(oldest, code, "too many sessions without a token");
        }
    }

    /// A session has to go for a newer one of the same participant.
    fn give_way(&mut self, (shard, session): SessionAt) {
        match self.links.to(shard.into()) {
            Some(link) => link.surplus(session),
            None => self.expel_surplus(session),
        }
    }

    /// A session is one too many of its participant.
    pub(super) fn expel_surplus(&mut self, key: ConnectionKey) {
        // It shall not come back at once in another one's place.
        let code = SessionErrorCode::Unauthorized;
        self.expel(key, code, "too many sessions of one participant");
    }

    /// Counts a request of the session's participant.
    pub(super) fn count_request(&mut self, key: ConnectionKey) -> Result<(), TurnedAway> {
        let participant = self.peers.get(key).and_then(|p| p.permits.counted.as_ref());
        let Some((participant, _)) = participant else {
            return Ok(());
        };
        let Err(wait) = participant.ask(self.now) else {
            return Ok(());
        };
        self.stats.count_limit(Limit::Requests);
        Err(TurnedAway {
            code: RequestErrorCode::ExcessiveLoad,
            // One more than the milliseconds, which are rounded up.
            retry_interval: wait.as_millis() as u64 + 2,
            reason: "too many requests a second of one participant".to_owned(),
        })
    }

    /// Counts what a request is one of; an older session may have to go for it.
    pub(super) fn count_use(
        &mut self,
        key: ConnectionKey,
        quota: Option<Quota>,
    ) -> Result<(), TurnedAway> {
        let participant = self.peers.get(key).and_then(|p| p.permits.counted.as_ref());
        let (Some((participant, session)), Some(quota)) = (participant, quota) else {
            return Ok(());
        };
        match participant.take(*session, quota) {
            Verdict::Granted => Ok(()),
            Verdict::InPlaceOf(older) => {
                self.subject_refusals[quota as usize] += 1;
                self.give_way(older);
                Ok(())
            }
            Verdict::Refused => {
                self.subject_refusals[quota as usize] += 1;
                let limit = QUOTAS.iter().find(|(_, other)| *other == quota);
                let what = limit.map_or_else(String::new, |(limit, _)| crate::stats::label(*limit));
                Err(TurnedAway {
                    code: RequestErrorCode::ExcessiveLoad,
                    retry_interval: 0,
                    reason: format!("too many {what} of one participant"),
                })
            }
        }
    }
}

/// What a request is one of.
pub(super) const fn quota_of(asked: &IncomingRequest) -> Option<Quota> {
    match asked {
        IncomingRequest::Subscribe { .. } | IncomingRequest::Fetch { .. } => {
            Some(Quota::Subscriptions)
        }
        IncomingRequest::Publish { .. } => Some(Quota::Published),
        IncomingRequest::PublishNamespace { .. } => Some(Quota::Namespaces),
        IncomingRequest::SubscribeNamespace { .. } | IncomingRequest::SubscribeTracks { .. } => {
            Some(Quota::Prefixes)
        }
        // It is answered at once.
        IncomingRequest::TrackStatus { .. } => None,
    }
}
