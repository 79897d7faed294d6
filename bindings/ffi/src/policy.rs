use parvis::meeting::{self, PerSource};

use crate::{mirror::mirror, numbers::millis};

/// What hosts set for a room and what outlives a session.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Policy {
    /// Who enters without knocking.
    pub access: AccessLevel,
    /// With [`AccessLevel::Trusted`]: agents of this organisation only.
    pub organisation: Option<String>,
    /// Whether guests wait until an agent is in.
    pub host_gate: bool,
    /// Which chat messages a late joiner gets.
    pub history: HistoryPolicy,
    /// Whether media is encrypted from end to end.
    pub encrypted: bool,
    /// How long chat is kept after the end of a session, milliseconds.
    pub retention_ms: i64,
}

/// Which sources only hosts may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct ForbiddenSources {
    /// The microphone.
    pub microphone: bool,
    /// The camera.
    pub camera: bool,
    /// The screen.
    pub screen: bool,
}

mirror! {
    /// Who enters without knocking.
    AccessLevel = meeting::AccessLevel {
        /// Everybody.
        Public,
        /// Agents; guests wait.
        Trusted,
        /// Whoever has a role in the room; others wait.
        Restricted,
    }
}

mirror! {
    /// Which chat messages a late joiner gets.
    HistoryPolicy = meeting::HistoryPolicy {
        /// Those of the whole session.
        Session,
        /// Those since its own arrival.
        FromJoin,
        /// As from its arrival, and the service keeps none.
        None,
    }
}

impl From<meeting::Policy> for Policy {
    fn from(policy: meeting::Policy) -> Self {
        Self {
            access: policy.access.into(),
            organisation: policy.organisation.map(Into::into),
            host_gate: policy.host_gate,
            history: policy.history.into(),
            encrypted: policy.encrypted,
            retention_ms: millis(policy.retention),
        }
    }
}

impl From<PerSource<bool>> for ForbiddenSources {
    fn from(forbidden: PerSource<bool>) -> Self {
        Self {
            microphone: forbidden.microphone,
            camera: forbidden.camera,
            screen: forbidden.screen,
        }
    }
}
