use serde::{Deserialize, Serialize};

use crate::{
    AccessLevel, AccountId, CaptureKind, HistoryPolicy, OrganisationId, ParticipantId, Role,
    Source, UnixMillis,
};

/// An act that has to be answered for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// When.
    pub at: UnixMillis,
    /// Who.
    pub actor: ParticipantId,
    /// The account of who.
    pub account: Option<AccountId>,
    /// The name of who, then.
    pub name: String,
    /// What.
    pub act: Act,
}

/// What was done, and to whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum Act {
    /// Let somebody in.
    Admitted {
        /// Whom.
        whom: ParticipantId,
        /// The name then.
        name: String,
    },
    /// Sent somebody away.
    Denied {
        /// Whom.
        whom: ParticipantId,
        /// The name then.
        name: String,
    },
    /// Lowered another's hand.
    LoweredHand {
        /// Whose.
        whom: ParticipantId,
    },
    /// Lowered all hands.
    LoweredAllHands,
    /// Stopped a microphone.
    Muted {
        /// Whose.
        whom: ParticipantId,
    },
    /// Stopped all other microphones.
    MutedAll,
    /// Forbade a source to everybody but hosts, or allowed it.
    Forbade {
        /// Which.
        source: Source,
        /// Whether it is forbidden.
        forbidden: bool,
    },
    /// Changed another's name.
    Renamed {
        /// Whose.
        whom: ParticipantId,
        /// The name before.
        from: String,
        /// The name.
        to: String,
    },
    /// Promoted or demoted somebody.
    SetRole {
        /// Whom.
        whom: AccountId,
        /// The role before.
        from: Role,
        /// The role.
        to: Role,
    },
    /// Changed who enters without knocking.
    SetAccess {
        /// The level.
        level: AccessLevel,
        /// The organisation whose agents enter.
        organisation: Option<OrganisationId>,
    },
    /// Changed whether guests wait for an agent.
    SetHostGate {
        /// Whether they do.
        on: bool,
    },
    /// Changed which chat messages late joiners get.
    SetHistory {
        /// Which.
        history: HistoryPolicy,
    },
    /// Locked or unlocked the room.
    Locked {
        /// Whether it is.
        locked: bool,
    },
    /// Removed somebody.
    Removed {
        /// Whom.
        whom: ParticipantId,
        /// The account of whom.
        account: Option<AccountId>,
        /// The name then.
        name: String,
    },
    /// Ended the meeting.
    EndedForAll,
    /// Started a recording or transcription.
    StartedCapture {
        /// Which.
        kind: CaptureKind,
    },
    /// Stopped it.
    StoppedCapture {
        /// Which.
        kind: CaptureKind,
    },
}
