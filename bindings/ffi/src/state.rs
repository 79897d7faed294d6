use parvis::{CloseReason, meeting};

use crate::{
    Capture, ErrorKind, ForbiddenSources, Participant, Policy, Quality, StepDown, Waiter,
    numbers::{millis, signed},
};

/// What is known of a meeting.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct MeetingState {
    /// Where it is on its way.
    pub phase: Phase,
    /// The room's code, with hyphens.
    pub code: String,
    /// Who this is.
    pub me: String,
    /// What everybody knows of the room; none: not in so far.
    pub view: Option<RoomView>,
    /// Who waits to be let in; for hosts.
    pub lobby: Vec<Waiter>,
    /// Who speaks, the loudest first.
    pub speakers: Vec<String>,
    /// How well this participant is connected.
    pub quality: Quality,
    /// What is given up because the network is short.
    pub step_down: StepDown,
}

/// Where a meeting is on its way; exactly one of these holds.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum Phase {
    /// The relay is being connected to, and knocked at the room.
    Connecting,
    /// In the lobby.
    InLobby {
        /// How it stands there.
        lobby: Lobby,
    },
    /// In.
    Connected,
    /// The connection is lost or replaced; the place is kept.
    Reconnecting,
    /// Over; nothing follows.
    Disconnected {
        /// Why.
        reason: DisconnectReason,
    },
}

/// How it stands in the lobby.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum Lobby {
    /// The room waits for its host.
    WaitingForHost,
    /// A host is asked.
    Waiting {
        /// Since when, milliseconds since 1970.
        since_ms: i64,
    },
    /// A host said no.
    Denied {
        /// The pause before one may knock again, milliseconds; none: no more.
        retry_after_ms: Option<i64>,
    },
    /// Nobody answered.
    TimedOut,
    /// Too many wait.
    Full,
    /// One does not knock.
    Outside,
}

/// Why a meeting is over for this participant.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum DisconnectReason {
    /// It left.
    Left,
    /// A host removed it.
    Removed,
    /// The meeting is over.
    RoomEnded,
    /// The connection is lost.
    Lost {
        /// [`ErrorKind::NotLetIn`] where the relay does not accept the token or there is no other one, else
        /// [`ErrorKind::Lost`].
        kind: ErrorKind,
        /// One line for developers.
        reason: String,
    },
}

/// What everybody knows of a room.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct RoomView {
    /// Names this run of the room, in which messages and hands are counted.
    pub session: i64,
    /// How many changes there were.
    pub revision: i64,
    /// What hosts set.
    pub policy: Policy,
    /// Whether newcomers have to be admitted whatever the access level.
    pub locked: bool,
    /// Which sources only hosts may use.
    pub forbidden: ForbiddenSources,
    /// The last recording.
    pub recording: Option<Capture>,
    /// The last transcription.
    pub transcription: Option<Capture>,
    /// Everybody as a list shows them: hands in order, then oneself, then by name.
    pub participants: Vec<Participant>,
    /// Whose hands are up, the first first.
    pub hands: Vec<String>,
}

/// How a relay closes a connection because of its token: UNAUTHORIZED, MALFORMED_AUTH_TOKEN and
/// EXPIRED_AUTH_TOKEN (draft-ietf-moq-transport-22, "Session Termination").
const TOKEN_CODES: [u64; 3] = [0x2, 0x16, 0x18];

impl From<&meeting::MeetingState> for MeetingState {
    fn from(state: &meeting::MeetingState) -> Self {
        let view = state.view.as_ref();
        Self {
            phase: state.phase.clone().into(),
            code: state.code.to_string(),
            me: state.me.as_str().to_owned(),
            view: view.map(|view| RoomView::new(view, &state.me)),
            lobby: state.lobby.iter().cloned().map(Into::into).collect(),
            speakers: ids(&state.speakers),
            quality: state.quality.into(),
            step_down: state.step_down.into(),
        }
    }
}

impl RoomView {
    fn new(view: &meeting::View, me: &meeting::ParticipantId) -> Self {
        let listed = view.listed(Some(me));
        Self {
            session: signed(view.session().0),
            revision: signed(view.revision().0),
            policy: view.policy().clone().into(),
            locked: view.is_locked(),
            forbidden: (*view.forbidden()).into(),
            recording: view.recording().cloned().map(Into::into),
            transcription: view.transcription().cloned().map(Into::into),
            participants: listed.into_iter().cloned().map(Into::into).collect(),
            hands: ids(view.hands()),
        }
    }
}

/// Ids as the boundary has them.
pub(crate) fn ids<'a>(ids: impl IntoIterator<Item = &'a meeting::ParticipantId>) -> Vec<String> {
    ids.into_iter().map(|id| id.as_str().to_owned()).collect()
}

impl From<meeting::Phase> for Phase {
    fn from(phase: meeting::Phase) -> Self {
        match phase {
            meeting::Phase::Connecting => Self::Connecting,
            meeting::Phase::InLobby(lobby) => Self::InLobby {
                lobby: lobby.into(),
            },
            meeting::Phase::Connected => Self::Connected,
            meeting::Phase::Reconnecting => Self::Reconnecting,
            meeting::Phase::Disconnected(reason) => Self::Disconnected {
                reason: reason.into(),
            },
        }
    }
}

impl From<meeting::Lobby> for Lobby {
    fn from(lobby: meeting::Lobby) -> Self {
        match lobby {
            meeting::Lobby::WaitingForHost => Self::WaitingForHost,
            meeting::Lobby::Waiting { since } => Self::Waiting {
                since_ms: signed(since.0),
            },
            meeting::Lobby::Denied { retry_after } => Self::Denied {
                retry_after_ms: retry_after.map(millis),
            },
            meeting::Lobby::TimedOut => Self::TimedOut,
            meeting::Lobby::Full => Self::Full,
            meeting::Lobby::Outside => Self::Outside,
        }
    }
}

impl From<meeting::DisconnectReason> for DisconnectReason {
    fn from(reason: meeting::DisconnectReason) -> Self {
        match reason {
            meeting::DisconnectReason::Left => Self::Left,
            meeting::DisconnectReason::Removed => Self::Removed,
            meeting::DisconnectReason::RoomEnded => Self::RoomEnded,
            meeting::DisconnectReason::Lost(reason) => Self::Lost {
                kind: match reason {
                    CloseReason::Relay { code, .. } if TOKEN_CODES.contains(&code) => {
                        ErrorKind::NotLetIn
                    }
                    CloseReason::NotLetIn(_) => ErrorKind::NotLetIn,
                    _ => ErrorKind::Lost,
                },
                reason: reason.to_string(),
            },
        }
    }
}
