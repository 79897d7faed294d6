use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A text that holds no room code: `BadCode` to an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a room code is ten letters and digits, as in abc-defg-hij, or a link that ends in one")]
pub struct BadCode;

/// A room's code: three groups of 3, 4 and 3 letters or digits.
///
/// ```
/// use parvis_meeting::RoomCode;
///
/// let code: RoomCode = "https://meet.example/ABC-DEFG-HIJ?lang=fr".parse()?;
/// assert_eq!(code, "abcdefghij".parse()?);
/// assert_eq!(code.to_string(), "abc-defg-hij");
/// assert_eq!(code.compact(), "abcdefghij");
/// assert!("abc-defg-hi".parse::<RoomCode>().is_err());
/// # Ok::<(), parvis_meeting::BadCode>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RoomCode([u8; RoomCode::LEN]);

impl RoomCode {
    /// How many letters and digits a code has.
    pub const LEN: usize = 10;
    /// The longest text that is looked at.
    pub const MAX_INPUT_BYTES: usize = 2048;

    /// A code of letters from 16 random bytes; they must come from a cryptographic source.
    pub fn from_random(random: [u8; 16]) -> Self {
        let mut bits = u128::from_le_bytes(random);
        Self(std::array::from_fn(|_| {
            let letter = b'a' + (bits % 26) as u8;
            bits /= 26;
            letter
        }))
    }

    /// Reads a bare code or a link whose path ends in one, in any case, with or without hyphens.
    pub fn parse(text: &str) -> Result<Self, BadCode> {
        if text.len() > Self::MAX_INPUT_BYTES {
            return Err(BadCode);
        }
        let text = text.trim();
        let path = text.split(['?', '#']).next().unwrap_or_default();
        let last = path.trim_end_matches('/').rsplit('/').next();
        let last = last.unwrap_or_default();
        let bytes = last.as_bytes();
        let letters: Vec<u8> = if bytes.len() == Self::LEN {
            bytes.to_vec()
        } else if bytes.len() == Self::LEN + 2 && bytes[3] == b'-' && bytes[8] == b'-' {
            [&bytes[..3], &bytes[4..8], &bytes[9..]].concat()
        } else {
            return Err(BadCode);
        };
        if !letters.iter().all(u8::is_ascii_alphanumeric) {
            return Err(BadCode);
        }
        let letters = letters.to_ascii_lowercase();
        letters.try_into().map(Self).map_err(|_| BadCode)
    }

    /// The ten letters and digits without hyphens, as they stand in namespaces.
    pub fn compact(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a code is ASCII")
    }

    /// The link to the room on a site, such as `https://meet.example`.
    pub fn link(&self, site: &str) -> String {
        format!("{}/{self}", site.trim_end_matches('/'))
    }
}

impl FromStr for RoomCode {
    type Err = BadCode;

    fn from_str(text: &str) -> Result<Self, BadCode> {
        Self::parse(text)
    }
}

impl TryFrom<String> for RoomCode {
    type Error = BadCode;

    fn try_from(text: String) -> Result<Self, BadCode> {
        Self::parse(&text)
    }
}

impl From<RoomCode> for String {
    fn from(code: RoomCode) -> Self {
        code.to_string()
    }
}

impl fmt::Display for RoomCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.compact();
        f.pad(&format!("{}-{}-{}", &text[..3], &text[3..7], &text[7..]))
    }
}

impl fmt::Debug for RoomCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
