use serde::{Deserialize, Serialize};

use crate::{BadRequest, CommandId, Identity, ParticipantId, Policy, Progress, Request, Roles};

/// What happens to a room. A room does the same when the same happens at the same times: a driver
/// that stores each input with its time, and now and then [`Room::save`](crate::Room::save), loses
/// nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Input {
    /// A participant's commands can be read: it came or came back.
    Arrived {
        /// Who.
        participant: ParticipantId,
        /// Who that is.
        identity: Identity,
    },
    /// A participant's connection is gone.
    Left {
        /// Whose.
        participant: ParticipantId,
    },
    /// A participant asks for something.
    Request {
        /// Who.
        participant: ParticipantId,
        /// What for.
        request: Request,
    },
    /// A participant sent something else.
    Malformed {
        /// Who.
        participant: ParticipantId,
        /// The id to answer, if there is one.
        id: Option<CommandId>,
        /// What is wrong.
        detail: String,
    },
    /// Roles were changed outside of the meeting.
    Roles {
        /// All of them.
        roles: Roles,
    },
    /// What hosts set was changed outside of the meeting.
    Policy {
        /// All of it.
        policy: Policy,
    },
    /// A recording or transcription is further on, or could not be started.
    Progress {
        /// How far.
        progress: Progress,
    },
    /// The room was restored and goes on: time stood still meanwhile, and whoever was there has to
    /// arrive again within the grace.
    Resumed,
    /// The relay has forgotten its orders: it was started anew.
    RelayStarted,
    /// The meeting ends, by the service.
    End,
}

impl Input {
    /// What a participant sent as an object of its commands track.
    pub fn from_object(participant: ParticipantId, bytes: &[u8]) -> Self {
        match Request::from_json(bytes) {
            Ok(request) => Self::Request {
                participant,
                request,
            },
            Err(BadRequest { id, error }) => Self::Malformed {
                participant,
                id,
                detail: error.to_string(),
            },
        }
    }
}
