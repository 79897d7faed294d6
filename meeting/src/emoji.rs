use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{ErrorKind, ParticipantId, Revision, SessionId};

macro_rules! emojis {
    ($($(#[$doc:meta])* $name:ident = $text:literal $sign:literal,)*) => {
        /// A reaction.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Emoji {
            $($(#[$doc])* #[serde(rename = $text)] $name,)*
        }

        impl Emoji {
            /// All reactions.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Its name in messages.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }

            /// What is shown.
            pub const fn sign(self) -> &'static str {
                match self { $(Self::$name => $sign),* }
            }
        }
    };
}

emojis! {
    /// 👍
    ThumbsUp = "thumbs-up" "👍",
    /// 👎
    ThumbsDown = "thumbs-down" "👎",
    /// 👏
    ClappingHands = "clapping-hands" "👏",
    /// ❤️
    RedHeart = "red-heart" "❤️",
    /// 😂
    FaceWithTearsOfJoy = "face-with-tears-of-joy" "😂",
    /// 😮
    FaceWithOpenMouth = "face-with-open-mouth" "😮",
    /// 🎉
    PartyPopper = "party-popper" "🎉",
    /// 🙏
    FoldedHands = "folded-hands" "🙏",
}

impl FromStr for Emoji {
    type Err = ErrorKind;

    fn from_str(text: &str) -> Result<Self, ErrorKind> {
        let found = Self::ALL.iter().find(|emoji| emoji.name() == text);
        found.copied().ok_or(ErrorKind::BadReaction)
    }
}

impl fmt::Display for Emoji {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A message on the reactions track.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Reactions {
    /// One participant's.
    One {
        /// Who reacts.
        participant: ParticipantId,
        /// How.
        emoji: Emoji,
    },
    /// How many of each since the last such message: in large rooms.
    Counts {
        /// At least one each.
        counts: BTreeMap<Emoji, u32>,
    },
    /// How far the state is, now and then: whoever knows less has missed something.
    State {
        /// This run of the room.
        session: SessionId,
        /// The newest revision.
        revision: Revision,
    },
    /// What a newer service sends.
    #[serde(other)]
    Unknown,
}
