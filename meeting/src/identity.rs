use serde::{Deserialize, Serialize};

use crate::{AccountId, DeviceId, ErrorKind, OrganisationId};

/// Who somebody is, as the service found out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Identity {
    /// Signed in with an account.
    Agent {
        /// The account.
        account: AccountId,
        /// The organisations it belongs to.
        organisations: Vec<OrganisationId>,
        /// Its name.
        name: String,
        /// Whether somebody vouches for the name.
        verified: bool,
    },
    /// A person with a name only.
    Guest {
        /// The device it joins from.
        device: DeviceId,
        /// The name it gave.
        name: String,
    },
    /// A service that takes part: visible, without a role, never in the lobby.
    Service {
        /// What it does.
        service: Service,
        /// Its name in the list of participants.
        name: String,
    },
}

/// A service that takes part in a meeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    /// Keeps the tracks.
    Recorder,
    /// Writes what is said.
    Transcriber,
}

impl Identity {
    /// The account, of an agent.
    pub fn account(&self) -> Option<&AccountId> {
        match self {
            Self::Agent { account, .. } => Some(account),
            Self::Guest { .. } | Self::Service { .. } => None,
        }
    }

    /// The name that the service knows.
    pub fn name(&self) -> &str {
        match self {
            Self::Agent { name, .. } | Self::Guest { name, .. } | Self::Service { name, .. } => {
                name
            }
        }
    }

    /// What stays the same when somebody joins again.
    pub(crate) fn key(&self) -> String {
        match self {
            Self::Agent { account, .. } => format!("account:{account}"),
            Self::Guest { device, .. } => format!("device:{device}"),
            Self::Service { service, .. } => format!("service:{service:?}"),
        }
    }
}

/// The most characters of a display name.
pub const MAX_NAME_CHARS: usize = 50;

/// A display name as it is shown, or `BadName`: 1 to 50 characters, at least one of them visible, none
/// that commands a terminal or turns the direction of the text around it.
pub fn display_name(text: &str) -> Result<String, ErrorKind> {
    let text = text.trim();
    let acceptable = (1..=MAX_NAME_CHARS).contains(&text.chars().count())
        && !text.chars().any(commands)
        && text.chars().any(|c| !c.is_whitespace() && !invisible(c));
    if acceptable {
        Ok(text.to_owned())
    } else {
        Err(ErrorKind::BadName)
    }
}

/// Control characters, line and paragraph separators, directional embeddings and isolates.
fn commands(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

fn invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{115f}' | '\u{1160}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}'
        | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}')
}
