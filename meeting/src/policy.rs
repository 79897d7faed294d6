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
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            access: AccessLevel::default(),
            organisation: None,
            host_gate: true,
            history: HistoryPolicy::default(),
            encrypted: false,
        }
    }
}
