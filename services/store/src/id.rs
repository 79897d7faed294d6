use std::{
    fmt,
    sync::atomic::{AtomicU16, Ordering},
};

use parvis_meeting::UnixMillis;
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};

use crate::StoreError;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// As it is written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id!(
    /// Names an application token.
    ApplicationId
);
text_id!(
    /// Names one run of a room among those of all rooms.
    SessionKey
);

/// Which authority runs a session: the number of those that did so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub u64);

/// 48 bits of time, 16 that count, 64 of randomness.
pub(crate) fn new_id(now: UnixMillis) -> Result<String, StoreError> {
    static COUNT: AtomicU16 = AtomicU16::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let mut random = [0; 8];
    SystemRandom::new()
        .fill(&mut random)
        .map_err(|_| StoreError::NoRandomness)?;
    let random = u64::from_be_bytes(random);
    Ok(format!("{:012x}{count:04x}{random:016x}", now.0))
}
