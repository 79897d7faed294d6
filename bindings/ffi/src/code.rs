use parvis::{clock, meeting::RoomCode};

use crate::{Emoji, ErrorKind, ParvisError};

/// The clock of capture times: microseconds since 1970, which never jumps within a process.
#[uniffi::export]
pub fn clock_now_us() -> i64 {
    clock::now().as_micros()
}

/// The version of this library.
#[uniffi::export]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

/// The room code of a link or a code, as people read it: `abc-defg-hij`.
#[uniffi::export]
pub fn room_code(link_or_code: String) -> Result<String, ParvisError> {
    match RoomCode::parse(&link_or_code) {
        Ok(code) => Ok(code.to_string()),
        Err(bad) => Err(ParvisError::new(ErrorKind::BadCode, bad.to_string())),
    }
}

/// What is shown of a reaction.
#[uniffi::export]
pub fn emoji_sign(emoji: Emoji) -> String {
    parvis::meeting::Emoji::from(emoji).sign().to_owned()
}

/// Whether the same may succeed a little later, of an error of that kind which says nothing else.
#[uniffi::export]
pub fn is_retryable(kind: ErrorKind) -> bool {
    kind.is_retryable()
}

/// Whether another ticket or sign-in is needed, of an error of that kind which says nothing else.
#[uniffi::export]
pub fn is_auth(kind: ErrorKind) -> bool {
    kind.is_auth()
}
