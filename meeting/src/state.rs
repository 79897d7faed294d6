use serde::{Deserialize, Serialize};

use crate::{
    Capture, HandSeq, MediaState, ParticipantId, PerSource, Policy, Quality, Revision, Role,
    Service, SessionId, UnixMillis,
};

/// Somebody who is in, as everybody sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Participant {
    /// Who.
    pub id: ParticipantId,
    /// The display name.
    pub name: String,
    /// Whether the service vouches for that name.
    pub verified: bool,
    /// Whether it has an account.
    pub signed_in: bool,
    /// The role in this room.
    pub role: Role,
    /// What it does, of a service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Service>,
    /// When it came in.
    pub joined: UnixMillis,
    /// The hand's number while it is raised: the smallest is first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hand: Option<HandSeq>,
    /// What it captures, as it says and as hosts allow.
    pub media: PerSource<MediaState>,
    /// How well it is connected.
    pub quality: Quality,
}

/// All that everybody sees of a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// How many changes there were.
    pub revision: Revision,
    /// This run of the room.
    pub session: SessionId,
    /// What hosts set.
    pub policy: Policy,
    /// Whether newcomers have to be admitted whatever the access level.
    pub locked: bool,
    /// Which sources only hosts may use.
    pub forbidden: PerSource<bool>,
    /// The last recording.
    pub recording: Option<Capture>,
    /// The last transcription.
    pub transcription: Option<Capture>,
    /// Who is in, by id.
    pub participants: Vec<Participant>,
}

/// One change and the revision it leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delta {
    /// One more than before.
    pub revision: Revision,
    /// What changed.
    pub change: Change,
}

/// What changed in a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Change {
    /// Somebody came in.
    Joined {
        /// Who.
        participant: Participant,
    },
    /// Somebody is gone.
    Left {
        /// Who.
        participant: ParticipantId,
        /// Why.
        reason: LeaveReason,
    },
    /// Somebody has another name.
    Renamed {
        /// Who.
        participant: ParticipantId,
        /// The name.
        name: String,
        /// Whether the service vouches for it.
        verified: bool,
    },
    /// Somebody has another role.
    Role {
        /// Who.
        participant: ParticipantId,
        /// The role.
        role: Role,
    },
    /// Somebody captures something else.
    Media {
        /// Who.
        participant: ParticipantId,
        /// What.
        media: PerSource<MediaState>,
    },
    /// A hand went up or down.
    Hand {
        /// Whose.
        participant: ParticipantId,
        /// Its number; none: it is down.
        hand: Option<HandSeq>,
    },
    /// All hands are down.
    HandsLowered,
    /// Somebody is connected better or worse.
    Quality {
        /// Who.
        participant: ParticipantId,
        /// How well.
        quality: Quality,
    },
    /// A host set something.
    Policy {
        /// All of it.
        policy: Policy,
    },
    /// The room was locked or unlocked.
    Locked {
        /// Whether it is.
        locked: bool,
    },
    /// Other sources are forbidden: they stop for everybody who is no host.
    Forbidden {
        /// Which are.
        forbidden: PerSource<bool>,
    },
    /// The recording is further on.
    Recording {
        /// The recording.
        capture: Capture,
    },
    /// The transcription is further on.
    Transcription {
        /// The transcription.
        capture: Capture,
    },
    /// The meeting is over.
    Ended {
        /// Why.
        reason: EndReason,
    },
    /// What a newer service changes; it counts as a revision.
    #[serde(other)]
    Unknown,
}

/// Why somebody is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeaveReason {
    /// It left.
    Left,
    /// Its connection did not come back in time.
    Lost,
    /// A host removed it.
    Removed,
    /// What a newer service says.
    #[serde(other)]
    Unknown,
}

/// Why a meeting is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The last one left.
    Empty,
    /// A host ended it for all, or the service did.
    Ended,
}

/// An object of the state track.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum StateMessage {
    /// Everything: the first object of a group.
    Snapshot {
        /// The room.
        snapshot: Box<Snapshot>,
    },
    /// What follows.
    Delta {
        /// The change.
        delta: Box<Delta>,
    },
}

impl From<Snapshot> for StateMessage {
    fn from(snapshot: Snapshot) -> Self {
        Self::Snapshot {
            snapshot: Box::new(snapshot),
        }
    }
}

impl From<Delta> for StateMessage {
    fn from(delta: Delta) -> Self {
        Self::Delta {
            delta: Box::new(delta),
        }
    }
}
