use std::fmt;

use ring::{
    digest::{SHA256, digest},
    rand::{SecureRandom, SystemRandom},
};

use crate::StoreError;

/// A text with 160 random bits that opens something for whoever shows it. The store keeps only its hash.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A new one, which begins with `prefix`.
    pub fn random(prefix: &str) -> Result<Self, StoreError> {
        let mut bytes = [0_u8; 20];
        SystemRandom::new()
            .fill(&mut bytes)
            .map_err(|_| StoreError::NoRandomness)?;
        Ok(Self(format!("{prefix}{}", hex(&bytes))))
    }

    /// One that somebody shows.
    pub fn shown(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, to be handed to its owner once.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is kept of it. A plain hash will do: nobody guesses 160 bits.
    pub(crate) fn hash(&self) -> String {
        hash(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

pub(crate) fn hash(text: &str) -> String {
    hex(digest(&SHA256, text.as_bytes()).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let digit = |half| char::from_digit(u32::from(half), 16).unwrap_or_default();
    digits.map(digit).collect()
}
