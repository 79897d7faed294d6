use serde::{Deserialize, Serialize, de::DeserializeOwned, de::IgnoredAny};
use serde_json::value::RawValue;
use thiserror::Error;

use crate::{Command, CommandId, Request};

/// The most bytes of a command.
pub const MAX_COMMAND_BYTES: usize = 16 << 10;

/// The most bytes of what an authority says: a snapshot of the largest room.
pub const MAX_MESSAGE_BYTES: usize = 4 << 20;

/// How deeply a message may be nested.
pub const MAX_DEPTH: usize = 12;

/// Why bytes are no message.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MessageError {
    /// More bytes than a message has.
    #[error("a message has at most {limit} bytes, got {got}")]
    TooLarge {
        /// The most.
        limit: usize,
        /// How many there are.
        got: usize,
    },
    /// Nested too deeply.
    #[error("a message is nested at most {} deep", MAX_DEPTH)]
    TooDeep,
    /// No JSON, or not of this type.
    #[error("{0}")]
    Json(String),
}

/// Bytes that are no request, and its id if that could be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{error}")]
pub struct BadRequest {
    /// The id to answer.
    pub id: Option<CommandId>,
    /// What is wrong.
    pub error: MessageError,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope<'a> {
    id: CommandId,
    #[serde(borrow)]
    command: &'a RawValue,
}

#[derive(Deserialize)]
struct IdOnly {
    id: CommandId,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TypeOnly {
    #[serde(rename = "type")]
    _type: IgnoredAny,
}

impl Request {
    /// Reads a request of a participant: at most 16 KiB, without fields that no command has.
    pub fn from_json(bytes: &[u8]) -> Result<Self, BadRequest> {
        let unread = |error| BadRequest { id: None, error };
        check(bytes, MAX_COMMAND_BYTES).map_err(unread)?;
        parse(bytes).map_err(|error| BadRequest {
            id: serde_json::from_slice(bytes).ok().map(|IdOnly { id }| id),
            error: json_error(&error),
        })
    }

    /// What [`Self::from_json`] reads.
    pub fn to_json(&self) -> Vec<u8> {
        to_json(self)
    }
}

fn parse(bytes: &[u8]) -> serde_json::Result<Request> {
    let Envelope { id, command } = serde_json::from_slice(bytes)?;
    let raw = command.get();
    let command: Command = serde_json::from_str(raw)?;
    if command.is_bare() {
        serde_json::from_str::<TypeOnly>(raw)?;
    }
    Ok(Request { id, command })
}

/// Reads what an authority says; fields that are unknown here are passed over.
pub fn from_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, MessageError> {
    check(bytes, MAX_MESSAGE_BYTES)?;
    serde_json::from_slice(bytes).map_err(|error| json_error(&error))
}

/// A message as JSON.
pub fn to_json<T: Serialize>(message: &T) -> Vec<u8> {
    serde_json::to_vec(message).expect("our messages have string keys and no failing parts")
}

/// What is wrong, without much of what the peer wrote.
fn json_error(error: &serde_json::Error) -> MessageError {
    MessageError::Json(error.to_string().chars().take(200).collect())
}

fn check(bytes: &[u8], limit: usize) -> Result<(), MessageError> {
    if bytes.len() > limit {
        let got = bytes.len();
        return Err(MessageError::TooLarge { limit, got });
    }
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => depth += 1,
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Err(MessageError::TooDeep);
        }
    }
    Ok(())
}
