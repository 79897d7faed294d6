use parvis::meeting::{self, ParticipantId};

use crate::{ParvisError, mirror::mirror, numbers::signed};

/// Somebody who is in, as everybody sees it.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Participant {
    /// Who.
    pub id: String,
    /// The display name.
    pub name: String,
    /// Whether the service vouches for that name.
    pub verified: bool,
    /// Whether it has an account.
    pub signed_in: bool,
    /// The role in this room.
    pub role: Role,
    /// What it does, of a service.
    pub service: Option<Service>,
    /// When it came in, milliseconds since 1970.
    pub joined_ms: i64,
    /// The hand's number while it is raised: the smallest is first.
    pub hand: Option<i64>,
    /// What it captures, as it says and as hosts allow.
    pub media: MediaStates,
    /// How well it is connected.
    pub quality: Quality,
}

/// Somebody who waits to be let in.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Waiter {
    /// Who.
    pub participant: String,
    /// The name.
    pub name: String,
    /// Whether the service vouches for that name.
    pub verified: bool,
    /// Whether it has an account.
    pub signed_in: bool,
    /// Since when, milliseconds since 1970: first come, first served.
    pub since_ms: i64,
}

/// Whether each source is captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct MediaStates {
    /// Of the microphone.
    pub microphone: MediaState,
    /// Of the camera.
    pub camera: MediaState,
    /// Of the screen.
    pub screen: MediaState,
}

/// One or all.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum Target {
    /// Everybody who is meant.
    All,
    /// This participant.
    One {
        /// Who.
        participant: String,
    },
}

mirror! {
    /// What somebody may do in a room: owner > administrator > member > guest.
    Role = meeting::Role {
        /// No role in this room: a guest, or an agent whom nobody gave one.
        Guest,
        /// Enters a restricted room without knocking.
        Member,
        /// Moderates and decides who comes in.
        Administrator,
        /// Everything, and gives that to others.
        Owner,
    }
}

mirror! {
    /// A service that takes part in a meeting.
    Service = meeting::Service {
        /// Keeps the tracks.
        Recorder,
        /// Writes what is said.
        Transcriber,
    }
}

mirror! {
    /// What of a participant is captured.
    Source = meeting::Source {
        /// Sound of the participant.
        Microphone,
        /// The participant's picture.
        Camera,
        /// A shared screen.
        Screen,
    }
}

mirror! {
    /// Whether a source is captured.
    MediaState = meeting::MediaState {
        /// It is captured and published.
        On,
        /// Its track is announced and nothing is captured.
        Muted,
        /// There is no track.
        Off,
    }
}

mirror! {
    /// How well a participant is connected.
    Quality = meeting::ConnectionQuality {
        /// Everything arrives.
        Excellent,
        /// Hardly anything is missing.
        Good,
        /// Much is missing or late.
        Poor,
        /// The connection is gone; it may come back.
        Lost,
    }
}

mirror! {
    /// Why somebody is gone.
    LeaveReason = meeting::LeaveReason {
        /// It left.
        Left,
        /// Its connection did not come back in time.
        Lost,
        /// A host removed it.
        Removed,
        /// What a newer service says.
        Unknown,
    }
}

mirror! {
    /// A reaction.
    Emoji = meeting::Emoji {
        /// 👍
        ThumbsUp,
        /// 👎
        ThumbsDown,
        /// 👏
        ClappingHands,
        /// ❤️
        RedHeart,
        /// 😂
        FaceWithTearsOfJoy,
        /// 😮
        FaceWithOpenMouth,
        /// 🎉
        PartyPopper,
        /// 🙏
        FoldedHands,
    }
}

impl From<meeting::Participant> for Participant {
    fn from(participant: meeting::Participant) -> Self {
        Self {
            id: participant.id.into(),
            name: participant.name,
            verified: participant.verified,
            signed_in: participant.signed_in,
            role: participant.role.into(),
            service: participant.service.map(Into::into),
            joined_ms: signed(participant.joined.0),
            hand: participant.hand.map(|hand| signed(hand.0)),
            media: participant.media.into(),
            quality: participant.quality.into(),
        }
    }
}

impl From<meeting::Waiter> for Waiter {
    fn from(waiter: meeting::Waiter) -> Self {
        Self {
            participant: waiter.participant.into(),
            name: waiter.name,
            verified: waiter.verified,
            signed_in: waiter.signed_in,
            since_ms: signed(waiter.since.0),
        }
    }
}

impl From<meeting::PerSource<meeting::MediaState>> for MediaStates {
    fn from(media: meeting::PerSource<meeting::MediaState>) -> Self {
        Self {
            microphone: media.microphone.into(),
            camera: media.camera.into(),
            screen: media.screen.into(),
        }
    }
}

impl TryFrom<Target> for meeting::Target {
    type Error = ParvisError;

    fn try_from(target: Target) -> Result<Self, ParvisError> {
        Ok(match target {
            Target::All => Self::All,
            Target::One { participant } => Self::One(ParticipantId::new(&participant)?),
        })
    }
}
