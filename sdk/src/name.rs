use std::{fmt, str::FromStr};

use bytes::Bytes;
use parvis_wire::{FullTrackName, TrackName, TrackNamespace};
use thiserror::Error;

/// The first field of every namespace that Parvis uses.
const APPLICATION: &[u8] = b"parvis";

/// Why a text names no room or participant.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NameError {
    /// Nothing but blanks.
    #[error("a {0} must not be empty")]
    Empty(&'static str),
    /// Too many characters.
    #[error("a {what} has at most {limit} characters, got {got}")]
    TooLong {
        /// What is named.
        what: &'static str,
        /// The most characters it has.
        limit: usize,
        /// How many it has.
        got: usize,
    },
    /// A control character, which a terminal would obey.
    #[error("a {0} must not contain control characters")]
    Control(&'static str),
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $limit:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// The most characters such a name has.
            pub const MAX_CHARS: usize = $limit;

            /// Checks a text; blanks around it are cut off.
            pub fn new(text: &str) -> Result<Self, NameError> {
                check(text, $what, $limit).map(Self)
            }

            /// The name.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::new(text)
            }
        }
    };
}

name! {
    /// A room's name: 1 to 64 characters.
    RoomName, "room name", 64
}
name! {
    /// A participant's name, unique in its room: 1 to 50 characters.
    ParticipantName, "participant name", 50
}

fn check(text: &str, what: &'static str, limit: usize) -> Result<String, NameError> {
    let text = text.trim();
    let got = text.chars().count();
    if got == 0 {
        Err(NameError::Empty(what))
    } else if got > limit {
        Err(NameError::TooLong { what, limit, got })
    } else if text.chars().any(char::is_control) {
        Err(NameError::Control(what))
    } else {
        Ok(text.to_owned())
    }
}

impl RoomName {
    /// The namespace that everything of the room lies under.
    pub fn namespace(&self) -> TrackNamespace {
        TrackNamespace::new([Bytes::from_static(APPLICATION), Bytes::from(self.0.clone())])
            .expect("two short fields that are not empty are a namespace")
    }

    /// The namespace of a participant's tracks.
    pub fn participant_namespace(&self, participant: &ParticipantName) -> TrackNamespace {
        self.namespace()
            .join(&participant.suffix())
            .expect("three short fields that are not empty are a namespace")
    }

    /// The full name of a participant's track; `None`: `track` is too long.
    pub(crate) fn track(
        &self,
        participant: &ParticipantName,
        track: &str,
    ) -> Option<FullTrackName> {
        let name = TrackName::from(track.to_owned());
        FullTrackName::new(self.participant_namespace(participant), name).ok()
    }
}

impl ParticipantName {
    fn suffix(&self) -> TrackNamespace {
        TrackNamespace::new([Bytes::from(self.0.clone())])
            .expect("a short field that is not empty is a namespace")
    }

    /// The participant that what follows the room's namespace names, if it names one.
    pub(crate) fn from_suffix(suffix: &TrackNamespace) -> Option<Self> {
        let [field] = suffix.fields() else {
            return None;
        };
        let text = std::str::from_utf8(field).ok()?;
        Self::new(text).ok().filter(|name| name.as_str() == text)
    }
}

#[cfg(test)]
mod tests;
