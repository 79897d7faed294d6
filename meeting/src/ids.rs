use std::{fmt, str::FromStr, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A text that is no id of its kind.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{what}: {rule}, got {got:?}")]
pub struct BadId {
    what: &'static str,
    rule: &'static str,
    got: String,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $most:literal, $rule:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// The most bytes such an id has.
            pub const MAX_BYTES: usize = $most;

            /// Checks a text.
            pub fn new(text: &str) -> Result<Self, BadId> {
                let valid: fn(char) -> bool = $valid;
                if text.is_empty() || text.len() > $most || !text.chars().all(valid) {
                    return Err(BadId {
                        what: stringify!($name),
                        rule: $rule,
                        got: text.chars().take(64).collect(),
                    });
                }
                Ok(Self(text.into()))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadId;

            fn try_from(text: String) -> Result<Self, BadId> {
                Self::new(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.as_ref().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }
    };
}

id! {
    /// Names one participant of a room; new for each join unless it is resumed.
    ParticipantId, 32, "1 to 32 lower-case letters and digits",
    |c| c.is_ascii_lowercase() || c.is_ascii_digit()
}
id! {
    /// Names a request, chosen by the client: the same id again is the same request.
    CommandId, 32, "1 to 32 visible ASCII characters", |c| c.is_ascii_graphic()
}
id! {
    /// Names what data of an app is about, chosen by the app.
    Topic, 64, "1 to 64 visible ASCII characters", |c| c.is_ascii_graphic()
}
id! {
    /// Names an account of the service.
    AccountId, 255, "1 to 255 bytes without control characters", |c| !c.is_control()
}
id! {
    /// Names a guest's device, random and stable.
    DeviceId, 64, "1 to 64 visible ASCII characters", |c| c.is_ascii_graphic()
}
id! {
    /// Names an organisation.
    OrganisationId, 255, "1 to 255 bytes without control characters", |c| !c.is_control()
}

impl ParticipantId {
    /// An id from 16 random bytes: `p` and twelve characters of base 32.
    pub fn from_random(random: [u8; 16]) -> Self {
        const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
        let mut bits = u128::from_le_bytes(random);
        let mut text = String::from("p");
        for _ in 0..12 {
            text.push(char::from(ALPHABET[(bits & 31) as usize]));
            bits >>= 5;
        }
        Self(text.into())
    }
}

macro_rules! number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number! {
    /// How many changes a room's state has had.
    Revision
}
number! {
    /// A chat message's place in its session, from 0 and without gaps.
    ChatSeq
}
number! {
    /// When a hand was raised, among all hands of the session.
    HandSeq
}
number! {
    /// Names one run of a room: the time it began. Group ids of the tracks of a session begin here,
    /// so that no session says something else at a location of a former one.
    SessionId
}
number! {
    /// Names a recording or transcription in its room.
    CaptureId
}
number! {
    /// Milliseconds since 1970, UTC.
    UnixMillis
}

impl UnixMillis {
    /// This time and `duration` later.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(millis))
    }

    /// The time since `earlier`; zero if that is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}
