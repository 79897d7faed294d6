use serde::{Deserialize, Serialize};

use crate::{ChatSeq, CommandId, ErrorKind, ParticipantId, UnixMillis};

/// A message to everybody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatMessage {
    /// Its place in the session: contiguous.
    pub seq: ChatSeq,
    /// When the service got it.
    pub at: UnixMillis,
    /// Who wrote it.
    pub from: ParticipantId,
    /// The writer's name then.
    pub name: String,
    /// The writer's own id of the message, the one it shows as pending.
    pub client_id: CommandId,
    /// 1 to 2000 Unicode scalars; line breaks and tabs are its only control characters.
    pub text: String,
}

/// A message to one participant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrivateMessage {
    /// When the service got it.
    pub at: UnixMillis,
    /// Who wrote it.
    pub from: ParticipantId,
    /// The writer's name then.
    pub name: String,
    /// Who may read it.
    pub to: ParticipantId,
    /// The writer's own id of the message.
    pub client_id: CommandId,
    /// As in [`ChatMessage`].
    pub text: String,
}

/// Messages from `from` to `to`, both included, that cannot be had any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryGap {
    /// The first that is gone.
    pub from: ChatSeq,
    /// The last that is gone.
    pub to: ChatSeq,
}

/// A chat text as it is sent: trimmed, without control characters but line breaks and tabs.
pub fn chat_text(text: &str, most: usize) -> Result<String, ErrorKind> {
    let kept: String = text
        .replace("\r\n", "\n")
        .chars()
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
        .collect();
    let trimmed = kept.trim();
    match trimmed.chars().count() {
        0 => Err(ErrorKind::Empty),
        n if n > most => Err(ErrorKind::TooLong),
        _ => Ok(trimmed.to_owned()),
    }
}
