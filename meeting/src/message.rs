use serde::{Deserialize, Serialize};

use crate::{
    CaptureId, CaptureKind, ChatMessage, ChatSeq, CommandId, DataMessage, ErrorKind, HandSeq,
    ParticipantId, PrivateMessage, Source, UnixMillis,
};

/// An object of a participant's replies track.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// One more than the message before, beginning anywhere: the object's group.
    pub n: u64,
    /// What it says.
    pub body: Body,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Body {
    /// The answer to a request.
    Reply {
        /// The request's id.
        re: CommandId,
        /// What came of it.
        outcome: Outcome,
    },
    /// Something that happened.
    Notice {
        /// What.
        notice: Notice,
    },
    /// What a newer service says.
    #[serde(other)]
    Unknown,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Outcome {
    /// It is done, and stored where it is stored.
    Done(Done),
    /// It is not done.
    Refused(Refusal),
}

/// What there is to say of what was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Done {
    /// The number of a chat message to everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<ChatSeq>,
    /// The service's time of a chat message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<UnixMillis>,
    /// The number of a raised hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hand: Option<HandSeq>,
    /// The recording or transcription that was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capture: Option<CaptureId>,
    /// How many were let in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admitted: Option<u32>,
    /// How many still wait: there was no place for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<u32>,
}

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The reason.
    pub error: ErrorKind,
    /// When it may be tried again, milliseconds from here on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// What was wrong, for developers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl From<ErrorKind> for Refusal {
    fn from(error: ErrorKind) -> Self {
        Self {
            error,
            retry_after_ms: None,
            detail: None,
        }
    }
}

/// Where somebody is on the way in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum LobbyStatus {
    /// It waits for an agent to come.
    WaitingForHost,
    /// It waits for a host's decision.
    Waiting {
        /// Since when.
        since: UnixMillis,
    },
    /// It is in.
    Admitted {
        /// What opens the room's tracks, for the same participant.
        token: String,
        /// When that expires.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires: Option<UnixMillis>,
    },
    /// A host said no.
    Denied {
        /// The pause before the next knock, milliseconds; none: no more in this session.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after_ms: Option<u64>,
    },
    /// Nobody answered; it may knock again.
    TimedOut,
    /// Too many wait, or are in; it may knock again later.
    LobbyFull,
    /// It did not knock, or stopped waiting.
    Outside,
    /// What a newer service says.
    #[serde(other)]
    Unknown,
}

/// Somebody who waits, as hosts see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiter {
    /// Who.
    pub participant: ParticipantId,
    /// The name.
    pub name: String,
    /// Whether the service vouches for that name.
    pub verified: bool,
    /// Whether it has an account.
    pub signed_in: bool,
    /// Since when: first come, first served.
    pub since: UnixMillis,
}

/// Something that one participant is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Notice {
    /// Where it is on the way in.
    Lobby(LobbyStatus),
    /// Everybody who waits, in order. Hosts.
    LobbySnapshot {
        /// Those.
        waiters: Vec<Waiter>,
    },
    /// One more waits. Hosts.
    LobbyJoined {
        /// Who; its place is by `since`.
        waiter: Waiter,
    },
    /// One less waits. Hosts.
    LobbyLeft {
        /// Who.
        participant: ParticipantId,
    },
    /// It is no host any more: the lobby is none of its business.
    LobbyClosed,
    /// A message to everybody, where it does not lie on the chat track.
    Chat {
        /// The message.
        message: ChatMessage,
    },
    /// A message to it alone.
    PrivateMessage {
        /// The message.
        message: PrivateMessage,
    },
    /// Data of an app to it and perhaps a few others.
    Data {
        /// The data.
        message: DataMessage,
    },
    /// The relay lets nothing of a source through until it is turned on again.
    Muted {
        /// Which.
        source: Source,
        /// Who did it.
        by: ParticipantId,
    },
    /// Somebody would like a host to start one. Hosts.
    CaptureRequested {
        /// Which.
        kind: CaptureKind,
        /// Who.
        by: ParticipantId,
    },
    /// A host removed it.
    Removed,
    /// The meeting is over.
    RoomEnded,
    /// What it sent is no request, so that there is no id to answer.
    Malformed {
        /// What was wrong, for developers.
        detail: String,
    },
    /// What a newer service says.
    #[serde(other)]
    Unknown,
}

impl Message {
    /// The message that somebody is in, with its token.
    pub fn admitted(n: u64, token: String, expires: Option<UnixMillis>) -> Self {
        let status = LobbyStatus::Admitted { token, expires };
        Self {
            n,
            body: Body::Notice {
                notice: Notice::Lobby(status),
            },
        }
    }
}
