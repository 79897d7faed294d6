use std::{fmt, sync::Arc, time::Instant};

use bytes::Bytes;
use parvis_forwarding::Quota;
use parvis_session::{IncomingRequest, RequestKey};
use parvis_token::{Access, Action};
use parvis_wire::{FetchRange, TrackNamespace};
use rustc_hash::FxHashMap;
use thiserror::Error;

use super::{
    strangers::Stranger,
    subjects::{Participant, SessionAt},
};

/// The tokens of a session, and what it does with them.
#[derive(Debug, Default)]
pub(super) struct Permits {
    held: Vec<Held>,
    /// Open requests, and subscriptions by our PUBLISH.
    uses: FxHashMap<RequestKey, Use>,
    /// The participant that the session counts for, and as which of its sessions.
    pub(super) counted: Option<(Arc<Participant>, SessionAt)>,
    /// Kept while there is no token.
    pub(super) stranger: Option<Stranger>,
    /// Until when there must be a token.
    pub(super) deadline: Option<Instant>,
    /// When the shard looks for tokens that have expired.
    pub(super) scheduled: Option<Instant>,
}

/// What an open request needs, and what it is one of.
#[derive(Debug)]
struct Use {
    need: Need,
    quota: Option<Quota>,
}

/// A token that is good until then.
#[derive(Debug)]
struct Held {
    token: Bytes,
    access: Access,
    until: Instant,
}

/// What a request needs to be granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Need {
    /// The action in this namespace.
    In(Action, TrackNamespace),
    /// The action in this namespace and all longer ones.
    Under(Action, TrackNamespace),
}

/// Why a good token is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(super) enum TooManyTokens {
    #[error("the session is another participant's")]
    OfAnother,
    #[error("the session has {MAX_HELD} tokens")]
    Full,
}

/// Tokens of a session at one time.
const MAX_HELD: usize = 8;

impl Permits {
    /// Whether this token is held already.
    pub(super) fn has(&self, token: &Bytes) -> bool {
        self.held.iter().any(|held| held.token == token)
    }

    /// Keeps a token. A session is one participant.
    pub(super) fn hold(
        &mut self,
        token: &Bytes,
        access: Access,
        until: Instant,
    ) -> Result<(), TooManyTokens> {
        if self
            .subject()
            .is_some_and(|subject| subject != access.subject())
        {
            return Err(TooManyTokens::OfAnother);
        }
        if self.held.len() >= MAX_HELD {
            let first = self.held.iter().enumerate().min_by_key(|(_, h)| h.until);
            let Some((index, _)) = first.filter(|(_, first)| first.until < until) else {
                return Err(TooManyTokens::Full);
            };
            self.held.swap_remove(index);
        }
        self.deadline = None;
        self.stranger = None;
        self.held.push(Held {
            // A copy: the value is a slice of a larger message.
            token: Bytes::copy_from_slice(token),
            access,
            until,
        });
        Ok(())
    }

    /// The participant, once it has shown a token.
    pub(super) fn subject(&self) -> Option<&str> {
        self.held.first().map(|held| held.access.subject())
    }

    /// The tokens.
    pub(super) fn accesses(&self) -> impl Iterator<Item = &Access> {
        self.held.iter().map(|held| &held.access)
    }

    /// Whether the session is another relay's.
    pub(super) fn is_relay(&self) -> bool {
        self.accesses().any(Access::is_relay)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// What a request needs.
    pub(super) fn need_of(&self, asked: &IncomingRequest) -> Need {
        let read = |namespace: &TrackNamespace| Need::In(Action::Subscribe, namespace.clone());
        match asked {
            IncomingRequest::Publish { track, .. } => {
                Need::In(Action::Publish, track.namespace().clone())
            }
            IncomingRequest::PublishNamespace { namespace, .. } => {
                Need::In(Action::Publish, namespace.clone())
            }
            IncomingRequest::Subscribe { track, .. }
            | IncomingRequest::TrackStatus { track, .. } => read(track.namespace()),
            IncomingRequest::SubscribeTracks { prefix, .. } => {
                Need::Under(Action::Subscribe, prefix.clone())
            }
            IncomingRequest::SubscribeNamespace { prefix, .. } => {
                Need::Under(Action::Discover, prefix.clone())
            }
            IncomingRequest::Fetch { range, joining, .. } => match range {
                FetchRange::Standalone { track, .. } | FetchRange::Filtered { track } => {
                    read(track.namespace())
                }
                FetchRange::RelativeJoining { .. } | FetchRange::AbsoluteJoining { .. } => joining
                    .and_then(|joined| Some(self.uses.get(&joined)?.need.clone()))
                    // A namespace that nobody is granted: what it joins is over.
                    .unwrap_or_else(|| read(&TrackNamespace::default())),
            },
        }
    }

    /// What a request needs once its prefix is another one.
    pub(super) fn moved(&self, request: RequestKey, prefix: &TrackNamespace) -> Option<Need> {
        match &self.uses.get(&request)?.need {
            Need::Under(action, _) => Some(Need::Under(*action, prefix.clone())),
            Need::In(..) => None,
        }
    }

    /// Whether one of the tokens grants it.
    pub(super) fn allow(&self, need: &Need) -> bool {
        self.accesses().any(|access| match need {
            Need::In(action, namespace) => access.allows(*action, namespace),
            Need::Under(action, prefix) => access.allows_under(*action, prefix),
        })
    }

    /// Notes a request that is open, and has been counted as one of these.
    pub(super) fn open(&mut self, request: RequestKey, need: Need, quota: Option<Quota>) {
        self.uses.insert(request, Use { need, quota });
    }

    /// An open request needs something else now.
    pub(super) fn change(&mut self, request: RequestKey, need: Need) {
        if let Some(open) = self.uses.get_mut(&request) {
            open.need = need;
        }
    }

    /// Forgets a request that is over.
    pub(super) fn close(&mut self, request: RequestKey) {
        if let Some(over) = self.uses.remove(&request)
            && let (Some(quota), Some((participant, session))) = (over.quota, &self.counted)
        {
            participant.give_back(*session, quota);
        }
    }

    /// When the first token expires.
    pub(super) fn next_expiry(&self) -> Option<Instant> {
        let first = self.held.iter().map(|held| held.until).min();
        first.or(self.deadline)
    }

    /// Drops tokens that are void at `now`.
    pub(super) fn expire(&mut self, now: Instant) {
        self.held.retain(|held| held.until > now);
    }

    /// Drops tokens that are refused by this word; says whether there were any.
    pub(super) fn revoke(&mut self, refuses: impl Fn(&Access) -> bool) -> bool {
        let before = self.held.len();
        self.held.retain(|held| !refuses(&held.access));
        self.held.len() < before
    }

    /// The open requests that no token grants.
    pub(super) fn not_allowed(&self) -> Vec<RequestKey> {
        let uses = self.uses.iter();
        uses.filter(|(_, open)| !self.allow(&open.need))
            .map(|(request, _)| *request)
            .collect()
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (action, namespace, end) = match self {
            Self::In(action, namespace) => (action, namespace, ""),
            Self::Under(action, prefix) => (action, prefix, "/**"),
        };
        let verb = match action {
            Action::Publish => "publish in",
            Action::Subscribe => "subscribe in",
            Action::Discover => "discover under",
        };
        write!(f, "{verb} {namespace}{end}")
    }
}
