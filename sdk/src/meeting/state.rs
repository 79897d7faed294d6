use std::time::Duration;

use parvis_meeting::{ParticipantId, Quality, RoomCode, UnixMillis, View, Waiter};

use super::StepDown;
use crate::CloseReason;

/// Where a meeting is on its way; exactly one of these holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// The relay is being connected to, and knocked at the room.
    Connecting,
    /// In the lobby.
    InLobby(Lobby),
    /// In.
    Connected,
    /// The connection is lost or replaced; the place is kept.
    Reconnecting,
    /// Over; nothing follows.
    Disconnected(DisconnectReason),
}

/// How it stands in the lobby.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lobby {
    /// The room waits for its host.
    WaitingForHost,
    /// A host is asked.
    Waiting {
        /// Since when.
        since: UnixMillis,
    },
    /// A host said no.
    Denied {
        /// The pause before one may knock again; `None`: no more.
        retry_after: Option<Duration>,
    },
    /// Nobody answered.
    TimedOut,
    /// Too many wait, or are in.
    Full,
    /// One does not knock.
    Outside,
}

/// Why a meeting is over for this participant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DisconnectReason {
    /// It left.
    Left,
    /// A host removed it.
    Removed,
    /// The meeting is over.
    RoomEnded,
    /// The connection is lost.
    Lost(CloseReason),
}

/// What is known of a meeting.
#[derive(Debug, Clone, PartialEq)]
pub struct MeetingState {
    /// Where it is on its way.
    pub phase: Phase,
    /// The room.
    pub code: RoomCode,
    /// Who this is.
    pub me: ParticipantId,
    /// What everybody knows of the room; `None`: not in yet.
    pub view: Option<View>,
    /// Who waits to be let in; for hosts.
    pub lobby: Vec<Waiter>,
    /// Who speaks, the loudest first.
    pub speakers: Vec<ParticipantId>,
    /// How well this participant is connected.
    pub quality: Quality,
    /// What is given up because the network is short.
    pub step_down: StepDown,
}

impl MeetingState {
    /// Whether one is in.
    pub fn is_connected(&self) -> bool {
        self.phase == Phase::Connected
    }

    /// Whether one is out, and stays so unless one [knocks](super::Meeting::knock) again: a host said no, nobody
    /// answered, or too many wait.
    pub fn is_turned_away(&self) -> bool {
        matches!(
            self.phase,
            Phase::InLobby(Lobby::Denied { .. } | Lobby::TimedOut | Lobby::Full)
        )
    }

    /// This participant, as everybody sees it.
    pub fn myself(&self) -> Option<&parvis_meeting::Participant> {
        self.view.as_ref()?.participant(&self.me)
    }

    /// How long the service keeps the chat after the end of the meeting; zero: it keeps none. `None`:
    /// one is not in yet.
    pub fn retention(&self) -> Option<Duration> {
        self.view.as_ref().map(|view| view.policy().chat_is_kept())
    }
}
