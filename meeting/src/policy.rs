use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::OrganisationId;

/// Who enters without knocking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessLevel {
    /// Everybody.
    Public,
    /// Agents; guests wait.
    #[default]
    Trusted,
    /// Whoever has a role in the room; others wait.
    Restricted,
}

/// Which chat messages a late joiner gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HistoryPolicy {
    /// Those of the whole session, from the chat track.
    #[default]
    Session,
    /// Those since its own arrival: each message goes to who is there, none lies on the chat track.
    FromJoin,
    /// As from its arrival, and the service keeps none.
    None,
}

/// What hosts set for a room and what outlives a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policy {
    /// Who enters without knocking.
    pub access: AccessLevel,
    /// With [`AccessLevel::Trusted`]: agents of this organisation only.
    pub organisation: Option<OrganisationId>,
    /// Whether guests wait until an agent is in.
    pub host_gate: bool,
    /// Which chat messages a late joiner gets.
    pub history: HistoryPolicy,
    /// Whether media is encrypted from end to end.
    pub encrypted: bool,
    /// How long chat is kept after the end of a session; said in milliseconds.
    #[serde(rename = "retention_ms", with = "millis")]
    pub retention: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            access: AccessLevel::default(),
            organisation: None,
            host_gate: true,
            history: HistoryPolicy::default(),
            encrypted: false,
            retention: Duration::from_mins(1),
        }
    }
}

impl Policy {
    /// How long what is said to everybody is kept after the end of a session; zero: not at all.
    pub const fn chat_is_kept(&self) -> Duration {
        match self.history {
            HistoryPolicy::None => Duration::ZERO,
            HistoryPolicy::Session | HistoryPolicy::FromJoin => self.retention,
        }
    }
}

/// A duration as a number of milliseconds.
mod millis {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
        let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        millis.serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_millis)
    }
}
