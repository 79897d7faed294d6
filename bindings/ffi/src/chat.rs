use parvis::meeting;

use crate::numbers::{count, signed};

/// A message to everybody.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ChatMessage {
    /// Its place in the session: contiguous.
    pub seq: i64,
    /// When the service got it, milliseconds since 1970.
    pub at_ms: i64,
    /// Who wrote it.
    pub from: String,
    /// The writer's name then.
    pub name: String,
    /// The writer's own id of the message, the one it shows as pending.
    pub client_id: String,
    /// 1 to 2000 Unicode scalars; line breaks and tabs are its only control characters.
    pub text: String,
}

/// A message to one participant.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct PrivateMessage {
    /// When the service got it, milliseconds since 1970.
    pub at_ms: i64,
    /// Who wrote it.
    pub from: String,
    /// The writer's name then.
    pub name: String,
    /// Who may read it.
    pub to: String,
    /// The writer's own id of the message.
    pub client_id: String,
    /// As in [`ChatMessage`].
    pub text: String,
}

/// Messages from `from` to `to`, both included, that cannot be had any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct HistoryGap {
    /// The first that is gone.
    pub from: i64,
    /// The last that is gone.
    pub to: i64,
}

/// A page of the chat's past.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct HistoryPage {
    /// The messages, oldest first.
    pub messages: Vec<ChatMessage>,
    /// What cannot be had any more.
    pub gaps: Vec<HistoryGap>,
    /// Before which message the next page lies; none: this was the first.
    pub before: Option<i64>,
}

/// What there is to say of a command that was done.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Done {
    /// The number of a chat message to everybody.
    pub seq: Option<i64>,
    /// The service's time of a chat message, milliseconds since 1970.
    pub at_ms: Option<i64>,
    /// The number of a raised hand: the smallest is first.
    pub hand: Option<i64>,
    /// The recording or transcription that was started.
    pub capture: Option<i64>,
    /// How many were let in.
    pub admitted: Option<i32>,
    /// How many still wait: there was no place for them.
    pub waiting: Option<i32>,
}

impl From<meeting::ChatMessage> for ChatMessage {
    fn from(message: meeting::ChatMessage) -> Self {
        Self {
            seq: signed(message.seq.0),
            at_ms: signed(message.at.0),
            from: message.from.into(),
            name: message.name,
            client_id: message.client_id.into(),
            text: message.text,
        }
    }
}

impl From<meeting::PrivateMessage> for PrivateMessage {
    fn from(message: meeting::PrivateMessage) -> Self {
        Self {
            at_ms: signed(message.at.0),
            from: message.from.into(),
            name: message.name,
            to: message.to.into(),
            client_id: message.client_id.into(),
            text: message.text,
        }
    }
}

impl From<meeting::HistoryGap> for HistoryGap {
    fn from(gap: meeting::HistoryGap) -> Self {
        Self {
            from: signed(gap.from.0),
            to: signed(gap.to.0),
        }
    }
}

impl From<meeting::HistoryPage> for HistoryPage {
    fn from(page: meeting::HistoryPage) -> Self {
        Self {
            messages: page.messages.into_iter().map(Into::into).collect(),
            gaps: page.gaps.into_iter().map(Into::into).collect(),
            before: page.before.map(|seq| signed(seq.0)),
        }
    }
}

impl From<meeting::Done> for Done {
    fn from(done: meeting::Done) -> Self {
        Self {
            seq: done.seq.map(|seq| signed(seq.0)),
            at_ms: done.at.map(|at| signed(at.0)),
            hand: done.hand.map(|hand| signed(hand.0)),
            capture: done.capture.map(|id| signed(id.0)),
            admitted: done.admitted.map(count),
            waiting: done.waiting.map(count),
        }
    }
}
