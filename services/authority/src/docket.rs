use std::sync::Weak;

use parvis_meeting::{Identity, Input, ParticipantId, RoomCode};
use tokio::sync::OwnedSemaphorePermit;

use crate::replies::Replies;

/// Which room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum RoomKey {
    /// One that there is, for whoever has a ticket for it.
    Real(RoomCode),
    /// One for those whose tickets are for none: there they wait for a host who never comes, and
    /// cannot tell.
    Decoy(RoomCode),
}

/// What waits for a room.
#[derive(Debug)]
pub(crate) enum Event {
    /// A participant's commands are read.
    Arrived {
        participant: ParticipantId,
        identity: Identity,
        replies: Weak<Replies>,
    },
    /// They are read no more.
    Left { participant: ParticipantId },
    /// A participant said something; its share of the queue is free again afterwards.
    Said {
        input: Input,
        share: OwnedSemaphorePermit,
    },
    /// The relay may have been started anew.
    RelayStarted,
    /// Somebody changed the room in the store.
    Changed,
}

impl RoomKey {
    pub(crate) const fn is_real(&self) -> bool {
        matches!(self, Self::Real(_))
    }

    pub(crate) fn code(&self) -> &RoomCode {
        match self {
            Self::Real(code) | Self::Decoy(code) => code,
        }
    }
}
