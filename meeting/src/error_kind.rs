use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why something that was asked for is not done: the same words in the API, the SDK and the
/// command line.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Error, Serialize, Deserialize,
)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The text is no room code.
    #[error("this is no room code")]
    BadCode,
    /// There is no such room.
    #[error("there is no such room")]
    NotFound,
    /// No agent is in the meeting yet.
    #[error("the meeting waits for its host")]
    WaitingForHost,
    /// Somebody else admitted or denied first.
    #[error("this was decided already")]
    AlreadyDecided,
    /// Too many people wait.
    #[error("the lobby is full")]
    LobbyFull,
    /// Too many people are in.
    #[error("the room is full")]
    RoomFull,
    /// A host said no; knocking again needs a pause, or is over for this session.
    #[error("entry was denied")]
    Denied,
    /// Nobody answered in time: a knock, or another command.
    #[error("nobody answered in time")]
    TimedOut,
    /// The role is not enough, or the act is not allowed to anybody.
    #[error("this is not allowed")]
    Forbidden,
    /// The room would be left without an owner.
    #[error("a room keeps at least one owner")]
    LastOwner,
    /// A host removed this participant.
    #[error("removed from the meeting")]
    Removed,
    /// The meeting is over.
    #[error("the meeting is over")]
    RoomEnded,
    /// The emoji is none of the eight reactions.
    #[error("this is no reaction")]
    BadReaction,
    /// The text has nothing but blanks.
    #[error("the text is empty")]
    Empty,
    /// The text has too many characters.
    #[error("the text is too long")]
    TooLong,
    /// Too many in a short time.
    #[error("too many in a short time")]
    RateLimited,
    /// A recording or transcription runs already.
    #[error("there is a recording already")]
    AlreadyRecording,
    /// Nothing runs that could be stopped.
    #[error("there is no recording")]
    NotRecording,
    /// The room is end-to-end encrypted and nobody gave the recorder a key.
    #[error("an encrypted room is recorded only with a key")]
    NeedsKey,
    /// A name has 1 to 50 visible characters.
    #[error("a name has 1 to 50 visible characters")]
    BadName,
    /// The participant meant is not there.
    #[error("this participant is not there")]
    NotPresent,
    /// Only people with an account can have a role.
    #[error("only people who are signed in can have a role")]
    NotSignedIn,
    /// The message is no command.
    #[error("this is no command")]
    Malformed,
    /// What came from a newer service and has no name here.
    #[error("a newer service refused for a reason unknown here")]
    #[serde(other)]
    Unknown,
}
