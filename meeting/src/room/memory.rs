use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::{
    CommandId, Done, Emoji, Identity, Outcome, ParticipantId, PerSource, Policy, Roles, SessionId,
    Settings, UnixMillis, View,
};

use super::{bucket::Bucket, remembered::Remembered};

/// All that a room knows: what everybody sees and what is private.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Memory {
    pub(super) now: UnixMillis,
    pub(super) roles: Roles,
    pub(super) view: View,
    pub(super) phase: Phase,
    pub(super) people: BTreeMap<ParticipantId, Person>,
    /// The next place on the state track.
    pub(super) group: u64,
    pub(super) object: u64,
    /// The largest number of a message to somebody who was forgotten.
    pub(super) numbered: u64,
    pub(super) next_ticket: u64,
    pub(super) next_hand: u64,
    pub(super) next_chat: u64,
    pub(super) next_capture: u64,
    /// By what stays the same when somebody joins again.
    pub(super) denials: Remembered<String, Denial>,
    /// Who was removed and has to be admitted, likewise.
    pub(super) expelled: Remembered<String, ()>,
    /// Whose tokens are dead.
    pub(super) removed: Remembered<ParticipantId, ()>,
    /// Whom a host let in: it may come back.
    pub(super) admitted: Remembered<ParticipantId, ()>,
    /// Of whom a host decided.
    pub(super) decided: Remembered<ParticipantId, ()>,
    /// The messages of those who were given up: whoever comes back says none of them twice.
    #[serde(default)]
    pub(super) chats: Remembered<ParticipantId, VecDeque<(CommandId, Done)>>,
    /// Reactions that were not said so far, and when they are.
    pub(super) counts: BTreeMap<Emoji, u32>,
    pub(super) counts_due: Option<UnixMillis>,
}

/// Whether people are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Phase {
    /// Nobody has come in.
    Idle,
    /// Somebody is in.
    Running,
    /// It was ended for all.
    Over,
}

/// How often and when somebody was denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Denial {
    pub(super) count: u32,
    pub(super) last: UnixMillis,
}

/// Somebody whose commands are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Person {
    pub(super) identity: Identity,
    pub(super) name: String,
    pub(super) place: Place,
    pub(super) connected: bool,
    /// When it is given up unless it arrives before.
    pub(super) grace: Option<UnixMillis>,
    /// The number of its last message.
    pub(super) n: u64,
    pub(super) answers: VecDeque<(CommandId, Outcome)>,
    pub(super) chats: VecDeque<(CommandId, Done)>,
    pub(super) command_rate: Bucket,
    pub(super) refusal_rate: Bucket,
    pub(super) reaction_rate: Bucket,
    pub(super) chat_rate: Bucket,
    #[serde(default)]
    pub(super) data_rate: Bucket,
    /// When it last asked that a host should record, and transcribe.
    pub(super) asked: [Option<UnixMillis>; 2],
    /// What the relay lets through no more.
    pub(super) stopped: PerSource<bool>,
}

/// Where somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Place {
    /// It did not knock, or left.
    Outside,
    /// It was denied.
    Denied,
    /// It waited in vain.
    TimedOut,
    /// It waits.
    Lobby(Wait),
    /// It is in.
    In,
}

/// A wait in the lobby.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Wait {
    /// Its place among those who wait.
    pub(super) ticket: u64,
    pub(super) since: UnixMillis,
    /// Milliseconds that count, of former times.
    pub(super) waited: u64,
    /// Since when time counts; none: it waits for an agent.
    pub(super) counting: Option<UnixMillis>,
}

impl Wait {
    /// When nobody answered in time.
    pub(super) fn deadline(&self, settings: &Settings) -> Option<UnixMillis> {
        let end = self.counting?.plus(settings.lobby_timeout);
        Some(UnixMillis(end.0.saturating_sub(self.waited)))
    }

    pub(super) fn is_gated(&self) -> bool {
        self.counting.is_none()
    }
}

impl Memory {
    /// Behind all numbers of messages that somebody may have got before it was forgotten, in this
    /// room or, as time passes, in a former one.
    pub(super) fn first_number(&self) -> u64 {
        self.now.0.saturating_mul(16).max(self.numbered)
    }

    pub(super) fn new(policy: Policy, roles: Roles, now: UnixMillis) -> Self {
        Self {
            now,
            roles,
            view: View::empty(SessionId(now.0), policy),
            phase: Phase::Idle,
            people: BTreeMap::new(),
            group: now.0,
            object: 0,
            numbered: 0,
            next_ticket: 0,
            next_hand: 0,
            next_chat: 0,
            next_capture: now.0,
            denials: Remembered::default(),
            expelled: Remembered::default(),
            removed: Remembered::default(),
            admitted: Remembered::default(),
            decided: Remembered::default(),
            chats: Remembered::default(),
            counts: BTreeMap::new(),
            counts_due: None,
        }
    }
}

impl Person {
    /// Somebody whose next message has a larger number than `n`.
    pub(super) fn new(identity: Identity, n: u64) -> Self {
        Self {
            name: identity.name().to_owned(),
            identity,
            place: Place::Outside,
            connected: true,
            grace: None,
            n,
            answers: VecDeque::new(),
            chats: VecDeque::new(),
            command_rate: Bucket::default(),
            refusal_rate: Bucket::default(),
            reaction_rate: Bucket::default(),
            chat_rate: Bucket::default(),
            data_rate: Bucket::default(),
            asked: [None; 2],
            stopped: PerSource::default(),
        }
    }

    /// Whether the service vouches for the name that is shown.
    pub(super) fn is_verified(&self) -> bool {
        match &self.identity {
            Identity::Agent { name, verified, .. } => *verified && *name == self.name,
            Identity::Guest { .. } => false,
            Identity::Service { .. } => true,
        }
    }

    pub(super) fn is_signed_in(&self) -> bool {
        self.identity.account().is_some()
    }
}
